/* SPDX-License-Identifier: MIT */
/* name.h: the names of the field, one validator each, default deny.
 *
 * A value of these types exists only because its validator made it, so that
 * what is built of them (keys, file names, lines of control files) needs no
 * second look. All are NUL-ended, lower-case, and safe as one path component.
 *
 * Every *_read returns NULL and fills *ret_name, or returns the reason for the
 * refusal as a static text and leaves *ret_name alone. Input is bytes with a
 * length; a NUL among them is refused like any other foreign byte.
 * Pure: no input, no output, no memory.
 */
#ifndef POPBOX_NAME_H
#define POPBOX_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum {
	NAME_HANDLE_MAX = 15,
	NAME_DOMAIN_MAX = 253, /* RFC 1035, 2.3.4, written without a root dot */
	NAME_LABEL_MAX = 63,
	NAME_LOCAL_MAX = 64, /* RFC 5321, 4.5.3.1.1 */
	NAME_BOX_TEXT = NAME_HANDLE_MAX + 1 + 10 + 1,
	NAME_ADDRESS_TEXT = NAME_LOCAL_MAX + 1 + NAME_DOMAIN_MAX + 1,
};

struct name_handle { /* [a-z][a-z0-9]{0,14} */
	char s[NAME_HANDLE_MAX + 1];
};

struct name_domain { /* A-labels */
	char s[NAME_DOMAIN_MAX + 1];
};

struct name_local { /* or "*": the catch-all */
	char s[NAME_LOCAL_MAX + 1];
};

struct name_box {
	struct name_handle handle;
	uint32_t number;
};

struct name_address {
	struct name_local local;
	struct name_domain domain;
};

MUST_USE const char *name_handle_read(const char *bytes, size_t len,
				      struct name_handle *ret_name);

/* ASCII letters of any case, digits, hyphens and dots. UTF-8 is refused here:
 * converting it is the business of the administrator's tool. */
MUST_USE const char *name_domain_read(const char *bytes, size_t len,
				      struct name_domain *ret_name);

/* Lower-cased ASCII of the atext of RFC 5322 less '/', plus the dot; not the
 * names that qmail-local reads as something else. Never the catch-all. */
MUST_USE const char *name_local_read(const char *bytes, size_t len,
				     struct name_local *ret_name);

/* A local part anywhere: RFC 5322's dot-atom, of any letter case, which is not
 * ours to change. */
MUST_USE const char *name_foreign_local(const char *bytes, size_t len);

/* local@domain, split at the last '@'. */
MUST_USE const char *name_address_read(const char *bytes, size_t len,
				       struct name_address *ret_name);

/* As name_local_read, and "*" for the catch-all. */
MUST_USE const char *name_local_or_catchall(const char *bytes, size_t len,
					    struct name_local *ret_name);

/* handle-number with at least four digits, as printed: "ex1-0001". */
MUST_USE const char *name_box_read(const char *bytes, size_t len,
				   struct name_box *ret_name);

/* Texts of fixed size; cannot fail. */
void name_box_text(const struct name_box *name, char text[NAME_BOX_TEXT]);
void name_address_text(const struct name_address *name,
		       char text[NAME_ADDRESS_TEXT]);

#endif
