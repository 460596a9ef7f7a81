/* SPDX-License-Identifier: MIT */
/* popbox: the administrator's tool, see popbox(8). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/inherited.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/nearest.h"
#include "publish/change.h"

/* Global options may stand before the noun: how many words are they? */
static int leading_options(int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0)
		i += strcmp(argv[i], "-d") == 0 ? 2 : 1;
	return i < argc ? i : argc;
}

/* Before the command line is understood, which may be what fails. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			return true;
	}
	return false;
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

static int run(struct site *site, const struct command *c, struct args *global,
	       struct args *args)
{
	int code;

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
	site->dry_run = args_has(args, "--dry-run");
	site->no_sync = args_has(args, "--no-sync");
	site->fix_locals = args_has(args, "--fix-locals");
	code = c->run(site, args);
	change_say(site);
	hint(site, c, args, code);
	return code;
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

static int dispatch(struct site *site, int argc, char **argv)
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
	return run(site, c, &global, &args);
}

int main(int argc, char **argv)
{
	struct site site = {0};
	int code;

	if (!inherited_settle())
		return CODE_LATER; /* nobody could be told */
	if (!inherited_seal())
		return say_error(CODE_LATER, "cannot close popbox to other "
					     "processes: %s; nothing was done",
				 strerror(errno));
	interrupt_faults();
	json_start();
	say_in_json(wants_json(argc, argv));
	site_actor(&site, argc - 1, argv + 1);
	code = dispatch(&site, argc, argv);
	site_close(&site);
	return say_finish(code);
}
