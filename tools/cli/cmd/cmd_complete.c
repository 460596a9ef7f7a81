/* SPDX-License-Identifier: MIT */
/* cmd_complete.c: popbox complete: what the last word of a command line may
 * become. The scripts in tools/completion ask it; so it never complains, and
 * whatever it cannot know it does not candidates.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "base/words.h"
#include "cli/candidates.h"
#include "cli/cmdline.h"
#include "cli/filter.h"
#include "cli/help.h"
#include "cli/pager.h"

/* The word so far: before is what stays of it ("--kind="), word what is to be
 * completed. */
struct wish {
	const struct site *site;
	const struct cmdline *line;
	int before;
	const char *whole;
	const char *word;
	unsigned names; /* of the store, that are wanted */
};

static void print(const struct wish *wish, const char *text, const char *help)
{
	if (wish->site->json)
		json_print(json_pack("{s:s#+, s:s}", "word", wish->whole,
				     wish->before, text, "help", help));
	else
		say_out("%.*s%s\t%s", wish->before, wish->whole, text, help);
}

static void print_fitting(const struct wish *wish, const char *text,
			  const char *help)
{
	if (strncmp(text, wish->word, strlen(wish->word)) == 0)
		print(wish, text, help);
}

static void print_options(const struct wish *wish,
			  const struct args_option *options)
{
	for (; options && options->name; options++)
		print_fitting(wish, options->name, options->help);
}

static void print_nouns(const struct wish *wish)
{
	for (const struct command *c = commands; c->noun; c++) {
		/* The rows of a noun stand together. */
		if (c == commands || strcmp(c->noun, c[-1].noun) != 0)
			print_fitting(wish, c->noun, c->verb ? "" : c->summary);
	}
}

static void print_verbs(const struct wish *wish, const char *noun)
{
	for (const struct command *c = commands; c->noun; c++) {
		if (c->verb && strcmp(c->noun, noun) == 0)
			print_fitting(wish, c->verb, c->summary);
	}
}

static void print_kinds(const struct wish *wish)
{
	for (int i = 0; i < STORE_KINDS; i++) {
		if (i != STORE_ALIAS)
			print_fitting(wish, word_kind((enum store_kind)i), "");
	}
}

static void print_tables(const struct wish *wish)
{
	for (int i = 0; i <= STORE_ADDRESSES; i++)
		print_fitting(wish, word_table((enum store_table)i), "");
}

static void print_settings(const struct wish *wish)
{
	const struct config_key *key;

	for (size_t i = 0; (key = config_key(i)) != NULL; i++)
		print_fitting(wish, key->name, key->meaning);
}

static void print_verbs_of(const struct wish *wish)
{
	print_verbs(wish, wish->line->operand);
}

static void print_schemes(const struct wish *wish)
{
	const char *scheme;

	for (size_t i = 0; (scheme = filter_scheme(i)) != NULL; i++)
		print_fitting(wish, scheme, "");
}

static void print_formats(const struct wish *wish)
{
	static const char *const in[] = {
		"csv",	    "cpanel", "google",	   "dovecot",	 "vmailmgr",
		"vpopmail", "shadow", "qmail",	   "postfixadmin", "sql",
		"ldif",	    "hestia", "vuserinfo", "virtualmin", "modoboa",
		NULL};
	static const char *const out[] = {"csv", "json", "dovecot", "vpopmail",
					  NULL};
	const char *const *format =
		strcmp(wish->line->noun, "import") == 0 ? in : out;

	for (; *format; format++)
		print_fitting(wish, *format, "");
}

static const struct pager_column *columns_of_noun(const char *noun)
{
	if (strcmp(noun, "handle") == 0)
		return pager_handles;
	if (strcmp(noun, "domain") == 0)
		return pager_domains;
	if (strcmp(noun, "search") == 0)
		return pager_found;
	return strcmp(noun, "box") == 0 ? pager_boxes : pager_addresses;
}

/* Behind a comma the next one; behind a hyphen, from its end. */
static void print_columns(const struct wish *wish)
{
	const struct pager_column *column = columns_of_noun(wish->line->noun);
	const char *comma = strrchr(wish->word, ',');
	const char *mark = comma		  ? comma
			   : wish->word[0] == '-' ? wish->word
						  : NULL;
	struct wish part = *wish;

	if (mark) {
		part.before += (int)(mark + 1 - wish->word);
		part.word = mark + 1;
	}
	for (; column->name; column++)
		print_fitting(&part, column->name, "");
}

/* For the shell: files fit here. */
static void print_files(const struct wish *wish)
{
	if (!wish->site->json)
		say_out("\tfiles");
}

/* The words of usage lines, and what stands for them. */
static const struct {
	const char *word;
	unsigned names;
	void (*print)(const struct wish *wish);
} meanings[] = {
	{"HANDLE", CANDIDATES_HANDLES, NULL},
	{"H", CANDIDATES_HANDLES, NULL},
	{"DOMAIN", CANDIDATES_DOMAINS, NULL},
	{"D", CANDIDATES_DOMAINS, NULL},
	{"BOX", CANDIDATES_BOXES, NULL},
	{"ADDRESS", CANDIDATES_ADDRESSES, NULL},
	{"TARGET", CANDIDATES_BOXES | CANDIDATES_ADDRESSES, NULL},
	{"LOGIN", CANDIDATES_BOXES | CANDIDATES_ADDRESSES, NULL},
	{"KIND", 0, print_kinds},
	{"T", 0, print_tables},
	{"KEY", 0, print_settings},
	{"NOUN", 0, print_nouns},
	{"VERB", 0, print_verbs_of},
	{"SCHEME", 0, print_schemes},
	{"FORMAT", 0, print_formats},
	{"COLUMN", 0, print_columns},
	{"COLUMNS", 0, print_columns},
	{"FILE", 0, print_files},
	{"F", 0, print_files},
	{"DIR", 0, print_files},
	{"STOREDIR", 0, print_files},
};

