/* SPDX-License-Identifier: MIT */
/* pending.c: what the files do not say yet, a row for each object. Its key has
 * the order of publishing: a handle after the other, of each the handle itself,
 * its boxes, its domains, its addresses.
 */
#include <string.h>

#include "pending.h"

enum {
	STAYS = 1 << 3,
	TRIED = 1 << 4,
	WAS = 1 << 5,
};

static const uint8_t kinds[] = {[STORE_HANDLES] = 0,
				[STORE_BOXES] = 1,
				[STORE_DOMAINS] = 2,
				[STORE_ADDRESSES] = 3};

/* The key of its own table, of a domain that was as it is parked. */
static struct row_key own_key(const struct store_pending *pending)
{
	switch (pending->table) {
	case STORE_BOXES:
		return row_key_box(&pending->box);
	case STORE_ADDRESSES:
		return row_key_address(&pending->address);
	case STORE_DOMAINS:
		return pending->was ? row_key_was(&pending->address.domain,
						  pending->domain.kind)
				    : row_key_domain(&pending->address.domain);
	case STORE_HANDLES:
		break;
	}
	return (struct row_key){.len = 0};
}

struct row_key row_key_pending(const struct store_pending *pending)
{
	struct row_key key = row_key_handle(&pending->handle);
	const struct row_key own = own_key(pending);

	/* The widest is 1 + 15 + 1 bytes and an address. */
	key.bytes[key.len++] = 0;
	key.bytes[key.len++] = kinds[pending->table];
	memcpy(key.bytes + key.len, own.bytes, own.len);
	key.len += own.len;
	return key;
}

/* Which domain that was, as its own row and key. */
static void put_was(struct record *record, const struct store_pending *pending)
{
	struct row row;

	if (domain_encode(&pending->domain, &row) != ERR_OK)
		record->bad = true;
	else
		record_put_bytes(record, row.bytes, row.len);
}

enum err pending_encode(const struct store_pending *pending,
			const struct row_key *key, struct row *ret_row)
{
	struct record record =
		record_new(ret_row->bytes, sizeof ret_row->bytes, ROW_VERSION);

	record_put_u8(&record, (uint8_t)(pending->what |
					 (pending->stays ? STAYS : 0) |
					 (pending->tries ? TRIED : 0) |
					 (pending->was ? WAS : 0)));
	record_put_u64(&record, pending->first);
	record_put_u64(&record, pending->last);
	record_put_u64(&record, (uint64_t)pending->since);
	if (pending->was)
		put_was(&record, pending);
	if (pending->tries) {
		record_put_u64(&record, pending->tried);
		record_put_u64(&record, (uint64_t)pending->tried_at);
		record_put_u32(&record, pending->tries);
		record_put_text(&record, pending->why);
		record_put_text(&record, pending->actor);
		record_put_text(&record, pending->command);
	}
	return record_seal(&record, key->bytes, key->len, &ret_row->len);
}

/* What stands behind handle and kind. */
static enum err read_own(struct db_bytes own, struct store_pending *pending)
{
	const char *at = own.at;
	size_t len = own.len;

	switch (pending->table) {
	case STORE_HANDLES:
		return len == 0 ? ERR_OK : ERR_DAMAGED;
	case STORE_BOXES:
		return row_name_box(own, &pending->box);
	case STORE_ADDRESSES:
		return row_name_address(own, &pending->address);
	case STORE_DOMAINS:
		break;
	}
	/* NUL and the kind, where it is one that was. */
	if (pending->was && (len < 2 || at[len - 2] != 0))
		return ERR_DAMAGED;
	len -= pending->was ? 2 : 0;
	return name_domain_read(at, len, &pending->address.domain)
		       ? ERR_DAMAGED
		       : ERR_OK;
}

static enum err read_key(struct db_bytes key, struct store_pending *pending)
{
	const uint8_t *at = key.at;
	const uint8_t *nul = key.len ? memchr(at, 0, key.len) : NULL;
	const size_t head = nul ? (size_t)(nul - at) + 2 : 0;
	size_t kind = 0;

	if (!nul || head > key.len ||
	    name_handle_read(key.at, head - 2, &pending->handle))
		return ERR_DAMAGED;
	while (kind < sizeof kinds && kinds[kind] != nul[1])
		kind++;
	if (kind == sizeof kinds)
		return ERR_DAMAGED;
	pending->table = (enum store_table)kind;
	return read_own((struct db_bytes){at + head, key.len - head}, pending);
}

