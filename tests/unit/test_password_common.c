/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "cli/args.h"
#include "cli/password_common.h"

static void common(void **state)
{
	static const char *const weak[] = {
		"password", "Password123", "PASSWORD!!!", "1234567890",
		"0987654321", "qwertyuiop", "aaaaaaaaaaaa", "abcabcabcabc",
		"iloveyou2026", "welcome1234", "correcthorsebatterystaple",
		"summer2026!", "1q2w3e4r5t"};
	static const char *const fine[] = {
		"correct horse 42 staple", "xK9vTq2mWp", "blue tram to nowhere",
		"passwords are hard", ""};

	(void)state;
	for (size_t i = 0; i < COUNT(weak); i++)
		assert_true(password_common(weak[i], strlen(weak[i])));
	for (size_t i = 0; i < COUNT(fine); i++)
		assert_false(password_common(fine[i], strlen(fine[i])));
}

static void distance(void **state)
{
	(void)state;
	assert_int_equal(args_distance("", ""), 0);
	assert_int_equal(args_distance("domain", "domain"), 0);
	assert_int_equal(args_distance("domian", "domain"), 1);
	assert_int_equal(args_distance("doman", "domain"), 1);
	assert_int_equal(args_distance("box", "log"), 2);
}

static const struct args_option options[] = {
	{"--name", "TEXT", ""},
	{"--force", NULL, ""},
	{"--generate", "[LEN]", ""},
	{NULL, NULL, NULL},
};

static bool parse(struct args *args, int argc, const char **words)
{
	struct args global = {0};

	*args = (struct args){0};
	return args_parse(argc, (char **)(uintptr_t)words, options, &global,
			  args);
}

static void lines(void **state)
{
	struct args args;

	(void)state;
	assert_true(parse(&args, 4,
			  (const char *[]){"x", "--name", "n", "--force"}));
	assert_int_equal(args.operands, 1);
	assert_string_equal(args_get(&args, "--name"), "n");
	assert_true(args_has(&args, "--force"));
	assert_false(args_has(&args, "--generate"));
	assert_true(parse(&args, 2, (const char *[]){"--name=a=b", "x"}));
	assert_string_equal(args_get(&args, "--name"), "a=b");
	assert_true(parse(&args, 3, (const char *[]){"--generate", "24", "x"}));
	assert_string_equal(args_get(&args, "--generate"), "24");
	assert_true(parse(&args, 2, (const char *[]){"--generate", "x"}));
	assert_string_equal(args_get(&args, "--generate"), "");
	assert_int_equal(args.operands, 1);
	assert_true(parse(&args, 2, (const char *[]){"--", "--force"}));
	assert_false(args_has(&args, "--force"));
	assert_false(parse(&args, 1, (const char *[]){"--name"}));
	assert_false(parse(&args, 1, (const char *[]){"--nam"}));
	assert_false(parse(&args, 1, (const char *[]){"--force=1"}));
	assert_false(
		parse(&args, 2, (const char *[]){"--force", "--force"}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("common passwords are known in all their dress", common),
		SAYS("the distance of words counts their edits", distance),
		SAYS("options and operands come in any order", lines),
	};

	return RUN(tests);
}
