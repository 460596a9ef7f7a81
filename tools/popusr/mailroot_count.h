/* SPDX-License-Identifier: MIT */
/* mailroot_count.h: what there is below the mail root, counted by the process
 * that is popusr (asuser.h): directories of boxes, bytes of mail. Nothing is
 * followed below the directory of a handle's boxes. Calls answer 0 or an errno.
 */
#ifndef POPBOX_MAILROOT_COUNT_H
#define POPBOX_MAILROOT_COUNT_H

#include <limits.h>
#include <stdint.h>

#include "store/name.h"

/* The first number, from that of a box on, under which the handle has no
 * directory, and how many follow each other from there, at least 1, at most
 * `most`. ENOENT alone says that there is none. ERANGE: no number is left. */
int mailroot_free(const char *home, const struct name_box *from, size_t most,
		  uint32_t *ret_number, size_t *ret_count,
		  char ret_path[PATH_MAX]);

/* Bytes of the files in new and cur of a box. ENOENT: it has no Maildir. */
int mailroot_bytes(const char *home, const struct name_box *box,
		   int64_t *ret_bytes, char ret_path[PATH_MAX]);

#endif
