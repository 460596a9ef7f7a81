#include "pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "item.h"

/* The handle of a domain that is there or parked; "" where it is purged. */
static enum err handle_of(struct store_txn *txn, const struct name_domain *name,
			  struct name_handle *ret_handle)
{
	struct store_domain domain;
	enum err err = item_domain_of(txn, name, &domain);

	if (err == ERR_OK)
		*ret_handle = domain.handle;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err find_handle(struct store_txn *txn,
			    const struct store_entry *entry,
			    struct name_handle *ret_handle)
{
	struct name_address address;
	struct store_domain domain;
	struct name_box box;
	enum err err = ERR_OK;

	switch (entry->table) {
	case STORE_HANDLES:
		break;
	case STORE_BOXES:
		err = store_entry_box(entry, &box);
		if (err == ERR_OK)
			*ret_handle = box.handle;
		break;
	case STORE_DOMAINS:
		err = store_entry_domain(entry, &address.domain);
		if (err == ERR_OK && entry->before_len) {
			err = store_domain_row(entry->key, entry->key_len,
					       entry->before, entry->before_len,
					       &domain);
			if (err == ERR_OK)
				*ret_handle = domain.handle;
		} else if (err == ERR_OK) {
			err = handle_of(txn, &address.domain, ret_handle);
		}
		break;
	case STORE_ADDRESSES:
		err = store_entry_address(entry, &address);
		if (err == ERR_OK)
			err = handle_of(txn, &address.domain, ret_handle);
		break;
	}
	return err;
}

static enum err keep(struct store_txn *txn, const struct store_entry *entry,
		     struct pending_item *ret_item)
{
	struct pending_item *item = ret_item;
	enum err err;

	item->number = entry->number;
	item->since = entry->time;
	item->table = entry->table;
	item->gone = entry->op == STORE_PURGE;
	item->handle.s[0] = 0;
	memcpy(item->actor, entry->actor, sizeof item->actor);
	memcpy(item->command, entry->command, sizeof item->command);
	err = store_entry_object(entry, item->object);
	return err == ERR_OK ? find_handle(txn, entry, &item->handle) : err;
}

/* What no publisher has come to: how much, since when. */
static enum err count_untried(struct store_txn *txn, uint64_t tried,
			      struct store_entry *entry,
			      struct pending *pending)
{
	uint64_t last;
	enum err err = store_journal_last(txn, &last);

	if (err != ERR_OK || last <= tried)
		return err;
	pending->untried = last - tried;
	err = store_journal_next(txn, tried, entry);
	pending->untried_since = err == ERR_OK ? entry->time : 0;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err walk(struct store_txn *txn, struct store_entry *entry,
		     struct pending *pending)
{
	uint64_t at, tried;
	enum err err = store_published(txn, &at);

	if (err == ERR_OK)
		err = store_tried(txn, &tried);
	if (err != ERR_OK)
		return err;
	pending->between = tried - at;
	while (err == ERR_OK && at < tried && !pending->cut) {
		struct pending_item *item = &pending->item[pending->count];

		err = store_journal_next(txn, at, entry);
		if (err != ERR_OK || entry->number > tried)
			break;
		at = entry->number;
		pending->cut = pending->count == PENDING_MAX;
		if (pending->cut || !store_entry_why(entry, item->why))
			continue;
		err = keep(txn, entry, item);
		pending->count += err == ERR_OK;
	}
	if (err == ERR_NOTFOUND)
		err = ERR_OK; /* cut off there */
	return err == ERR_OK ? count_untried(txn, tried, entry, pending) : err;
}

enum err pending_collect(struct store_txn *txn, struct pending *pending)
{
	struct store_entry *entry = malloc(sizeof *entry);
	enum err err = ERR_SYSTEM;

	pending_free(pending);
	pending->item = calloc(PENDING_MAX + 1, sizeof *pending->item);
	if (entry && pending->item)
		err = walk(txn, entry, pending);
	free(entry);
	return err;
}

void pending_free(struct pending *pending)
{
	free(pending->item);
	*pending = (struct pending){0};
}

bool pending_of_handle(const struct pending *pending,
		       const struct name_handle *handle)
{
	for (size_t i = 0; i < pending->count; i++) {
		if (strcmp(pending->item[i].handle.s, handle->s) == 0)
			return true;
	}
	return pending->cut;
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

bool pending_has(const struct pending *pending, enum store_table table,
		 bool gone, const char *object)
{
	return find(pending, table, gone, object) != NULL;
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
