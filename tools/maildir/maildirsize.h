/* SPDX-License-Identifier: MIT */
/* maildirsize.h: the text of the file maildirsize of a Maildir++, in which all
 * programs that write to a Maildir keep what it holds. Pure.
 * http://www.courier-mta.org/imap/README.maildirquota.html
 *
 *	524288000S,10000C	the limits: bytes, messages
 *	4711 1			what came and went since: bytes, messages
 *	-4711 -1
 */
#ifndef POPBOX_MAILDIRSIZE_H
#define POPBOX_MAILDIRSIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MAILDIRSIZE_MAX = 5120, /* bytes; a file of so many is counted anew */
	MAILDIRSIZE_LINE = 48,	/* room for any line, with its NUL */
};

/* No larger number is a limit. */
#define MAILDIRSIZE_LIMIT_MAX (UINT64_MAX / 4)

/* Bytes and messages: what a Maildir may hold (0: any number), or holds. */
struct maildirsize {
	uint64_t bytes;
	uint64_t messages;
};

/* "524288000S,10000C", in any order, either alone. False: it is something else, a
 * number is too large, or it limits nothing. */
bool maildirsize_limit_read(const char *text, size_t len,
			    struct maildirsize *ret_limit);

/* The same as a text, "" without any limit. */
void maildirsize_limit_text(const struct maildirsize *limit,
			    char ret_text[MAILDIRSIZE_LINE]);

/* The whole file: its limits (0 and 0 where the first line is none), the sum of
 * all lines, and how many there are behind the first. False: it is cut or damaged,
 * or a sum is below 0; the limits are filled nevertheless. */
bool maildirsize_read(const char *text, size_t len,
		      struct maildirsize *ret_limit,
		      struct maildirsize *ret_sum, size_t *ret_lines);

/* A line behind the first, with its newline; its length. */
size_t maildirsize_line(const struct maildirsize *more,
			char ret_line[MAILDIRSIZE_LINE]);

/* The size that a file's name says, "...,S=4711" or "...,S=4711:2,S". */
bool maildirsize_of_name(const char *name, uint64_t *ret_bytes);

/* Would the Maildir hold more than it may, with these beside what is there? */
bool maildirsize_is_over(const struct maildirsize *limit,
			 const struct maildirsize *used,
			 const struct maildirsize *more);

/* Of the two limits the one that is nearer, in percent, rounded down; 0 without
 * any. */
unsigned maildirsize_percent(const struct maildirsize *limit,
			     const struct maildirsize *used);

#endif
