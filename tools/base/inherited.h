/* SPDX-License-Identifier: MIT */
/* inherited.h: what a caller left behind in the process, put right before
 * anything is done. */
#ifndef POPBOX_INHERITED_H
#define POPBOX_INHERITED_H

#include <stdbool.h>

#include "store/err.h"

/* Descriptors 0 to 2 that are closed lead to /dev/null: else the store becomes
 * one of them, is read as input and has messages written over it. And where
 * SIGCHLD is ignored no child's end is ever told, so that all seem to have been
 * killed. False: errno; nothing may be opened then, and nobody can be told. */
MUST_USE bool inherited_settle(void);

/* Passwords and hashes pass through the process: it leaves no core file,
 * whatever limit its caller set, and no process of its user may trace it or
 * read its memory. Comes before anything is read. False: errno. */
MUST_USE bool inherited_seal(void);

#endif
