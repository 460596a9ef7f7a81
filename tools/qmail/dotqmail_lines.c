/* SPDX-License-Identifier: MIT */
#include "dotqmail_lines.h"

#include <stdlib.h>
#include <string.h>

#include "dotqmail.h"

struct dotqmail_line *dotqmail_split(char *text, size_t len, size_t *ret_count)
{
	struct dotqmail_line *line;
	size_t start = 0, count = 1;

	if (len && text[len - 1] == '\n')
		len--;
	for (size_t i = 0; i < len; i++)
		count += text[i] == '\n';
	line = calloc(count, sizeof *line);
	if (!line)
		return NULL;
	for (size_t n = 0; n < count; n++) {
		char *at = text + start;
		const char *end = memchr(at, '\n', len - start);
		size_t size = end ? (size_t)(end - at) : len - start;

		start += size + 1;
		while (size && (at[size - 1] == ' ' || at[size - 1] == '\t'))
			size--;
		at[size] = 0;
		line[n] = (struct dotqmail_line){at, size};
	}
	*ret_count = count;
	return line;
}

static enum dotqmail_does program(const struct config *config, const char *line)
{
	struct maildirsize limit;

	if (dotqmail_is_extension(config, line))
		return DOTQMAIL_EXTENSION;
	if (dotqmail_is_hold(line))
		return DOTQMAIL_HOLD;
	if (dotqmail_is_quota(line, &limit))
		return DOTQMAIL_QUOTA;
	if (dotqmail_is_vacation(line))
		return DOTQMAIL_VACATION;
	return dotqmail_is_bounce(config, line) ? DOTQMAIL_BOUNCE
						: DOTQMAIL_PROGRAM;
}

enum dotqmail_does dotqmail_does(const struct config *config,
				 const struct dotqmail_line *line)
{
	switch (line->at[0]) {
	case 0:
	case '#':
	case '+':
		return DOTQMAIL_NOTHING;
	case '|':
		return program(config, line->at);
	case '.':
	case '/':
		return line->at[line->len - 1] == '/' ? DOTQMAIL_MAILDIR
						      : DOTQMAIL_MBOX;
	default:
		return DOTQMAIL_FORWARD;
	}
}