/* What a command makes is not there yet; what it brings back neither. */
static unsigned names_of(const struct cmdline *line, unsigned names)
{
	const struct command *c = line->command;
	const char *verb = c && c->verb ? c->verb : "";

	if (line->value || line->operands > 0)
		return names;
	if (strcmp(verb, "undelete") == 0)
		return 0;
	if (strcmp(verb, "add") == 0)
		return names & CANDIDATES_ADDRESSES ? CANDIDATES_NEW_ADDRESSES
						    : 0;
	return names;
}

/* OLD and NEW of a noun that renames. */
static unsigned names_renamed(const struct cmdline *line, const char *part)
{
	bool domain = strcmp(line->noun, "domain") == 0;

	if (strcmp(part, "OLD") == 0)
		return domain ? CANDIDATES_DOMAINS : CANDIDATES_ADDRESSES;
	return strcmp(part, "NEW") == 0 && !domain ? CANDIDATES_NEW_ADDRESSES
						   : 0;
}

/* One word of a usage line: "on", "DOMAIN". */
static void mean(struct wish *wish, const char *part)
{
	if (part[0] >= 'a' && part[0] <= 'z') {
		print_fitting(wish, part, "");
		return;
	}
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		if (strcmp(meanings[i].word, part) != 0)
			continue;
		wish->names |= names_of(wish->line, meanings[i].names);
		if (meanings[i].print)
			meanings[i].print(wish);
		return;
	}
	if (wish->line->noun)
		wish->names |= names_renamed(wish->line, part);
}

/* "ADDRESS|BOX", "on|off|hold", "HOST[:PORT]": the parts between bars; what
 * has brackets inside is nothing that is known. */
static void mean_all(struct wish *wish, const char *text, size_t len)
{
	char part[32];

	for (size_t at = 0; at < len;) {
		size_t end = at;

		while (end < len && text[end] != '|')
			end++;
		if (end - at < sizeof part) {
			memset(part, 0, sizeof part);
			memcpy(part, text + at, end - at);
			mean(wish, part);
		}
		at = end + 1;
	}
}

/* The operand of that number in "ADDRESS TARGET..."; the last may repeat. */
static void mean_operand(struct wish *wish, const char *usage, size_t number)
{
	for (;;) {
		size_t skip = strspn(usage, " ["), len;
		const char *word = usage + skip;

		len = strcspn(word, " ].");
		if (len == 0)
			return;
		if (number == 0 || word[len] == '.') {
			mean_all(wish, word, len);
			return;
		}
		number--;
		usage = word + len + strspn(word + len, "].");
	}
}

/* Without a store, or where the caller may not read it, there are no names;
 * and nothing is said. */
static void print_names(struct site *site, const struct wish *wish)
{
	const char *dir = wish->line->dir ? wish->line->dir : site->dir;
	struct config_fault fault;
	struct candidates *candidates;

	if (!wish->names ||
	    config_read(dir, &site->config, &fault) != ERR_OK ||
	    store_open_login(dir, &site->store) != ERR_OK)
		return;
	candidates = calloc(1, sizeof *candidates);
	if (candidates) {
		candidates->word = wish->word;
		candidates->wanted = wish->names;
		if (store_read(site->store, candidates_body, candidates) !=
		    ERR_OK)
			candidates->count = 0;
		for (size_t i = 0; i < candidates->count; i++)
			print(wish, candidates->name[i], "");
		/* Else a shell takes what these have in common for what all
		 * have. */
		if (candidates->count > 0 && candidates->more)
			print(wish, wish->word, "...");
	}
	free(candidates);
}

/* --kind=re: the value stands in the same word. */
static void mean_equals(struct wish *wish, struct cmdline *line,
			const char *equals)
{
	const struct args_option *option =
		cmdline_option(line, wish->whole, (size_t)(equals - wish->whole));

	if (!option || !option->value)
		return;
	wish->before = (int)(equals + 1 - wish->whole);
	wish->word = equals + 1;
	line->value = option->value;
	mean_all(wish, option->value, strlen(option->value));
}

int cmd_complete(struct site *site, const struct args *args)
{
	struct cmdline line = cmdline_walk(args);
	const char *word = args->operands ? args->operand[args->operands - 1]
					  : "";
	struct wish wish = {site, &line, 0, word, word, 0};
	const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=')
							 : NULL;

	if (line.lost)
		return CODE_DONE;
	if (line.value) {
		mean_all(&wish, line.value, strlen(line.value));
	} else if (equals && !line.only_operands) {
		mean_equals(&wish, &line, equals);
	} else if (word[0] == '-' && !line.only_operands) {
		if (line.command)
			print_options(&wish, line.command->options);
		print_options(&wish, args_global);
	} else if (!line.noun) {
		print_nouns(&wish);
	} else if (!line.command) {
		print_verbs(&wish, line.noun);
	} else {
		mean_operand(&wish, line.command->operands, line.operands);
	}
	print_names(site, &wish);
	return CODE_DONE;
}
