/* SPDX-License-Identifier: MIT */
/* header.h: the header of a stranger's message, field by field, RFC 5322. Pure.
 */
#ifndef POPBOX_HEADER_H
#define POPBOX_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* A larger header is not read: such mail is not answered. */
enum { HEADER_MAX = 65536, HEADER_ADDRESS_MAX = 512 };

/* Both point into the header. The body has its folds, not its last newline. */
struct header_field {
	const char *name;
	size_t name_len;
	const char *body;
	size_t body_len;
};

/* The field at *at, which then stands behind it; lines that are no field are
 * passed over. False: the header is at its end. */
bool header_next(const char *text, size_t len, size_t *at,
		 struct header_field *ret_field);

/* Where the header ends: behind its blank line. 0: not in these bytes. */
size_t header_end(const char *text, size_t len);

bool header_is(const struct header_field *field, const char *name);

/* Is the first word of the body, in front of blanks, comments and semicolons, this
 * one, in any letter case? */
bool header_says(const struct header_field *field, const char *word);

/* Does the word stand anywhere in the body, in any letter case? */
bool header_has(const struct header_field *field, const char *word);

/* Is this address among those of the body? Letter case does not count, nor what
 * stands behind a plus in the local part. */
bool header_names(const struct header_field *field, const char *local,
		  const char *domain);

#endif
