/* SPDX-License-Identifier: MIT */
#include "turned.h"

#include <stdlib.h>
#include <string.h>

/* Changes of one object that are looked at, and entries of one second. */
enum { CHANGES_MAX = 1000, SECOND_MAX = 20000 };

void turned_address(const struct store_address *address,
		    struct store_state *ret_state)
{
	*ret_state = (struct store_state){.login = true,
					  .delivery = address->delivery,
					  .changed = address->off_since};
	memcpy(ret_state->reason, address->reason, sizeof address->reason);
}

enum err turned_state(const struct store_entry *entry, const uint8_t *row,
		      size_t len, struct store_state *ret_state)
{
	struct store_handle handle;
	struct store_domain domain;
	struct store_address address;
	struct store_box box;
	enum err err = ERR_INVALID;

	switch (entry->table) {
	case STORE_HANDLES:
		err = store_handle_row(entry->key, entry->key_len, row, len,
				       &handle);
		*ret_state = handle.state;
		break;
	case STORE_DOMAINS:
		err = store_domain_row(entry->key, entry->key_len, row, len,
				       &domain);
		*ret_state = domain.state;
		break;
	case STORE_BOXES:
		err = store_box_row(entry->key, entry->key_len, row, len, &box);
		*ret_state = box.state;
		break;
	case STORE_ADDRESSES:
		err = store_address_row(entry->key, entry->key_len, row, len,
					&address);
		if (err == ERR_OK)
			turned_address(&address, ret_state);
		break;
	}
	return err;
}

/* The catch-all's name is no address that mail could have. */
static enum err address_now(struct store_txn *txn, const char *name,
			    struct store_address *ret_address)
{
	const char *at = strrchr(name, '@');
	struct name_address key;

	if (!at || name_local_or_catchall(name, (size_t)(at - name), &key.local) ||
	    name_domain_read(at + 1, strlen(at + 1), &key.domain))
		return ERR_NOTFOUND;
	return store_address_get(txn, &key, ret_address);
}

static enum err state_now(struct store_txn *txn, enum store_table table,
			  const char *name, struct store_state *ret_state)
{
	struct store_handle handle;
	struct store_domain domain;
	struct store_address address;
	struct store_box box;
	enum err err = ERR_NOTFOUND;

	if (table == STORE_ADDRESSES)
		err = address_now(txn, name, &address);
	if (table == STORE_ADDRESSES && err == ERR_OK)
		turned_address(&address, ret_state);
	if (table == STORE_HANDLES &&
	    !name_handle_read(name, strlen(name), &handle.name)) {
		err = store_handle_get(txn, &handle.name, &handle);
		*ret_state = handle.state;
	}
	if (table == STORE_DOMAINS &&
	    !name_domain_read(name, strlen(name), &domain.name)) {
		err = store_domain_get(txn, &domain.name, &domain);
		*ret_state = domain.state;
	}
	if (table == STORE_BOXES &&
	    !name_box_read(name, strlen(name), &box.name)) {
		err = store_box_get(txn, &box.name, &box);
		*ret_state = box.state;
	}
	return err;
}

/* The entry at a number or the first behind it that is no repetition: those
 * have the time of what they repeat. */
static enum err ordinary(struct store_txn *txn, uint64_t number,
			 struct store_entry *entry)
{
	char why[STORE_WHY_MAX + 1];
	enum err err = store_journal_next(txn, number - 1, entry);

	while (err == ERR_OK && store_entry_why(entry, why))
		err = store_journal_next(txn, entry->number, entry);
	return err;
}

/* The first entry that is not before this time, by halves; 0: none. */
static enum err find_time(struct store_txn *txn, int64_t time,
			  struct store_entry *entry, uint64_t *ret_number)
{
	uint64_t low = 1, high;
	enum err err = store_journal_last(txn, &high);

	high++;
	while (err == ERR_OK && low < high) {
		const uint64_t middle = low + (high - low) / 2;

		err = ordinary(txn, middle, entry);
		if (err == ERR_OK && entry->time < time)
			low = entry->number + 1;
		else
			high = middle; /* or only repetitions are behind it */
		if (err == ERR_NOTFOUND)
			err = ERR_OK;
	}
	*ret_number = low;
	return err;
}

struct search {
	struct store_txn *txn;
	enum store_table table;
	const char *name;
	bool of_login;
	struct store_entry entry;
	bool found;	     /* entry turned it */
	int64_t before;	     /* of the object's first change of that second: when
			      * it had changed before; 0: never */
};

static bool is_about(const struct search *search)
{
	char name[STORE_OBJECT_TEXT];
	const struct store_entry *entry = &search->entry;

	return entry->table == search->table &&
	       (entry->op == STORE_ADD || entry->op == STORE_SET) &&
	       store_entry_object(entry, name) == ERR_OK &&
	       strcmp(name, search->name) == 0;
}

static bool turns(struct search *search, int64_t *ret_before)
{
	const struct store_entry *e = &search->entry;
	struct store_state was = {.login = true}, is;

	*ret_before = 0;
	if (turned_state(e, e->after, e->after_len, &is) != ERR_OK)
		return false;
	if (e->before_len &&
	    turned_state(e, e->before, e->before_len, &was) == ERR_OK)
		*ret_before = was.changed;
	return search->of_login ? was.login != is.login
				: was.delivery != is.delivery;
}

/* All entries of one second; the last that turned it counts. */
static enum err search_second(struct search *search, int64_t time)
{
	uint64_t at, found = 0;
	bool first = true;
	enum err err = find_time(search->txn, time, &search->entry, &at);

	search->before = 0;
	for (size_t i = 0; err == ERR_OK && i < SECOND_MAX; i++, at++) {
		int64_t before;

		err = store_journal_next(search->txn, at - 1, &search->entry);
		if (err != ERR_OK || search->entry.time > time)
			break;
		at = search->entry.number;
		if (search->entry.time < time || !is_about(search))
			continue;
		if (turns(search, &before))
			found = at;
		if (first)
			search->before = before;
		first = false;
	}
	if (err == ERR_NOTFOUND)
		err = ERR_OK;
	search->found = found != 0;
	return err == ERR_OK && found
		       ? store_journal_next(search->txn, found - 1,
					    &search->entry)
		       : err;
}

enum err turned_find(struct store_txn *txn, enum store_table table,
		     const char *name, bool of_login,
		     struct turned *ret_turned)
{
	struct search *search = calloc(1, sizeof *search);
	struct store_state now;
	enum err err = search ? state_now(txn, table, name, &now) : ERR_SYSTEM;

	if (err == ERR_OK) {
		*search = (struct search){.txn = txn, .table = table,
					  .name = name, .of_login = of_login,
					  .before = now.changed};
		*ret_turned = (struct turned){.time = now.changed};
		memcpy(ret_turned->reason, now.reason, sizeof now.reason);
	}
	for (size_t i = 0; err == ERR_OK && i < CHANGES_MAX && search->before &&
			   !search->found;
	     i++)
		err = search_second(search, search->before);
	if (err == ERR_OK && search->found) {
		ret_turned->time = search->entry.time;
		memcpy(ret_turned->actor, search->entry.actor,
		       sizeof ret_turned->actor);
		memcpy(ret_turned->command, search->entry.command,
		       sizeof ret_turned->command);
	}
	free(search);
	return err;
}
