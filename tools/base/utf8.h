/* SPDX-License-Identifier: MIT */
/* utf8.h: letters of UTF-8. Pure: a text is judged without any memory, so that
 * none is called bad for lack of it.
 */
#ifndef POPBOX_UTF8_H
#define POPBOX_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes the letter has with which at[0..len) begins, and its number;
 * 0: it is none (RFC 3629: the shortest form, no surrogate). */
size_t utf8_letter(const char *at, size_t len, uint32_t *ret_letter);

/* Is all of it letters? */
bool utf8_good(const char *at, size_t len);

/* May a terminal get this letter, and does a reader see it? False: control
 * characters, those of eight bits and of lines among them, letters that turn
 * the direction of text, that have no shape, or that Unicode gives no meaning. */
bool utf8_shown(uint32_t letter);

/* Is all of it letters that are shown? */
bool utf8_plain(const char *at, size_t len);

#endif