static void get_was(struct record *record, struct db_bytes key,
		    struct store_pending *pending)
{
	const uint8_t *at = key.at;
	const uint8_t *nul = memchr(at, 0, key.len);
	const size_t head = nul ? (size_t)(nul - at) + 2 : 0;
	struct row row;

	row.len = record_get_bytes(record, row.bytes, sizeof row.bytes);
	if (!nul || head > key.len ||
	    domain_was((struct db_bytes){at + head, key.len - head},
		       row_bytes(&row), &pending->domain) != ERR_OK)
		record->bad = true;
}

static void get_tried(struct record *record, struct store_pending *pending)
{
	pending->tried = record_get_u64(record);
	pending->tried_at = (int64_t)record_get_u64(record);
	pending->tries = record_get_u32(record);
	record_get_text(record, pending->why, sizeof pending->why);
	record_get_text(record, pending->actor, sizeof pending->actor);
	record_get_text(record, pending->command, sizeof pending->command);
	if (!pending->tries)
		record->bad = true;
}

enum err pending_decode(struct db_bytes key, struct db_bytes row,
			struct store_pending *ret_pending)
{
	struct store_pending *pending = ret_pending;
	struct record record;
	uint8_t flags;
	enum err err = record_open(row.at, row.len, key.at, key.len,
				   ROW_VERSION, &record);

	if (err != ERR_OK)
		return err;
	memset(pending, 0, sizeof *pending);
	flags = record_get_u8(&record);
	pending->what = flags & STORE_PENDING_ANY;
	pending->stays = flags & STAYS;
	pending->was = flags & WAS;
	pending->first = record_get_u64(&record);
	pending->last = record_get_u64(&record);
	pending->since = (int64_t)record_get_u64(&record);
	if (!pending->what || !pending->first ||
	    pending->first > pending->last)
		return ERR_DAMAGED;
	err = read_key(key, pending);
	if (err == ERR_OK &&
	    ((pending->was && pending->table != STORE_DOMAINS) ||
	     (pending->what & STORE_PENDING_VACATION &&
	      pending->table != STORE_BOXES)))
		err = ERR_DAMAGED;
	if (err != ERR_OK)
		return err;
	if (pending->was)
		get_was(&record, key, pending);
	if (flags & TRIED)
		get_tried(&record, pending);
	return record_end(&record);
}

enum err store_pending_get(struct store_txn *txn,
			   const struct store_pending *name,
			   struct store_pending *ret_pending)
{
	struct row_key key = row_key_pending(name);
	struct db_bytes row;
	enum err err = db_get(txn->db, DB_PENDING, row_key_bytes(&key), &row);

	return err == ERR_OK ? pending_decode(row_key_bytes(&key), row,
					      ret_pending)
			     : err;
}

enum err store_pending_next(struct store_txn *txn,
			    const struct store_pending *after,
			    struct store_pending *ret_pending)
{
	struct row_key from = after ? row_key_pending(after)
				    : (struct row_key){.len = 0};
	struct db_bytes key, row;
	enum err err = db_next(txn->db, DB_PENDING, row_key_bytes(&from), true,
			       &key, &row);

	return err == ERR_OK ? pending_decode(key, row, ret_pending) : err;
}

int store_pending_order(const struct store_pending *a,
			const struct store_pending *b)
{
	const struct row_key x = row_key_pending(a), y = row_key_pending(b);
	const int order =
		memcmp(x.bytes, y.bytes, x.len < y.len ? x.len : y.len);

	return order ? order : (x.len > y.len) - (x.len < y.len);
}

enum err store_pending_all(struct store_txn *txn, bool *ret_all)
{
	struct row_key key = row_key_text(all_word);
	struct db_bytes row;
	uint64_t number = 0;
	enum err err = db_get(txn->db, DB_META, row_key_bytes(&key), &row);

	if (err == ERR_OK)
		err = meta_number(txn, all_word, &number);
	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	*ret_all = number != 0;
	return ERR_OK;
}

enum err store_published(struct store_txn *txn, uint64_t *ret_number)
{
	struct store_pending pending;
	uint64_t number;
	bool all;
	enum err err = store_pending_all(txn, &all);

	if (err == ERR_OK)
		err = store_journal_last(txn, &number);
	if (err == ERR_OK)
		err = store_pending_next(txn, NULL, &pending);
	while (err == ERR_OK) {
		if (pending.first <= number)
			number = pending.first - 1;
		err = store_pending_next(txn, &pending, &pending);
	}
	if (err != ERR_NOTFOUND)
		return err;
	*ret_number = all ? 0 : number;
	return ERR_OK;
}
