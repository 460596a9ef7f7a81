/* SPDX-License-Identifier: MIT */
#include "letter.h"

#include <string.h>
#include <strings.h>

/* The address of a line `word: address`, or <address>. NULL, or why not. */
static const char *take(const char *bytes, size_t len, const char *word,
			char ret_address[LETTER_ADDRESS_MAX + 1],
			size_t *ret_line)
{
	const size_t name = strlen(word);
	const char *end = memchr(bytes, '\n', len);
	const char *at = bytes + name;

	if (!end || len < name || strncasecmp(bytes, word, name) != 0)
		return "it does not begin with Return-Path and Delivered-To";
	*ret_line = (size_t)(end - bytes) + 1;
	while (at < end && *at == ' ')
		at++;
	if (at < end && *at == '<' && end[-1] == '>') {
		at++;
		end--;
	}
	if ((size_t)(end - at) > LETTER_ADDRESS_MAX)
		return "an address in it is too long";
	for (const char *c = at; c < end; c++) {
		if (*c & 0x80)
			return "an address in it has letters beyond ASCII";
		if (*c <= ' ' || *c == 0x7f || *c == '<' || *c == '>')
			return "an address in it has a blank, a bracket or a "
			       "control character";
	}
	memcpy(ret_address, at, (size_t)(end - at));
	ret_address[end - at] = 0;
	return NULL;
}

const char *letter_read(const char *bytes, size_t len, const char *prefix,
			struct letter *ret_letter)
{
	struct letter letter = {.head = 0};
	char to[LETTER_ADDRESS_MAX + 1];
	const size_t skip = strlen(prefix);
	size_t first, second;
	const char *why = take(bytes, len, "Return-Path:", letter.sender,
			       &first);

	if (!why)
		why = take(bytes + first, len - first, "Delivered-To:", to,
			   &second);
	if (why)
		return why;
	if (strncasecmp(to, prefix, skip) != 0 || !to[skip])
		return "its Delivered-To does not begin with the prefix";
	memcpy(letter.recipient, to + skip, strlen(to + skip) + 1);
	letter.head = first + second;
	*ret_letter = letter;
	return NULL;
}
