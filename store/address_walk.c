/* SPDX-License-Identifier: MIT */
/* address_walk.c: the addresses that have forwards, or an end, without a look into
 * the rows of the others, which are nearly all.
 */
#include "row.h"

enum {
	ROW_FRONT = 1 + 1,    /* version, has it a box */
	ROW_BOX = 2 + 4,      /* beside the handle's bytes */
	ROW_REST = 2 + RECORD_SUM /* length of the forwards, checksum */
};

/* By its length alone. A row that is damaged counts as one that has some, and is
 * looked at. */
static bool has_forwards(struct db_bytes row)
{
	const uint8_t *at = row.at;
	size_t box = 0;

	if (row.len >= ROW_FRONT + ROW_BOX + ROW_REST && at[1])
		box = ROW_BOX + (size_t)(at[2] | at[3] << 8);
	return row.len != ROW_FRONT + box + ROW_REST;
}

/* Its version says so; that of a damaged row is none. */
static bool has_more(struct db_bytes row)
{
	const uint8_t *at = row.at;

	return row.len == 0 || at[0] != ROW_VERSION;
}

/* Calls found for each address whose row may be what is looked for, and is. */
static enum err each(struct store_txn *txn, bool (*may)(struct db_bytes row),
		     bool (*is)(const struct store_address *address,
				int64_t upto),
		     int64_t upto, store_forwarder *found, void *arg)
{
	struct db_walk walk = {.txn = txn->db, .table = DB_ADDRESS};
	struct store_address address;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = db_walk_next(&walk);
		if (err == ERR_NOTFOUND)
			return ERR_OK;
		if (err != ERR_OK || !may(walk.value))
			continue;
		err = address_decode(walk.key, walk.value, &address);
		if (err == ERR_OK && is(&address, upto))
			err = found(arg, &address);
		if (err == ERR_NOTFOUND)
			err = ERR_DAMAGED; /* not the end */
	}
	return err;
}

static bool forwards(const struct store_address *address, int64_t upto)
{
	(void)upto;
	return address->forwards_len != 0;
}

static bool expires(const struct store_address *address, int64_t upto)
{
	return address->delivery == STORE_DELIVER && address->expires &&
	       address->expires <= upto;
}

enum err store_forwarders(struct store_txn *txn, store_forwarder *found,
			  void *arg)
{
	return each(txn, has_forwards, forwards, 0, found, arg);
}

const char until_word[] = "until";

enum err store_first_end(struct store_txn *txn, int64_t *ret_time)
{
	struct row_key key = row_key_text(until_word);
	struct db_bytes row;
	uint64_t time = INT64_MAX;
	enum err err = db_get(txn->db, DB_META, row_key_bytes(&key), &row);

	if (err == ERR_OK)
		err = meta_number(txn, until_word, &time);
	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	*ret_time = time > INT64_MAX ? 0 : (int64_t)time;
	return ERR_OK;
}

enum err store_expiring(struct store_txn *txn, int64_t upto,
			store_forwarder *found, void *arg)
{
	int64_t first;
	enum err err = store_first_end(txn, &first);

	return err == ERR_OK && first <= upto
		       ? each(txn, has_more, expires, upto, found, arg)
		       : err;
}
