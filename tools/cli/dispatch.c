/* SPDX-License-Identifier: MIT */
#include "dispatch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "commands.h"
#include "help.h"
#include "nearest.h"
#include "publish/change.h"

/* Global options may stand before the noun: how many words are they? */
static int leading_options(int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0)
		i += strcmp(argv[i], "-d") == 0 ? 2 : 1;
	return i < argc ? i : argc;
}

/* Command lines show passwords to everybody; so a second operand where a
 * password might have been meant gets its own answer. */
static int wrong_count(const struct command *c, const struct args *args)
{
	bool sets = false;

	for (const struct args_option *o = c->options; o && o->name; o++)
		sets = sets || strcmp(o->name, "--stdin") == 0;
	if (args->operands > c->most && sets)
		say_error(CODE_USAGE, ARGS_NO_PASSWORD);
	else
		say_error(CODE_USAGE, "%s%s%s: too %s operands", c->noun,
			  c->verb ? " " : "", c->verb ? c->verb : "",
			  args->operands < c->least ? "few" : "many");
	if (say_is_json())
		return CODE_USAGE;
	say_unasked();
	help_usage(c);
	return CODE_USAGE;
}

static void apply_globals(struct site *site, const struct args *global)
{
	const char *dir = args_get(global, "-d");

	if (!dir)
		dir = getenv("POPBOX_STORE");
	site->dir = dir ? dir : SITE_DEFAULT_STORE;
	site->json = args_has(global, "--json");
	site->verbose = args_has(global, "-v");
	site->no_input = args_has(global, "--no-input");
	say_quiet(args_has(global, "-q"));
	say_verbose(site->verbose);
	say_in_json(site->json);
}

/* What is to be added is new, and only its domain has to be there. */
static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at ? at + 1 : "";
}

/* Which name of the store may be meant. */
static void hint_names(struct site *site, const struct command *c,
		       const struct args *args)
{
	const bool adds = c->verb && strcmp(c->verb, "add") == 0;
	const bool aims = c->run == cmd_address_add || c->run == cmd_address_set;

	if (args->operands)
		nearest_name(site, adds ? domain_of(args->operand[0])
					: args->operand[0]);
	for (size_t i = 1; aims && i < args->operands; i++)
		nearest_target(site, args->operand[i]);
}

/* What else there is to say of names that are not in the store. */
static void hint(struct site *site, const struct command *c,
		 const struct args *args, int code)
{
	const char *const below[] = {args_get(args, "--handle"),
				     args_get(args, "--domain")};
	const bool lists = (c->verb && strcmp(c->verb, "list") == 0) ||
			   args_find(c->options, "--match", 7);

	if (code == CODE_NO || code == CODE_REFUSED)
		hint_names(site, c, args);
	for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
		if (lists && code == CODE_DONE)
			nearest_absent(site, below[i]);
	}
}

static int run(struct site *site, const struct command *c,
	       const struct args *args)
{
	int code;

	site->dry_run = args_has(args, "--dry-run");
	site->no_sync = args_has(args, "--no-sync");
	site->fix_locals = args_has(args, "--fix-locals");
	code = c->run(site, args);
	change_say(site);
	if (!site->scoped) /* names are others' */
		hint(site, c, args, code);
	return code;
}

static int run_from_shell(struct site *site, const struct command *c,
			  const struct args *global, const struct args *args)
{
	if (args_has(global, "-h") || args_has(global, "--help")) {
		help_command(c);
		return CODE_DONE;
	}
	if (args->operands < c->least || args->operands > c->most)
		return wrong_count(c, args);
	apply_globals(site, global);
	say_about(args->operand[0]);
	if (!site->dir[0])
		return say_error(CODE_USAGE, "the store's directory is empty");
	return run(site, c, args);
}

/* Help that was not asked for tells what was wrong. */
static int list_commands(const char *noun, bool asked)
{
	if (!asked)
		say_unasked();
	if (noun)
		help_list(noun);
	else
		help_overview();
	return asked ? CODE_DONE : CODE_USAGE;
}

