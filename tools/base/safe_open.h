/* SPDX-License-Identifier: MIT */
/* safe_open.h: opening what a stranger could have put a link in the place of. */
#ifndef POPBOX_SAFE_OPEN_H
#define POPBOX_SAFE_OPEN_H

#include "store/err.h"

/* Opens a directory for reading. It, every directory on the path, and every
 * symbolic link there belong to root or the caller, and the directories are
 * writable by nobody else, or sticky: else a stranger could lead root into another
 * directory of root's. -1: errno, which is EPERM if that is not so. */
MUST_USE int safe_open_dir(const char *dir);

/* Opens what lies in somebody else's tree, whose owner could put a link, a pipe or
 * a device into any place of it, and so lead root anywhere. path begins with top;
 * flags are added to O_RDONLY. Links are followed in top alone, which the
 * administrator named; "" = in none. ELOOP: a link is on the path. Never waits for
 * a pipe. A descriptor, or -1: errno. */
MUST_USE int safe_open_below(const char *top, const char *path, int flags);

#endif
