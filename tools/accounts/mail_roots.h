/* SPDX-License-Identifier: MIT */
/* mail_roots.h: the two mail roots, which belong to popusr: made by root, and
 * only where nobody but root can put something else in their place.
 */
#ifndef POPBOX_MAIL_ROOTS_H
#define POPBOX_MAIL_ROOTS_H

#include "store/config.h"

/* Makes what is not there; refuses what is somebody else's. Says so; returns the
 * exit code. */
int mail_roots_make(const struct config *config);

#endif
