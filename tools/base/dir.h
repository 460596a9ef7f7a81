/* SPDX-License-Identifier: MIT */
/* dir.h: the entries of a directory, without . and .., readdir(3). That one
 * cannot be read to its end is not taken for its end.
 */
#ifndef POPBOX_DIR_H
#define POPBOX_DIR_H

#include <dirent.h>
#include <stdbool.h>

/* The next one, good until the next call; or NULL, with *ret_rc 0 at the end,
 * else an errno. */
const struct dirent *dir_next(DIR *list, int *ret_rc);

/* Is there none? With an errno in *ret_rc nobody can tell. */
bool dir_is_empty(DIR *list, int *ret_rc);

#endif
