/* SPDX-License-Identifier: MIT */
#include "cmdline.h"

#include <string.h>

#include "help.h"

const struct args_option *cmdline_option(const struct cmdline *line,
					 const char *word, size_t len)
{
	const struct args_option *option = NULL;

	if (line->command)
		option = args_find(line->command->options, word, len);
	return option ? option : args_find(args_global, word, len);
}

/* Does this option take the next word? */
static bool takes_next(const struct args_option *option)
{
	return option && option->value && option->value[0] != '[';
}

static void walk_word(struct cmdline *line, const char *word)
{
	if (!line->noun) {
		line->noun = word;
		line->command = help_find(word, NULL);
		line->lost = !help_is_noun(word);
	} else if (!line->command) {
		line->command = help_find(line->noun, word);
		line->lost = !line->command;
	} else if (line->operands++ == 0) {
		line->operand = word;
	}
}

struct cmdline cmdline_walk(const struct args *args)
{
	struct cmdline line = {.dir = NULL};
	size_t last = args->operands ? args->operands - 1 : 0;

	for (size_t i = 0; i < last && !line.lost; i++) {
		const char *word = args->operand[i];
		const struct args_option *option;

		if (line.only_operands || word[0] != '-' || !word[1]) {
			walk_word(&line, word);
			continue;
		}
		line.only_operands = strcmp(word, "--") == 0;
		option = cmdline_option(&line, word, strlen(word));
		if (!takes_next(option))
			continue;
		if (++i == last)
			line.value = option->value;
		else if (strcmp(word, "-d") == 0)
			line.dir = args->operand[i];
	}
	return line;
}
