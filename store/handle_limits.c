/* SPDX-License-Identifier: MIT */
/* handle_limits.c: how many boxes, addresses and domains a handle may have. Those that
 * are deleted do not count. Where something is added to a handle that has a limit they are
 * counted before, and once more at the end of the transaction: another name for an
 * address is a new one before the old one goes. One that has more already, since its limit
 * came later, keeps them.
 */
#include <stdlib.h>
#include <string.h>

#include "row_write.h"

static uint32_t limit_of(const struct store_handle *handle,
			 enum store_table table)
{
	switch (table) {
	case STORE_BOXES:
		return handle->max_boxes;
	case STORE_ADDRESSES:
		return handle->max_addresses;
	case STORE_DOMAINS:
		return handle->max_domains;
	case STORE_HANDLES:
		break;
	}
	return 0;
}

/* The keys of a table that begin like this. */
static enum err count_keys(struct store_txn *txn, enum db_table table,
			   const struct row_key *head, uint64_t *count)
{
	struct row_key at = *head;
	struct db_bytes key, row;
	enum err err = db_next(txn->db, table, row_key_bytes(&at), false, &key,
			       &row);

	while (err == ERR_OK && key.len > head->len &&
	       memcmp(key.at, head->bytes, head->len) == 0) {
		(*count)++;
		memcpy(at.bytes, key.at, key.len);
		at.len = key.len;
		err = db_next(txn->db, table, row_key_bytes(&at), true, &key,
			      &row);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* All keys begin with the name and a NUL. */
static enum err count_boxes(struct store_txn *txn,
			    const struct name_handle *name, uint64_t *count)
{
	struct row_key head = row_key_handle(name);

	head.bytes[head.len++] = 0;
	return count_keys(txn, DB_BOX, &head, count);
}

static enum err count_of_domain(struct store_txn *txn,
				const struct name_domain *name, uint64_t *count)
{
	struct row_key head = row_key_domain(name);

	head.bytes[head.len++] = 0;
	return count_keys(txn, DB_ADDRESS, &head, count);
}

static enum err count_domains(struct store_txn *txn,
			      const struct name_handle *name, bool addresses,
			      uint64_t *count)
{
	struct store_domain domain;
	enum err err = store_handle_domain_next(txn, name, NULL, &domain);

	while (err == ERR_OK) {
		if (addresses)
			err = count_of_domain(txn, &domain.name, count);
		else
			(*count)++;
		if (err == ERR_OK)
			err = store_handle_domain_next(txn, name, &domain.name,
						       &domain);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err store_handle_count(struct store_txn *txn,
			    const struct name_handle *name,
			    enum store_table table, uint64_t *ret_count)
{
	*ret_count = 0;
	return table == STORE_BOXES
		       ? count_boxes(txn, name, ret_count)
		       : count_domains(txn, name, table == STORE_ADDRESSES,
				       ret_count);
}

/* What a handle with limits had before something was added to it. */
struct limit_count {
	struct name_handle handle;
	bool known[STORE_TABLES];
	uint64_t before[STORE_TABLES];
};

struct limits {
	struct limit_count *of; /* malloc'ed */
	size_t count, room;
};

static struct limit_count *find(const struct limits *limits,
				const struct name_handle *name)
{
	for (size_t i = limits->count; i-- > 0;) { /* mostly the last one */
		if (strcmp(limits->of[i].handle.s, name->s) == 0)
			return &limits->of[i];
	}
	return NULL;
}

static struct limit_count *make(struct limits *limits,
				const struct name_handle *name)
{
	struct limit_count *more = find(limits, name);

	if (more)
		return more;
	if (limits->count == limits->room) {
		const size_t room = limits->room ? 2 * limits->room : 8;

		more = reallocarray(limits->of, room, sizeof *more);
		if (!more)
			return NULL;
		limits->of = more;
		limits->room = room;
	}
	more = &limits->of[limits->count++];
	*more = (struct limit_count){.handle = *name};
	return more;
}

static enum err note(struct store_txn *txn, const struct name_handle *name,
		     enum store_table table)
{
	struct limit_count *count;
	enum err err;

	if (!txn->limits)
		txn->limits = calloc(1, sizeof *txn->limits);
	count = txn->limits ? make(txn->limits, name) : NULL;
	if (!count)
		return ERR_SYSTEM;
	if (count->known[table])
		return ERR_OK;
	err = store_handle_count(txn, name, table, &count->before[table]);
	count->known[table] = err == ERR_OK;
	return err;
}

enum err limit_note(struct store_txn *txn, const struct name_handle *name,
		    enum store_table table)
{
	struct store_handle handle;
	enum err err;

	if (strcmp(txn->unlimited.s, name->s) == 0)
		return ERR_OK;
	err = store_handle_get(txn, name, &handle);
	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err; /* refused elsewhere */
	if (limit_of(&handle, table))
		return note(txn, name, table);
	if (!handle.max_boxes && !handle.max_addresses && !handle.max_domains)
		txn->unlimited = *name;
	return ERR_OK;
}

/* Where there are more than before, and more than there may be. */
static enum err settle(struct store_txn *txn, const struct limit_count *count,
		       const struct store_handle *handle,
		       enum store_table table)
{
	static const char *const words[] = {[STORE_HANDLES] = "",
					    [STORE_BOXES] = "boxes",
					    [STORE_ADDRESSES] = "addresses",
					    [STORE_DOMAINS] = "domains"};
	const uint32_t limit = limit_of(handle, table);
	const char *name = handle->name.s, *word = words[table];
	uint64_t now = 0;
	enum err err = store_handle_count(txn, &handle->name, table, &now);

	if (err != ERR_OK || now <= limit || now <= count->before[table])
		return err;
	return store_refuse(txn, ERR_INVALID,
			    "the handle '%s' has %llu %s and may have %u; it "
			    "would have %llu ('popbox handle set %s --max-%s N' "
			    "changes that)",
			    name, (unsigned long long)count->before[table],
			    word, limit, (unsigned long long)now, name, word);
}

enum err limit_settle(struct store_txn *txn)
{
	const struct limits *limits = txn->limits;
	struct store_handle handle;
	enum err err = ERR_OK;

	for (size_t i = 0; limits && err == ERR_OK && i < limits->count; i++) {
		const struct limit_count *count = &limits->of[i];

		err = store_handle_get(txn, &count->handle, &handle);
		for (int t = 0; err == ERR_OK && t < STORE_TABLES; t++) {
			if (count->known[t] &&
			    limit_of(&handle, (enum store_table)t))
				err = settle(txn, count, &handle,
					     (enum store_table)t);
		}
		if (err == ERR_NOTFOUND) /* deleted again */
			err = ERR_OK;
	}
	return err;
}

void limit_forget(struct store_txn *txn)
{
	if (txn->limits)
		free(txn->limits->of);
	free(txn->limits);
	txn->limits = NULL;
}
