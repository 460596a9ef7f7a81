/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <string.h>

#include "base/say.h"
#include "synonym.h"

const struct args_option args_global[] = {
	{"-d", "STOREDIR", "the store's directory [/var/lib/popbox]"},
	{"-q", NULL, "say less"},
	{"-v", NULL, "say more"},
	{"--json", NULL, "print one JSON object a line"},
	{"--no-input", NULL, "never ask, even on a terminal"},
	{"-h", NULL, "show help"},
	{"--help", NULL, "show help"},
	{"--version", NULL, "show the version"},
	{NULL, NULL, NULL},
};

const struct args_option *args_find(const struct args_option *options,
				    const char *word, size_t len)
{
	for (; options && options->name; options++) {
		if (strlen(options->name) == len &&
		    memcmp(options->name, word, len) == 0)
			return options;
	}
	return NULL;
}

/* The smallest of three ways: what is new, what is gone, what is another. */
static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned two = a < b ? a : b;

	return two < c ? two : c;
}

unsigned args_distance(const char *a, const char *b)
{
	enum { LONGEST = 256 }; /* a domain, and more */
	unsigned rows[3][LONGEST], *now = rows[0], *above = rows[1],
				   *top = rows[2];
	size_t n = strlen(b);

	if (n >= LONGEST)
		return 99;
	for (size_t j = 0; j <= n; j++)
		now[j] = (unsigned)j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned *spare = top;

		top = above;
		above = now;
		now = spare;
		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			now[j] = least(above[j] + 1, now[j - 1] + 1,
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			/* Two letters that changed places are one slip. */
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && top[j - 2] + 1 < now[j])
				now[j] = top[j - 2] + 1;
		}
	}
	return now[n];
}

/* Of short names nearly all are alike. */
static void nearest(const struct args_option *options, const char *word,
		    unsigned *distance, const char **best)
{
	for (; options && options->name; options++) {
		unsigned d = args_distance(word, options->name);

		if (d < *distance && (size_t)d * 2 < strlen(options->name)) {
			*distance = d;
			*best = options->name;
		}
	}
}

/* What another program calls so, if the command has it. */
static const char *other_name(const struct args_option *options,
			      const char *word)
{
	const char *name = synonym_option(word);
	size_t len = name ? strlen(name) : 0;

	return name && (args_find(options, name, len) ||
			args_find(args_global, name, len))
		       ? name
		       : NULL;
}

static bool no_such(const struct args_option *options, const char *word,
		    size_t len)
{
	const char *best;
	unsigned distance = 3;
	char cut[48] = {0};

	memcpy(cut, word, len < sizeof cut - 1 ? len : sizeof cut - 1);
	if (strcmp(cut, "--password") == 0 || strcmp(cut, "--pass") == 0 ||
	    strcmp(cut, "-p") == 0)
		return say_error_as(0, SAY_USAGE, "no option '%s': %s", cut,
				    ARGS_NO_PASSWORD);
	best = other_name(options, cut);
	if (!best) {
		nearest(options, cut, &distance, &best);
		nearest(args_global, cut, &distance, &best);
	}
	if (best)
		say_error_as(0, SAY_USAGE,
			     "no option '%s' here: did you mean '%s'?", cut,
			     best);
	else
		say_error_as(0, SAY_USAGE,
			     "no option '%s' here ('-h' shows those there are)",
			     cut);
	return false;
}

/* An option in the place of a value was mostly forgotten to get one: a file of that
 * name is "./--dry-run", any other value stands behind '='. */
static bool is_option(const struct args *args, const char *word)
{
	return strncmp(word, "--", 2) == 0 &&
	       (args_find(args->options, word, strlen(word)) ||
		args_find(args_global, word, strlen(word)));
}

/* One option with what it takes; *at moves over a value that is a word. */
static bool take(const struct args *command, struct args *args,
		 const struct args_option *option, int argc, char **argv,
		 int *at, const char *equals)
{
	const bool follows = *at + 1 < argc && !is_option(command, argv[*at + 1]);
	const char *value = "";

	/* "[LEN]" may be left out; as a word of its own it is a number. */
	if (option->value && option->value[0] == '[' && !equals) {
		if (follows && argv[*at + 1][0] &&
		    strspn(argv[*at + 1], "0123456789") ==
			    strlen(argv[*at + 1]))
			value = argv[++*at];
	} else if (option->value && equals)
		value = equals + 1;
	else if (option->value && follows)
		value = argv[++*at];
	else if (option->value && *at + 1 < argc)
		return say_error_as(0, SAY_USAGE,
				    "option '%s' wants %s, and '%s' is another "
				    "option (write '%s=%s' if you mean that)",
				    option->name, option->value, argv[*at + 1],
				    option->name, argv[*at + 1]);
	else if (option->value)
		return say_error_as(0, SAY_USAGE, "option '%s' wants %s",
				    option->name, option->value);
	else if (equals)
		return say_error_as(0, SAY_USAGE, "option '%s' takes no value",
				    option->name);
	if (args->given[option - args->options])
		return say_error_as(0, SAY_USAGE,
				    "option '%s' stands there twice",
				    option->name);
	args->given[option - args->options] = value;
	return true;
}

bool args_parse(int argc, char **argv, const struct args_option *options,
		struct args *ret_global, struct args *ret_args)
{
	bool only_operands = false;

	ret_args->options = options;
	ret_global->options = args_global;
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];
		const char *equals = strncmp(word, "--", 2) == 0
					     ? strchr(word, '=')
					     : NULL;
		size_t len = equals ? (size_t)(equals - word) : strlen(word);
		struct args *args = ret_args;
		const struct args_option *option;

		if (only_operands || word[0] != '-' || !word[1]) {
			if (ret_args->operands == ARGS_OPERANDS_MAX)
				return say_error_as(0, SAY_USAGE,
						    "too many operands");
			ret_args->operand[ret_args->operands++] = word;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			only_operands = true;
			continue;
		}
		option = args_find(options, word, len);
		if (!option) {
			option = args_find(args_global, word, len);
			args = ret_global;
		}
		if (!option)
			return no_such(options, word, len);
		if (!take(ret_args, args, option, argc, argv, &i, equals))
			return false;
	}
	return true;
}

const char *args_get(const struct args *args, const char *name)
{
	const struct args_option *option =
		args_find(args->options, name, strlen(name));

	return option ? args->given[option - args->options] : NULL;
}

bool args_has(const struct args *args, const char *name)
{
	return args_get(args, name) != NULL;
}
