/* SPDX-License-Identifier: MIT */
/* Command lines: what was read, written as --name=value and operands behind
 * --, reads the same again. */
#include "fuzz.h"

#include "base/say.h"
#include "cli/args.h"

/* Instead of the tool's: nothing is printed. */
int say_error_as(int code, const char *word, const char *format, ...)
{
	(void)word;
	(void)format;
	return code;
}

static const struct args_option options[] = {
	{"--handle", "HANDLE", ""}, {"--yes", NULL, ""},
	{"--generate", "[LEN]", ""}, {"--name", "TEXT", ""},
	{NULL, NULL, NULL},
};

enum { WORDS = 100 };

static int words(char *text, size_t len, char **argv)
{
	int count = 0;

	for (size_t at = 0; at < len && count < WORDS;
	     at += strlen(text + at) + 1)
		argv[count++] = text + at;
	return count;
}

static void same(const struct args *a, const struct args *b,
		 const struct args_option *of)
{
	for (size_t i = 0; of[i].name; i++) {
		HOLDS(!a->given[i] == !b->given[i]);
		HOLDS(!a->given[i] || strcmp(a->given[i], b->given[i]) == 0);
	}
	HOLDS(a->operands == b->operands);
	for (size_t i = 0; i < a->operands; i++)
		HOLDS(strcmp(a->operand[i], b->operand[i]) == 0);
}

static void again(const struct args *args, const struct args *global)
{
	static char text[16][5000];
	char *argv[WORDS + 20];
	struct args two = {0}, all = {0};
	int argc = 0;

	for (size_t i = 0; options[i].name; i++) {
		if (!args->given[i])
			continue;
		/* "[LEN]" that was left out is written without '='. */
		(void)snprintf(text[i], sizeof text[i], "%s%s%s",
			       options[i].name,
			       options[i].value && args->given[i][0] ? "=" : "",
			       args->given[i]);
		if (options[i].value && options[i].value[0] != '[' &&
		    !args->given[i][0])
			(void)snprintf(text[i], sizeof text[i], "%s=",
				       options[i].name);
		argv[argc++] = text[i];
	}
	for (size_t i = 0; args_global[i].name; i++) {
		if (!global->given[i])
			continue;
		argv[argc++] = (char *)(uintptr_t)args_global[i].name;
		if (args_global[i].value)
			argv[argc++] = (char *)(uintptr_t)global->given[i];
	}
	argv[argc++] = (char *)(uintptr_t)"--";
	for (size_t i = 0; i < args->operands; i++)
		argv[argc++] = (char *)(uintptr_t)args->operand[i];
	HOLDS(args_parse(argc, argv, options, &all, &two));
	same(args, &two, options);
	same(global, &all, args_global);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *argv[WORDS];
	struct args args = {0}, global = {0};
	int argc = words(text, size, argv);

	if (args_parse(argc, argv, options, &global, &args)) {
		HOLDS(args.operands <= ARGS_OPERANDS_MAX);
		again(&args, &global);
	}
	if (argc > 1)
		HOLDS(args_distance(argv[0], argv[0]) == 0 ||
		      strlen(argv[0]) >= 64);
	free(text);
	return 0;
}
