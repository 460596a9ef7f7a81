/* cmd_log.c: popbox log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "json.h"
#include "operand.h"
#include "say.h"

const struct args_option cmd_log_options[] = {
	{"--since", "N|TIME", "only entries after number N, or from "
			      "2026-01-31[T12:00:00Z] on"},
	{"--until", "TIME", "only entries before this time"},
	{"--object", "X",
	 "only entries about this handle, domain, box or address"},
	{"--table", "T", "only of handle, domain, box or address"},
	{"--actor", "WHO", "only what this user did"},
	{"--follow", NULL, "go on with new entries as they come"},
	{NULL, NULL, NULL},
};

struct filter {
	uint64_t after;
	int64_t from;
	int64_t until;
	const char *object;
	const char *table;
	const char *actor;
	bool follow;
};

static bool read_time(const char *text, int64_t *ret_seconds)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end && *end == 'T')
		end = strptime(end, "T%H:%M:%SZ", &tm);
	if (!end || *end)
		return false;
	*ret_seconds = (int64_t)timegm(&tm);
	return true;
}

static bool wanted(const struct filter *filter, const struct store_entry *entry,
		   const char *object)
{
	return entry->time >= filter->from && entry->time < filter->until &&
	       (!filter->object || strcasecmp(filter->object, object) == 0) &&
	       (!filter->table ||
		strcmp(filter->table, json_table(entry->table)) == 0) &&
	       (!filter->actor || strcmp(filter->actor, entry->actor) == 0);
}

static void print_entry(const struct site *site,
			const struct store_entry *entry, const char *object)
{
	char text[SAY_TIME_TEXT], command[STORE_COMMAND_MAX + 1];

	if (site->json) {
		json_print(json_entry(entry));
		return;
	}
	say_clean(entry->command, command, sizeof command);
	say_out("%llu %s %s %s %s %s \"%s\"", (unsigned long long)entry->number,
		say_time(entry->time, text), entry->actor, json_op(entry->op),
		json_table(entry->table), object, command);
}

/* In handfuls, see list.h; a table it is not. */
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
			if (store_entry_object(entry, object) == ERR_OK &&
			    wanted(filter, entry, object))
				print_entry(site, entry, object);
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
		if (strcmp(word, json_table((enum store_table)t)) == 0)
			return true;
	}
	return false;
}

int cmd_log(struct site *site, const struct args *args)
{
	const char *since = args_get(args, "--since");
	const char *until = args_get(args, "--until");
	struct filter filter = {.until = INT64_MAX,
				.object = args_get(args, "--object"),
				.table = args_get(args, "--table"),
				.actor = args_get(args, "--actor"),
				.follow = args_has(args, "--follow")};
	int code;

	if (since && !operand_number(since, 0, UINT64_MAX, &filter.after) &&
	    !read_time(since, &filter.from))
		return say_error(CODE_USAGE,
				 "--since '%s' is neither the number of an "
				 "entry nor a time like 2026-01-31 or "
				 "2026-01-31T12:00:00Z",
				 since);
	if (until && !read_time(until, &filter.until))
		return say_error(CODE_USAGE,
				 "--until '%s' is no time like 2026-01-31 or "
				 "2026-01-31T12:00:00Z",
				 until);
	if (filter.table && !is_table(filter.table))
		return say_error(CODE_USAGE,
				 "--table '%s' is none of handle, domain, box "
				 "and address",
				 filter.table);
	code = site_open_read(site);
	if (code != CODE_DONE)
		return code;
	return site_failed(site, print_all(site, &filter), "log");
}
