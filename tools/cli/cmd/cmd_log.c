/* SPDX-License-Identifier: MIT */
/* cmd_log.c: popbox log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/moment.h"
#include "base/say.h"
#include "base/words.h"
#include "cli/commands.h"
#include "cli/operand.h"

const struct args_option cmd_log_options[] = {
	{"-n", "COUNT", "only the last COUNT entries"},
	{"--since", "N|TIME", "only entries after number N, or from a time on: "
			      "2026-01-31[T12:00:00Z], yesterday, 12h"},
	{"--until", "TIME", "only entries before this time"},
	{"--object", "X",
	 "only entries about this handle, domain, box or address"},
	{"--table", "T", "only of handle, domain, box or address"},
	{"--actor", "WHO", "only what this user did"},
	{"--local", NULL, "times in this machine's time zone, not in UTC"},
	{"--follow", NULL, "go on with new entries as they come"},
	{NULL, NULL, NULL},
};

enum { COUNT_MAX = 1000000 };

struct filter {
	uint64_t count; /* of the last entries; 0 = all */
	uint64_t after;
	uint64_t upto; /* the number of the last entry wanted */
	int64_t from;
	int64_t until;
	const char *object;
	const char *table;
	const char *actor;
	bool local;
	bool follow;
	bool retries; /* also what publishing wrote, of changes that failed */
};

/* Written by publishing: not what somebody did, but that it failed. */
static bool is_retry(const struct store_entry *entry)
{
	char why[STORE_WHY_MAX + 1];

	return entry->op == STORE_OWED || store_entry_why(entry, why);
}

static bool wanted(const struct filter *filter, const struct store_entry *entry,
		   const char *object)
{
	return (filter->retries || !is_retry(entry)) &&
	       entry->time >= filter->from && entry->time < filter->until &&
	       (!filter->object || strcasecmp(filter->object, object) == 0) &&
	       (!filter->table ||
		strcmp(filter->table, word_table(entry->table)) == 0) &&
	       (!filter->actor || strcmp(filter->actor, entry->actor) == 0);
}

static void print_entry(const struct site *site, const struct filter *filter,
			const struct store_entry *entry, const char *object)
{
	char text[MOMENT_TEXT], command[STORE_COMMAND_MAX + 1];

	if (site->json) {
		json_print(json_entry(entry));
		return;
	}
	say_clean(entry->command, command, sizeof command);
	say_out("%llu %s %s %s %s %s \"%s\"", (unsigned long long)entry->number,
		moment_text(entry->time, filter->local, text), entry->actor,
		word_op(entry->op), word_table(entry->table), object, command);
}

/* In handfuls, see pager.h; a table it is not. */
enum { HANDFUL = 32 };

struct handful {
	struct store_entry entry[HANDFUL];
	size_t count;
	uint64_t after;
};

static enum err next_body(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;
	uint64_t at = some->after;
	enum err err = ERR_OK;

	some->count = 0;
	while (err == ERR_OK && some->count < HANDFUL) {
		err = store_journal_next(txn, at, &some->entry[some->count]);
		if (err == ERR_OK)
			at = some->entry[some->count++].number;
	}
	return err;
}

/* A search for the place where the last entries begin: back from the end, so
 * that it costs what is printed, not what the journal holds. */
enum { BACK = 1024 };

struct search {
	const struct filter *filter;
	struct store_entry entry;
	uint64_t at;	/* the next entry to look at; 0 = none is left */
	uint64_t found; /* of those wanted */
};

static enum err last_body(struct store_txn *txn, void *arg)
{
	return store_journal_last(txn, arg);
}

static enum err back_body(struct store_txn *txn, void *arg)
{
	struct search *search = arg;
	const struct filter *filter = search->filter;
	uint64_t at = search->at, found = search->found;
	char object[STORE_OBJECT_TEXT];
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < BACK && at > filter->after &&
			   found < filter->count;
	     i++) {
		err = store_journal_next(txn, at - 1, &search->entry);
		if (err == ERR_OK &&
		    store_entry_object(&search->entry, object) == ERR_OK &&
		    wanted(filter, &search->entry, object))
			found++;
		at--;
	}
	if (err == ERR_OK) {
		search->at = at;
		search->found = found;
	}
	return err;
}

