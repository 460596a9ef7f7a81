/* SPDX-License-Identifier: MIT */
#include "pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/say.h"

static void object_of(const struct store_pending *row,
		      char ret_text[STORE_OBJECT_TEXT])
{
	switch (row->table) {
	case STORE_HANDLES:
		memcpy(ret_text, row->handle.s, strlen(row->handle.s) + 1);
		break;
	case STORE_BOXES:
		name_box_text(&row->box, ret_text);
		break;
	case STORE_DOMAINS:
		memcpy(ret_text, row->address.domain.s,
		       strlen(row->address.domain.s) + 1);
		break;
	case STORE_ADDRESSES:
		name_address_text(&row->address, ret_text);
		break;
	}
}

/* Whose change it was: the row says it, or the entry. */
static enum err who(struct store_txn *txn, const struct store_pending *row,
		    struct store_entry *entry, struct pending_item *item)
{
	enum err err;

	memcpy(item->actor, row->actor, sizeof item->actor);
	memcpy(item->command, row->command, sizeof item->command);
	if (row->command[0])
		return ERR_OK;
	err = store_journal_next(txn, row->first - 1, entry);
	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
	memcpy(item->actor, entry->actor, sizeof item->actor);
	memcpy(item->command, entry->command, sizeof item->command);
	return ERR_OK;
}

static enum err keep(struct store_txn *txn, const struct store_pending *row,
		     struct store_entry *entry, struct pending *pending)
{
	struct pending_item *item = &pending->item[pending->count];

	pending->cut = pending->count == PENDING_MAX;
	if (pending->cut)
		return ERR_OK;
	item->number = row->first;
	item->since = row->since;
	item->table = row->table;
	item->gone = row->was;
	item->handle = row->handle;
	memcpy(item->why, row->why, sizeof item->why);
	object_of(row, item->object);
	pending->count++;
	return who(txn, row, entry, item);
}

static void untried(const struct store_pending *row, struct pending *pending)
{
	pending->untried++;
	if (!pending->untried_since || row->since < pending->untried_since)
		pending->untried_since = row->since;
}

/* Everything is. */
static enum err untried_all(struct store_txn *txn, struct store_entry *entry,
			    struct pending *pending)
{
	enum err err = store_journal_last(txn, &pending->untried);

	if (err == ERR_OK)
		err = store_journal_next(txn, 0, entry);
	if (err == ERR_OK)
		pending->untried_since = entry->time;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static int by_number(const void *a, const void *b)
{
	const struct pending_item *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static enum err walk(struct store_txn *txn, struct store_pending *row,
		     struct store_entry *entry, struct pending *pending)
{
	bool all = false;
	enum err err = store_pending_next(txn, NULL, row);

	while (err == ERR_OK) {
		if (store_pending_fresh(row))
			untried(row, pending);
		if (row->tries && !pending->cut)
			err = keep(txn, row, entry, pending);
		if (err == ERR_OK)
			err = store_pending_next(txn, row, row);
	}
	if (err == ERR_NOTFOUND)
		err = store_pending_all(txn, &all);
	if (err == ERR_OK && all)
		err = untried_all(txn, entry, pending);
	return err;
}

enum err pending_collect(struct store_txn *txn, struct pending *pending)
{
	struct store_entry *entry = malloc(sizeof *entry);
	struct store_pending *row = malloc(sizeof *row);
	enum err err = ERR_SYSTEM;

	pending_free(pending);
	pending->item = calloc(PENDING_MAX + 1, sizeof *pending->item);
	if (entry && row && pending->item)
		err = walk(txn, row, entry, pending);
	if (err == ERR_OK && pending->count)
		qsort(pending->item, pending->count, sizeof *pending->item,
		      by_number);
	free(row);
	free(entry);
	return err;
}

void pending_free(struct pending *pending)
{
	free(pending->item);
	*pending = (struct pending){0};
}

static struct pending_item *find(const struct pending *pending,
				 enum store_table table, bool gone,
				 const char *object)
{
	for (size_t i = 0; i < pending->count; i++) {
		struct pending_item *item = &pending->item[i];

		if (item->table == table && item->gone == gone &&
		    strcmp(item->object, object) == 0)
			return item;
	}
	return NULL;
}

void pending_forget(struct pending *pending, enum store_table table, bool gone,
		    const char *object)
{
	struct pending_item *item = find(pending, table, gone, object);

	if (!item)
		return;
	pending->count--;
	memmove(item, item + 1,
		(size_t)(pending->item + pending->count - item) * sizeof *item);
}

int64_t pending_since(const struct pending *pending)
{
	int64_t since = 0;

	for (size_t i = 0; i < pending->count; i++) {
		if (since == 0 || pending->item[i].since < since)
			since = pending->item[i].since;
	}
	return since;
}

void pending_note(const struct pending *pending)
{
	const bool one = pending->count == 1 && !pending->cut;
	const char *handle = pending->count ? pending->item[0].handle.s : "";
	char text[SAY_TIME_TEXT];

	for (size_t i = 1; i < pending->count; i++) {
		if (strcmp(pending->item[i].handle.s, handle) != 0)
			handle = "";
	}
	if (pending->count)
		say_note("%s%zu change%s%s%s %s pending since %s: 'popbox "
			 "status' says why",
			 pending->cut ? "more than " : "", pending->count,
			 one ? "" : "s", handle[0] ? " of " : "", handle,
			 one ? "is" : "are",
			 say_time(pending_since(pending), text));
}
