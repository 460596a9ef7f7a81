/* SPDX-License-Identifier: MIT */
/* letter.h: the envelope of a message that qmail-local put into a Maildir: its
 * first two lines, Return-Path and Delivered-To. Pure.
 */
#ifndef POPBOX_LETTER_H
#define POPBOX_LETTER_H

#include <stddef.h>

enum {
	LETTER_ADDRESS_MAX = 1000, /* RFC 5321's command line, and more */
	LETTER_HEAD_MAX = 2 * (LETTER_ADDRESS_MAX + 32),
};

struct letter {
	char sender[LETTER_ADDRESS_MAX + 1]; /* "" for a bounce */
	char recipient[LETTER_ADDRESS_MAX + 1];
	size_t head; /* bytes of the two lines, which are not sent on */
};

/* From the first bytes of the file, LETTER_HEAD_MAX or all there are. prefix is
 * taken off the recipient, in any letter case. NULL, or why not; static. */
const char *letter_read(const char *bytes, size_t len, const char *prefix,
			struct letter *ret_letter);

#endif
