/* SPDX-License-Identifier: MIT */
#include "fmt_reply.h"

#include <string.h>

static size_t line_len(const char *text, size_t len)
{
	const char *newline = len ? memchr(text, '\n', len) : NULL;

	return newline ? (size_t)(newline + 1 - text) : len;
}

static bool is_blank_line(const char *line, size_t len)
{
	return len <= 2 && (line[0] == '\n' || line[0] == '\r');
}

/* "From: joe@example.com", or what continues such a line. */
static bool is_field(const char *line, size_t len, bool first)
{
	size_t name = 0;

	if (line[0] == ' ' || line[0] == '\t')
		return !first;
	while (name < len && line[name] > 32 && line[name] < 127 &&
	       line[name] != ':')
		name++;
	return name && name < len && line[name] == ':';
}

const char *fmt_reply_body(const char *text, size_t len, size_t *ret_len)
{
	size_t at = 0;

	while (at < len) {
		const size_t line = line_len(text + at, len - at);

		if (is_blank_line(text + at, line) && at) {
			*ret_len = len - at - line;
			return text + at + line;
		}
		if (!is_field(text + at, line, at == 0))
			break;
		at += line;
	}
	*ret_len = len;
	return text;
}

/* | /usr/bin/autorespond 86400 3 /.../joe/vacation/message /.../joe/vacation */
static bool is_reply(const char *line, size_t len)
{
	static const char program[] = "autorespond ";
	static const char file[] = "/vacation/message";
	const char *found;

	if (line[0] != '|')
		return false;
	found = memmem(line, len, program, sizeof program - 1);
	return found && (found[-1] == '/' || found[-1] == ' ' ||
			 found[-1] == '|') &&
	       memmem(found, (size_t)(line + len - found), file,
		      sizeof file - 1);
}

bool fmt_reply_strip(char *text, size_t *len)
{
	size_t kept = 0;
	bool others = false;

	for (size_t at = 0; at < *len;) {
		const size_t line = line_len(text + at, *len - at);

		others |= !is_reply(text + at, line) &&
			  !strchr("#\n\r \t", text[at]);
		at += line;
	}
	for (size_t at = 0; others && at < *len;) {
		const size_t line = line_len(text + at, *len - at);

		if (!is_reply(text + at, line)) {
			memmove(text + kept, text + at, line);
			kept += line;
		}
		at += line;
	}
	if (!others || kept == *len)
		return false;
	*len = kept;
	return true;
}
