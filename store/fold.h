/* SPDX-License-Identifier: MIT */
/* fold.h: a domain in UTF-8 as it is written in the store: small letters,
 * composed (NFC), for logins that have it in capitals or in parts.
 *
 * The login program links no library for this: a table of 10 KiB knows capitals,
 * letters of East Asian width, and the letters that are written as one or as a
 * letter and its marks (Unicode 14). What it does not know stays as it is, and
 * is found only as the store has it. Pure.
 */
#ifndef POPBOX_FOLD_H
#define POPBOX_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "name.h"

/* Writes the text, ended by NUL, and its length. False: it is no UTF-8, or
 * longer than a domain; then ret_text is undefined. Of a text that is small and
 * composed it makes the same. */
MUST_USE bool fold_domain(const void *bytes, size_t len,
			  char ret_text[NAME_DOMAIN_MAX + 1], size_t *ret_len);

#endif