/* Sets filter->after so that the last entries alone come. */
static enum err begin_late(struct site *site, struct filter *filter)
{
	struct search *search = calloc(1, sizeof *search);
	enum err err = search ? store_read(site->store, last_body, &filter->upto)
			      : ERR_SYSTEM;

	if (search)
		*search = (struct search){.filter = filter, .at = filter->upto};
	while (err == ERR_OK && search->at > filter->after &&
	       search->found < filter->count)
		err = store_read(site->store, back_body, search);
	if (err == ERR_OK && search->at > filter->after)
		filter->after = search->at;
	if (filter->follow)
		filter->upto = UINT64_MAX;
	free(search);
	return err;
}

/* All that is there; with follow also what comes, half a second later. */
static enum err print_all(struct site *site, const struct filter *filter)
{
	const struct timespec pause = {.tv_nsec = 500000000};
	struct handful *some = calloc(1, sizeof *some);
	char object[STORE_OBJECT_TEXT];
	enum err err = some ? ERR_OK : ERR_SYSTEM;

	if (some)
		some->after = filter->after;
	while (err == ERR_OK) {
		err = store_read(site->store, next_body, some);
		for (size_t i = 0; i < some->count; i++) {
			const struct store_entry *entry = &some->entry[i];

			some->after = entry->number;
			if (entry->number <= filter->upto &&
			    store_entry_object(entry, object) == ERR_OK &&
			    wanted(filter, entry, object))
				print_entry(site, filter, entry, object);
		}
		some->count = 0;
		if (err != ERR_NOTFOUND || !filter->follow)
			continue;
		/* Whoever reads may have gone: then it ends here. */
		if (fflush(stdout) != 0)
			break;
		(void)nanosleep(&pause, NULL); /* cut short: asked sooner */
		err = ERR_OK;
	}
	free(some);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static bool is_table(const char *word)
{
	for (int t = STORE_HANDLES; t <= STORE_ADDRESSES; t++) {
		if (strcmp(word, word_table((enum store_table)t)) == 0)
			return true;
	}
	return false;
}

/* The options that are times, and how many entries. */
static int read_limits(const struct args *args, struct filter *filter)
{
	const char *count = args_get(args, "-n");
	const char *since = args_get(args, "--since");
	const char *until = args_get(args, "--until");
	const int64_t now = time(NULL);

	if (count && !operand_number(count, 1, COUNT_MAX, &filter->count))
		return say_error(CODE_USAGE, "-n '%s' is not a number from 1 "
					     "to %d",
				 count, COUNT_MAX);
	if (since && !operand_number(since, 0, UINT64_MAX, &filter->after) &&
	    !moment_read(since, now, filter->local, &filter->from))
		return say_error(CODE_USAGE,
				 "--since '%s' is neither the number of an "
				 "entry nor a time like " MOMENT_EXAMPLES,
				 since);
	if (until && !moment_read(until, now, filter->local, &filter->until))
		return say_error(CODE_USAGE,
				 "--until '%s' is not a time like "
				 MOMENT_EXAMPLES,
				 until);
	return CODE_DONE;
}

int cmd_log(struct site *site, const struct args *args)
{
	struct filter filter = {.upto = UINT64_MAX,
				.until = INT64_MAX,
				.object = args_get(args, "--object"),
				.table = args_get(args, "--table"),
				.actor = args_get(args, "--actor"),
				.local = args_has(args, "--local"),
				.follow = args_has(args, "--follow"),
				.retries = site->json};
	int code = read_limits(args, &filter);
	enum err err = ERR_OK;

	if (code != CODE_DONE)
		return code;
	if (filter.table && !is_table(filter.table))
		return say_error(CODE_USAGE,
				 "--table '%s' is none of handle, domain, box "
				 "and address",
				 filter.table);
	code = site_open_read(site);
	if (code != CODE_DONE)
		return code;
	if (filter.count)
		err = begin_late(site, &filter);
	if (err == ERR_OK)
		err = print_all(site, &filter);
	return site_failed(site, err, "log");
}
