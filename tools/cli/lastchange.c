/* SPDX-License-Identifier: MIT */
#include "lastchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "base/words.h"

enum { SHOWN = 8 }; /* entries */

struct line {
	enum store_op op;
	enum store_table table;
	char object[STORE_OBJECT_TEXT];
};

struct last {
	const char *actor;
	struct store_entry entry;
	uint64_t first; /* of the change; 0 = there is none */
	int64_t time;
	char command[STORE_COMMAND_MAX + 1];
	struct line line[SHOWN];
	size_t entries; /* of the change, shown or not */
	bool purges;
};

/* It is no change, but what could not be published of one. */
static bool is_owed(const struct store_entry *entry)
{
	char why[STORE_WHY_MAX + 1];

	return entry->op == STORE_OWED || store_entry_why(entry, why);
}

/* A change of somebody else's is passed over as a whole. */
static enum err find(struct store_txn *txn, struct last *last)
{
	uint64_t at = 0;
	enum err err = store_journal_last(txn, &at);

	last->first = 0;
	while (err == ERR_OK && at > 0) {
		const struct store_entry *entry = &last->entry;

		err = store_journal_next(txn, at - 1, &last->entry);
		if (err != ERR_OK)
			break;
		if (!is_owed(entry) &&
		    strcmp(entry->actor, last->actor) == 0) {
			last->first = entry->group;
			break;
		}
		at = is_owed(entry) ? at - 1 : entry->group - 1;
	}
	return err;
}

static enum err last_body(struct store_txn *txn, void *arg)
{
	struct last *last = arg;
	struct store_entry *entry = &last->entry;
	enum err err = find(txn, last);
	uint64_t at = last->first ? last->first - 1 : 0;

	last->entries = 0;
	last->purges = false;
	if (err != ERR_OK || !last->first)
		return err;
	while ((err = store_journal_next(txn, at, entry)) == ERR_OK &&
	       entry->group == last->first) {
		if (last->entries < SHOWN) {
			struct line *line = &last->line[last->entries];

			line->op = entry->op;
			line->table = entry->table;
			err = store_entry_object(entry, line->object);
		}
		if (err != ERR_OK)
			break;
		last->purges |= entry->op == STORE_PURGE;
		if (last->entries++ == 0) {
			last->time = entry->time;
			memcpy(last->command, entry->command,
			       sizeof last->command);
		}
		at = entry->number;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static void show(const struct last *last)
{
	char text[SAY_TIME_TEXT];

	say_note("change %llu by %s at %s: %s",
		 (unsigned long long)last->first, last->actor,
		 say_time(last->time, text), last->command);
	for (size_t i = 0; i < last->entries && i < SHOWN; i++)
		say_note("  %s %s %s", word_op(last->line[i].op),
			 word_table(last->line[i].table), last->line[i].object);
	if (last->purges)
		say_note("what was purged does not come back (a backup may "
			 "have it)");
	if (last->entries > SHOWN)
		say_note("  and %zu more ('popbox log --since %llu' shows all)",
			 last->entries - SHOWN,
			 (unsigned long long)last->first - 1);
}

int lastchange_show(struct site *site, uint64_t *ret_number)
{
	struct last *last = calloc(1, sizeof *last);
	int code;

	if (!last)
		return say_error(CODE_LATER, "no memory");
	last->actor = site->actor.name;
	code = site_failed(site, store_read(site->store, last_body, last),
			   "undo");
	if (code == CODE_DONE && !last->first)
		code = say_error(CODE_REFUSED,
				 "the journal has no change of '%s' ('popbox "
				 "log' shows all; 'popbox undo NUMBER' reverts "
				 "one)",
				 last->actor);
	if (code == CODE_DONE) {
		show(last);
		*ret_number = last->first;
	}
	free(last);
	return code;
}
