/* inherited.h: what a caller left behind in the process, put right before
 * anything is done. */
#ifndef POPBOX_INHERITED_H
#define POPBOX_INHERITED_H

#include <stdbool.h>

#include "err.h"

/* Seals the process first: it leaves no core file and cannot be traced by other
 * processes of its user. Nothing was read before.
 *
 * Descriptors 0 to 2 that are closed lead to /dev/null: else the store becomes
 * one of them, is read as input and has messages written over it. And where
 * SIGCHLD is ignored no child's end is ever told, so that all seem to have been
 * killed. False: errno; nothing may be opened then. */
MUST_USE bool inherited_settle(void);

#endif
