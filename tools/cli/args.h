/* SPDX-License-Identifier: MIT */
/* args.h: a command line against the options that its command declares.
 * Options and operands may come in any order; `--name value` and
 * `--name=value` are the same; `--` ends the options.
 */
#ifndef POPBOX_ARGS_H
#define POPBOX_ARGS_H

#include <stdbool.h>
#include <stddef.h>

enum { ARGS_OPTIONS_MAX = 24, ARGS_OPERANDS_MAX = 64 };

struct args_option {
	const char *name;  /* "--handle", or "-v"; NULL ends a list */
	const char *value; /* what it takes, for the usage, or NULL */
	const char *help;
};

struct args {
	const struct args_option *options;
	const char *given[ARGS_OPTIONS_MAX]; /* NULL = not given */
	const char *operand[ARGS_OPERANDS_MAX];
	size_t operands;
};

/* Those of every command, popbox(8). */
extern const struct args_option args_global[];

/* Takes words argv[0..argc) into *ret_args; what belongs to args_global goes to
 * *ret_global. Says what is wrong and returns false. */
bool args_parse(int argc, char **argv, const struct args_option *options,
		struct args *ret_global, struct args *ret_args);

/* The value of an option, "" for one without a value, NULL if not given. */
const char *args_get(const struct args *args, const char *name);
bool args_has(const struct args *args, const char *name);

/* The option of that name, len bytes of word; NULL: none. options may be
 * NULL. */
const struct args_option *args_find(const struct args_option *options,
				    const char *word, size_t len);

/* What to answer to somebody who writes one into the command line. */
#define ARGS_NO_PASSWORD \
	"a password is never an argument, where ps and the shell's history " \
	"show it: leave it out to be asked, or use --stdin"

/* How unlike are two words? Edits needed; for did-you-mean. */
unsigned args_distance(const char *a, const char *b);

#endif
