/* SPDX-License-Identifier: MIT */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "synonym.h"

enum { PAGE_MAX = 32 };

const struct command *help_find(const char *noun, const char *verb)
{
	for (const struct command *c = commands; c->noun; c++) {
		if (strcmp(c->noun, noun) == 0 &&
		    (!c->verb || (verb && strcmp(c->verb, verb) == 0)))
			return c;
	}
	return NULL;
}

bool help_is_noun(const char *word)
{
	for (const struct command *c = commands; c->noun; c++) {
		if (strcmp(c->noun, word) == 0)
			return true;
	}
	return false;
}

/* The manual page of a noun; what serves the command line itself stands in
 * the tool's own. */
static const char *page(const char *noun, char text[PAGE_MAX])
{
	bool own = strcmp(noun, "help") != 0 && strcmp(noun, "complete") != 0;

	(void)snprintf(text, PAGE_MAX, "popbox%s%s(8)", own ? "-" : "",
		       own ? noun : ""); /* nouns of the table are short */
	return text;
}

void help_usage(const struct command *c)
{
	say_out("usage: popbox %s%s%s%s%s%s", c->noun, c->verb ? " " : "",
		c->verb ? c->verb : "", c->operands[0] ? " " : "", c->operands,
		c->options ? " [options]" : "");
}

static void help_options(const struct args_option *options)
{
	for (; options && options->name; options++) {
		char text[64];

		(void)snprintf(text, sizeof text, "%s%s%s", options->name,
			       options->value ? " " : "",
			       options->value ? options->value : "");
		say_out("  %-22s %s", text, options->help);
	}
}

void help_command(const struct command *c)
{
	char text[PAGE_MAX];

	help_usage(c);
	say_out("  %s", c->summary);
	help_options(c->options);
	say_out("options of every command:");
	help_options(args_global);
	say_out("exit codes: %s; see %s", c->codes, page(c->noun, text));
}

static json_t *json_options(const struct args_option *options)
{
	json_t *array = json_array();

	for (; options && options->name; options++)
		(void)json_array_append_new(
			array, json_pack("{s:s, s:s?, s:s}", "option",
					 options->name, "value", options->value,
					 "help", options->help));
	return array;
}

static void json_command(const struct command *c)
{
	json_print(json_pack("{s:s, s:s?, s:s, s:s, s:s, s:o}", "noun", c->noun,
			     "verb", c->verb, "operands", c->operands,
			     "summary", c->summary, "exit_codes", c->codes,
			     "options", json_options(c->options)));
}

/* The table itself, for other programs. */
static int json_table_of(const char *noun, const char *verb)
{
	for (const struct command *c = commands; c->noun; c++) {
		if ((!noun || strcmp(noun, c->noun) == 0) &&
		    (!verb || !c->verb || strcmp(verb, c->verb) == 0))
			json_command(c);
	}
	return CODE_DONE;
}

void help_list(const char *noun)
{
	char text[PAGE_MAX];

	say_out("usage: popbox [-d STOREDIR] NOUN VERB [operand ...] "
		"[options]");
	for (const struct command *c = commands; c->noun; c++) {
		char words[64];

		if (noun && strcmp(noun, c->noun) != 0)
			continue;
		(void)snprintf(words, sizeof words, "%s%s%s %s", c->noun,
			       c->verb ? " " : "", c->verb ? c->verb : "",
			       c->operands);
		say_out("  %-26s %s", words, c->summary);
	}
	say_out("'popbox NOUN VERB -h' shows the options of a command; see %s",
		noun ? page(noun, text) : "popbox-intro(7)");
}

/* One screen: every noun once, by what one is about to do. A text of NULL: its
 * verbs, or its summary. */
