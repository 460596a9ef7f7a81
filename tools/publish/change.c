/* SPDX-License-Identifier: MIT */
#include "change.h"

#include <stdlib.h>

#include "base/interrupt.h"
#include "base/json.h"
#include "base/say.h"
#include "base/words.h"
#include "publish.h"
#include "rehearse.h"

struct trial {
	struct site *site;
	store_body *body;
	void *arg;
};

static enum err show_entries(struct store_txn *txn, uint64_t after)
{
	struct store_entry *entry = malloc(sizeof *entry);
	char object[STORE_OBJECT_TEXT];
	enum err err = entry ? ERR_OK : ERR_SYSTEM;

	while (err == ERR_OK) {
		err = store_journal_next(txn, after, entry);
		if (err == ERR_OK)
			err = store_entry_object(entry, object);
		if (err != ERR_OK)
			break;
		say_out("store: %s %s %s", word_op(entry->op),
			word_table(entry->table), object);
		after = entry->number;
	}
	free(entry);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* The real change in a transaction that is given up afterwards. */
static enum err try_body(struct store_txn *txn, void *arg)
{
	struct trial *trial = arg;
	unsigned long steps;
	uint64_t last;
	enum err err = store_journal_last(txn, &last);

	if (err == ERR_OK)
		err = trial->body(txn, trial->arg);
	if (err == ERR_OK)
		err = show_entries(txn, last);
	if (err == ERR_OK)
		err = rehearse(trial->site, txn, PLAN_FRESH, &steps);
	return err;
}

struct group {
	uint64_t last;
	struct store_entry entry;
};

static enum err group_body(struct store_txn *txn, void *arg)
{
	struct group *group = arg;

	return store_journal_next(txn, group->last - 1, &group->entry);
}

/* Where it cannot be read the last entry names the change as well. */
void change_made(struct site *site, uint64_t last)
{
	struct group *group = last ? malloc(sizeof *group) : NULL;

	site->entry = last;
	site->same = last == 0;
	if (group) {
		group->last = last;
		if (store_read(site->store, group_body, group) == ERR_OK)
			site->entry = group->entry.group;
	}
	free(group);
}

void change_print(struct site *site, json_t *object)
{
	(void)json_object_set_new(object, "entry",
				  site->entry ? json_integer(
							(json_int_t)site->entry)
					      : json_null());
	json_print(object);
	site->told = true;
}

void change_say(const struct site *site)
{
	if (site->told)
		return;
	if (site->same && !site->json)
		say_note("nothing had to be changed: it is so already");
	if (!site->entry)
		return;
	if (site->json)
		json_print(json_pack("{s:I}", "entry",
				     (json_int_t)site->entry));
	else
		say_note("change %llu", (unsigned long long)site->entry);
}

struct held {
	store_body *body;
	void *arg;
	bool holds;
	const char *text; /* what was to be said before */
};

/* What comes behind the body is the commit. */
static enum err held_body(struct store_txn *txn, void *arg)
{
	struct held *held = arg;
	enum err err = held->body(txn, held->arg);

	if (err == ERR_OK && !held->holds) {
		interrupt_hold();
		held->holds = true;
		/* A fault cannot be held. */
		held->text = interrupt_says("'popbox log' shows whether the "
					    "store was changed");
	}
	return err;
}

enum err change_commit(struct site *site, store_body *body, void *arg,
		       uint64_t *ret_last, const char *then)
{
	struct held held = {body, arg, false, NULL};
	enum err err =
		site->copy.central
			? copy_write(&site->copy, &site->actor, held_body,
				     &held, ret_last)
			: store_write(site->store, &site->actor, held_body,
				      &held, true, ret_last);

	if (err == ERR_OK)
		interrupt_says(then);
	else if (held.holds)
		interrupt_says(held.text);
	if (held.holds)
		interrupt_release();
	return err;
}

int change(struct site *site, store_body *body, void *arg, const char *what,
	   bool *ret_changed)
{
	struct trial trial = {site, body, arg};
	uint64_t last;
	enum err err;

	*ret_changed = false;
	if (site->dry_run) {
		err = store_write(site->store, &site->actor, try_body, &trial,
				  false, &last);
		return site_failed(site, err, what);
	}
	err = change_commit(site, body, arg, &last, INTERRUPT_OWED);
	if (err != ERR_OK)
		return site_failed(site, err, what);
	*ret_changed = true;
	change_made(site, last);
	if (!site->no_sync)
		return publish_change(site, last);
	say_note("qmail's files are not written yet: run 'popbox sync'");
	return CODE_DONE;
}

int change_try(struct site *site, store_body *body, void *arg, const char *what)
{
	uint64_t last;

	return site_failed(site,
			   store_write(site->store, &site->actor, body, arg,
				       false, &last),
			   what);
}
