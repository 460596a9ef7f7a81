/* SPDX-License-Identifier: MIT */
/* vacation_file.h: the file in a Maildir by which popbox-vacation(8) answers mail:
 * a line with the times from and until which it does, in seconds since 1970 or 0,
 * and the text. Pure.
 */
#ifndef POPBOX_VACATION_FILE_H
#define POPBOX_VACATION_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* The file, and the one that says who was answered. */
#define VACATION_FILE "vacation"
#define VACATION_SEEN "vacation-seen"

enum { VACATION_FILE_MAX = STORE_VACATION_MAX + 48 };

struct vacation_file {
	int64_t from, until;
	const char *text; /* points into what was read, without a NUL */
	size_t len;
};

/* A text that somebody wrote: UTF-8, without a mark of its order of bytes, with
 * newlines alone at the ends of its lines, and without other control characters than
 * tabs; blanks around it go, as a table's cell has none. NULL, or what is wrong with it, as a sentence's end; static. */
const char *vacation_text_read(const char *bytes, size_t len,
			       char ret_text[STORE_VACATION_MAX + 1]);

/* Its length; the text is NUL-ended. */
size_t vacation_file_write(int64_t from, int64_t until, const char *text,
			   char ret_bytes[VACATION_FILE_MAX]);

/* False: it is none. */
bool vacation_file_read(const char *bytes, size_t len,
			struct vacation_file *ret_file);

/* Does it answer at this time? */
bool vacation_file_is_on(const struct vacation_file *file, int64_t now);

#endif