static const struct {
	const char *group, *nouns, *text;
} overview[] = {
	{"accounts", "handle", NULL},
	{"", "domain", NULL},
	{"", "box", NULL},
	{"", "address", NULL},
	{"", "passwd harden", "set a password; wrap weak hashes in argon2id"},
	{"", "verify breach", "try a password; refuse those that were breached"},
	{"many", "import", "accounts from a file or another program's site"},
	{"", "export", "accounts for another program, or for import"},
	{"", "batch poppassd", "commands as JSON; users' own passwords, port 106"},
	{"mail", "status", "show pending changes, refused logins"},
	{"", "check", NULL},
	{"", "explain", "trace a message and a login through all files"},
	{"", "search", NULL},
	{"", "sync", NULL},
	{"", "serialmail", "run: deliver waiting mail to customers who dial "
			   "in"},
	{"journal", "log undo", "show what was changed, by whom; take it back"},
	{"", "purge", NULL},
	{"store", "init config", "make a new store; list, get, set its settings"},
	{"", "cluster follow", "several hosts with one central database"},
	{"", "backup restore", "the store, or one box, to a file and back"},
	{"", "stats", NULL},
	{"", "upgrade tune", "convert an old store; measure password hashes"},
};

/* "add, set, list", or the summary of a noun without verbs. */
static void verbs_of(const char *noun, char *text, size_t room)
{
	size_t at = 0;

	text[0] = 0;
	for (const struct command *c = commands; c->noun; c++) {
		if (strcmp(c->noun, noun) != 0 || at >= room)
			continue;
		at += (size_t)snprintf(text + at, room - at, "%s%s",
				       at ? ", " : "",
				       c->verb ? c->verb : c->summary);
	}
}

void help_overview(void)
{
	say_out("usage: popbox [-d STOREDIR] NOUN VERB [operand ...] "
		"[options]");
	for (size_t i = 0; i < sizeof overview / sizeof *overview; i++) {
		char text[128];

		verbs_of(overview[i].nouns, text, sizeof text);
		say_out("%-8s %-14s %s", overview[i].group, overview[i].nouns,
			overview[i].text ? overview[i].text : text);
	}
	say_out("'popbox help NOUN', 'help all', 'NOUN VERB -h': more; "
		"see popbox-intro(7)");
}

/* What the noun, or the noun's verb, is called here. */
static const char *other_word(const char *noun, const char *verb)
{
	const char *word;

	if (!verb)
		return synonym_noun(noun);
	for (size_t i = 0; (word = synonym_verb(noun, verb, i)) != NULL; i++) {
		if (strncmp(word, "popbox ", 7) == 0 || help_find(noun, word))
			return word;
	}
	return NULL;
}

/* The nearest word of the table to one that is not in it. Of short words
 * nearly all are alike. */
static const char *near_word(const char *noun, const char *verb)
{
	const char *word = verb ? verb : noun, *best = NULL;
	unsigned nearest = 3;

	for (const struct command *c = commands; c->noun; c++) {
		const char *other = verb ? c->verb : c->noun;
		unsigned distance;

		if (!other || (verb && strcmp(noun, c->noun) != 0))
			continue;
		distance = args_distance(word, other);
		if (distance < nearest &&
		    (size_t)distance * 2 <= strlen(other)) {
			nearest = distance;
			best = other;
		}
	}
	return best;
}

int help_no_such(const char *noun, const char *verb)
{
	const char *best = other_word(noun, verb);

	if (!verb && best)
		return say_error(CODE_USAGE,
				 "no command '%s': did you mean 'popbox %s'?",
				 noun, best);
	if (!best)
		best = near_word(noun, verb);
	if (!verb && best)
		return say_error(CODE_USAGE,
				 "no command '%s': did you mean '%s'?", noun,
				 best);
	if (!verb)
		return say_error(CODE_USAGE, "no command '%s' ('popbox help' "
					     "shows those there are)",
				 noun);
	if (best)
		return say_error(CODE_USAGE,
				 "no verb '%s' of %s: did you mean '%s'?", verb,
				 noun, best);
	return say_error(CODE_USAGE,
			 "no verb '%s' of %s ('popbox help %s' shows those "
			 "there are)",
			 verb, noun, noun);
}

int cmd_help(struct site *site, const struct args *args)
{
	const char *noun = args->operand[0], *verb = args->operand[1];
	const struct command *c = noun ? help_find(noun, verb) : NULL;

	if (noun && strcmp(noun, "all") == 0 && !verb && !site->json) {
		help_list(NULL);
		return CODE_DONE;
	}
	if (noun && !help_is_noun(noun))
		return help_no_such(noun, NULL);
	if (site->json && (c || !verb))
		return json_table_of(noun, verb);
	if (c)
		help_command(c);
	else if (verb)
		return help_no_such(noun, verb);
	else if (noun)
		help_list(noun);
	else
		help_overview();
	return CODE_DONE;
}
