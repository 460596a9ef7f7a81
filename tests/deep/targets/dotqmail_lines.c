/* SPDX-License-Identifier: MIT */
/* Lines of any .qmail file: together they are the file, in order, without the
 * blanks at their ends; a NUL stands behind each; what popbox writes is taken for
 * what it is. */
#include "fuzz.h"

#include "qmail/dotqmail.h"
#include "qmail/dotqmail_lines.h"

static void does_holds(const struct config *config,
		       const struct dotqmail_line *line)
{
	const enum dotqmail_does does = dotqmail_does(config, line);

	HOLDS((does == DOTQMAIL_NOTHING) ==
	      (!line->at[0] || line->at[0] == '#' || line->at[0] == '+'));
	HOLDS((does >= DOTQMAIL_PROGRAM) == (line->at[0] == '|'));
	HOLDS((does == DOTQMAIL_MAILDIR || does == DOTQMAIL_MBOX) ==
	      (line->at[0] == '.' || line->at[0] == '/'));
	HOLDS(does != DOTQMAIL_BOUNCE || strstr(line->at, "/bouncesaying "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	struct config_fault fault;
	struct dotqmail_line *line;
	char *text = malloc(size + 1);
	size_t count = 0, newlines = 0;

	HOLDS(text);
	if (!config.home[0])
		HOLDS(config_parse("", 0, &config, &fault) == ERR_OK);
	memcpy(text, data, size);
	line = dotqmail_split(text, size, &count);
	HOLDS(line && count > 0);
	for (size_t i = 0; i < size; i++)
		newlines += data[i] == '\n';
	HOLDS(count == newlines + (!size || data[size - 1] != '\n'));
	for (size_t n = 0; n < count; n++) {
		const size_t at = (size_t)(line[n].at - text), len = line[n].len;

		HOLDS(at + len <= size && !text[at + len]);
		HOLDS(memcmp(text + at, data + at, len) == 0);
		HOLDS(!len || !strchr(" \t\n", text[at + len - 1]) ||
		      !text[at + len - 1]);
		HOLDS(n == 0 ? at == 0 : data[at - 1] == '\n');
		does_holds(&config, &line[n]);
	}
	free(line);
	free(text);
	return 0;
}