int dispatch(struct site *site, int argc, char **argv)
{
	struct args global = {.options = args_global};
	struct args args = {.options = NULL}, none = {.options = NULL};
	int at = leading_options(argc, argv);
	const struct command *c;

	if (!args_parse(at - 1, argv + 1, NULL, &global, &none))
		return CODE_USAGE;
	if (args_has(&global, "--version")) {
		say_out("popbox " POPBOX_VERSION);
		return CODE_DONE;
	}
	if (at == argc) {
		bool asked = args_has(&global, "-h") ||
			     args_has(&global, "--help");

		return list_commands(NULL, asked);
	}
	if (!help_is_noun(argv[at]))
		return help_no_such(argv[at], NULL);
	c = help_find(argv[at], at + 1 < argc ? argv[at + 1] : NULL);
	if (!c && (at + 1 == argc || argv[at + 1][0] == '-'))
		return list_commands(argv[at],
				     at + 1 < argc &&
					     (strcmp(argv[at + 1], "-h") == 0 ||
					      strcmp(argv[at + 1],
						     "--help") == 0));
	if (!c)
		return help_no_such(argv[at], argv[at + 1]);
	at += c->verb ? 2 : 1;
	if (!args_parse(argc - at, argv + at, c->options, &global, &args))
		return CODE_USAGE;
	return run_from_shell(site, c, &global, &args);
}

/* What no line of a batch may ask for, and why. */
static const struct {
	int (*run)(struct site *site, const struct args *args);
	const char *why;
} never[] = {
	{cmd_init, "it makes a store"},
	{cmd_import, "it reads a file of its own, and may take hours"},
	{cmd_export, "what it writes is no JSON"},
	{cmd_check, "it works in processes of its own"},
	{cmd_serialmail_run, "it waits for hosts that dial in"},
	{cmd_harden, "it computes for long"},
	{cmd_backup, "it opens the store in its own way"},
	{cmd_restore, "it replaces the store"},
	{cmd_upgrade, "it converts the store"},
	{cmd_tune, "it measures this machine"},
	{cmd_complete, "it is for shells"},
	{cmd_help, "it is for people"},
	{cmd_poppassd, "it serves a connection"},
	{cmd_breach_build, "it reads a whole file"},
	{cmd_batch, "it is one already"},
};

static int judge(const struct command *c, const struct args *global,
		 const struct args *args)
{
	for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
		if (c->run == never[i].run)
			return say_error(CODE_USAGE,
					 "'%s' is no command of a batch: %s "
					 "(run 'popbox %s' by itself)",
					 c->noun, never[i].why, c->noun);
	}
	if (c->run == cmd_log && args_has(args, "--follow"))
		return say_error(CODE_USAGE, "a batch does not follow the log: "
					     "the line would never end");
	for (size_t i = 0; args_global[i].name; i++) {
		if (global->given[i])
			return say_error(CODE_USAGE,
					 "option '%s' is none of a line's",
					 args_global[i].name);
	}
	if (args->operands < c->least || args->operands > c->most)
		return wrong_count(c, args);
	return CODE_DONE;
}

/* The words of a command line: options first, so that no operand is one. */
static int arrange(const struct batch_parts *parts, size_t skip, char **argv)
{
	static char dashes[] = "--";
	int argc = 0;

	for (size_t i = 0; i < parts->options; i++)
		argv[argc++] = parts->option[i];
	argv[argc++] = dashes;
	for (size_t i = skip; i < parts->words; i++)
		argv[argc++] = parts->word[i];
	return argc;
}

static void note_command(struct site *site, const struct scope *scope,
			 const struct batch_parts *parts)
{
	static char batch[] = "batch", of[] = "--scope";
	char *argv[3 + BATCH_WORDS_MAX + ARGS_OPTIONS_MAX];
	int argc = 0;

	argv[argc++] = batch;
	if (scope) {
		argv[argc++] = of;
		argv[argc++] = (char *)(uintptr_t)scope_text(scope);
	}
	for (size_t i = 0; i < parts->words; i++)
		argv[argc++] = parts->word[i];
	for (size_t i = 0; i < parts->options; i++)
		argv[argc++] = parts->option[i];
	site_command(site, argc, argv);
}

int dispatch_line(struct site *site, struct scope *scope,
		  const struct batch_parts *parts)
{
	struct args global = {.options = args_global};
	struct args args = {.options = NULL};
	char *argv[BATCH_WORDS_MAX + ARGS_OPTIONS_MAX + 1];
	char *noun = parts->word[0];
	char *verb = parts->words > 1 ? parts->word[1] : NULL;
	const struct command *c = help_find(noun, verb);
	int argc, code;

	say_about(NULL);
	if (!c)
		return help_no_such(noun, help_is_noun(noun) ? verb : NULL);
	argc = arrange(parts, c->verb ? 2 : 1, argv);
	if (!args_parse(argc, argv, c->options, &global, &args))
		return CODE_USAGE;
	say_about(args.operand[0]);
	code = judge(c, &global, &args);
	if (code == CODE_DONE && scope)
		code = scope_judge(scope, site, c, &args);
	if (code != CODE_DONE)
		return code;
	note_command(site, scope, parts);
	return run(site, c, &args);
}
