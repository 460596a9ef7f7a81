/* SPDX-License-Identifier: MIT */
/* text.h: a text that grows.
 */
#ifndef POPBOX_TEXT_H
#define POPBOX_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Grows by doubling; bytes is one malloc'ed block with a NUL behind the last
 * byte, or NULL while nothing was put. Its owner frees it.
 *
 * With .secret it leaves no copy behind where it was before it grew: then bytes
 * are pages of its own, which text_wipe alone gives back. */
struct text {
	char *bytes;
	size_t len;
	size_t room;
	bool secret;
};

/* False: no memory; what was there stays. */
bool text_put(struct text *text, const char *bytes, size_t len);

/* Wipes and frees a secret text. It can be used again. */
void text_wipe(struct text *text);

/* Cuts a text at blanks, in place, into at most room words that point into it.
 * Returns how many there are, or room + 1 if they were more. */
size_t text_words(char *text, char **ret_words, size_t room);

#endif
