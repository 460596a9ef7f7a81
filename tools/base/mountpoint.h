/* SPDX-License-Identifier: MIT */
/* mountpoint.h: a directory that another file system is mounted on: it can be
 * neither replaced nor renamed, and a new disk comes with a lost+found.
 */
#ifndef POPBOX_MOUNTPOINT_H
#define POPBOX_MOUNTPOINT_H

#include <stdbool.h>

bool mountpoint_is(const char *path);

/* Is nothing in it but what a new file system has, and the names given, which
 * end with NULL? 0 or an errno. */
int mountpoint_is_empty(const char *path, const char *const *but,
			bool *ret_empty);

#endif
