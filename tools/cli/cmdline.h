/* SPDX-License-Identifier: MIT */
/* cmdline.h: a command line that somebody is writing: what does its last word
 * belong to? Pure.
 */
#ifndef POPBOX_CMDLINE_H
#define POPBOX_CMDLINE_H

#include "commands.h"

struct cmdline {
	const char *dir;     /* of its own -d, or NULL */
	const char *noun;
	const struct command *command;
	size_t operands;     /* before the word */
	const char *operand; /* the first of them */
	const char *value;   /* of what option the word is the value, or NULL */
	bool only_operands;  /* -- came */
	bool lost;	     /* there is no such command */
};

/* Over the operands of args, all but the last. What is returned points into
 * them and into the table. */
struct cmdline cmdline_walk(const struct args *args);

/* An option of its command, or of all; NULL: there is none. */
const struct args_option *cmdline_option(const struct cmdline *line,
					 const char *word, size_t len);

#endif
