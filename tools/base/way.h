/* way.h: the way to a directory, when nobody but root may say where it leads. */
#ifndef POPBOX_WAY_H
#define POPBOX_WAY_H

#include "store/err.h"

/* Opens a directory for reading. It, every directory on the way, and every
 * symbolic link there belong to root or the caller, and the directories are
 * writable by nobody else, or sticky: else a stranger could lead us into another
 * directory of root's. -1: errno, which is EPERM if that is not so. */
MUST_USE int way_open(const char *dir);

#endif
