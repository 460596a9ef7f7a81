/* mailroot_count.h: what there is below the mail root, counted by the process
 * that is popusr (asuser.h): directories of boxes, bytes of mail. Nothing is
 * followed. Calls answer 0 or an errno.
 */
#ifndef POPBOX_MAILROOT_COUNT_H
#define POPBOX_MAILROOT_COUNT_H

#include <limits.h>
#include <stdint.h>

#include "name.h"

/* The highest number of a box that has a directory of this handle. ENOENT: there
 * is none. */
int mailroot_highest(const char *home, const struct name_handle *handle,
		     int64_t *ret_number, char ret_path[PATH_MAX]);

/* Bytes of the files in new and cur of a box. ENOENT: it has no Maildir. */
int mailroot_bytes(const char *home, const struct name_box *box,
		   int64_t *ret_bytes, char ret_path[PATH_MAX]);

#endif
