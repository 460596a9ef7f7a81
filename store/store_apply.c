/* SPDX-License-Identifier: MIT */
/* store_apply.c: rows of a central database into a copy. */
#include <string.h>
#include <time.h>

#include "draft_private.h"
#include "pending.h"
#include "secret.h"

struct applying {
	struct store *store;
	const struct store_head *from; /* NULL: all anew */
	const struct store_head *to;
	const uint8_t *id; /* of a rebuild, as the next */
	uint64_t was;
	const struct store_writeset *set;
	/* of one run of the body */
	struct store_txn *txn;
	uint64_t entries;
	bool has_head;
	int pass;
};

static struct db_bytes raw_key(const struct store_raw *raw)
{
	return (struct db_bytes){raw->key, raw->key_len};
}

static uint64_t start(const struct applying *a)
{
	return a->from ? a->from->number : 0;
}

/* Entries are new, and each is there once: so many as the numbers say. */
static enum err judge_entry(struct applying *a, const struct store_raw *raw)
{
	uint64_t number;

	if (raw->key_len != 8 || !raw->row)
		return ERR_DAMAGED;
	number = row_number(raw->key);
	if (number <= start(a) || number > a->to->number)
		return ERR_DAMAGED;
	a->entries++;
	return ERR_OK;
}

static enum err judge_head(struct applying *a, const struct store_raw *raw)
{
	struct store_head head;
	enum err err =
		draft_read_head((struct db_bytes){raw->row, raw->row_len}, &head);

	if (err == ERR_OK && !store_head_same(&head, a->to))
		err = ERR_DAMAGED;
	a->has_head = err == ERR_OK;
	return err;
}

static enum err judge_domain(struct db_bytes key, struct db_bytes row)
{
	struct store_domain domain;
	struct name_domain to;
	const enum err err = domain_decode(key, row, &domain);

	return err == ERR_NOTFOUND ? domain_decode_pointer(key, row, &to) : err;
}

/* Is it a row of its table? The checksum knows the key, not the table. */
static enum err judge_row(const struct store_raw *raw)
{
	static struct store_entry entry;     /* 19 KiB */
	static struct store_address address; /* 9 KiB */
	static struct parked parked;	     /* as well; may have a hash */
	const struct db_bytes key = raw_key(raw);
	const struct db_bytes row = {raw->row, raw->row_len};
	struct store_handle handle;
	struct store_box box;
	enum err err = ERR_OK;

	if (raw->table == DB_HANDLE)
		err = handle_decode(key, row, &handle);
	else if (raw->table == DB_DOMAIN)
		err = judge_domain(key, row);
	else if (raw->table == DB_BOX)
		err = store_box_row(raw->key, raw->key_len, raw->row,
				    raw->row_len, &box);
	else if (raw->table == DB_ADDRESS)
		err = address_decode(key, row, &address);
	else if (raw->table == DB_BYBOX)
		err = bybox_decode(key, row);
	else if (raw->table == DB_JOURNAL)
		err = entry_decode(key, row, &entry);
	else if (raw->table == DB_PARKED)
		err = parked_decode(key, row, &parked);
	if (raw->table == DB_PARKED)
		secret_wipe(&parked, sizeof parked);
	return err == ERR_OK || err == ERR_SCHEMA ? err : ERR_DAMAGED;
}

/* Nothing is put before all of them were looked at. */
static enum err judge(void *arg, const struct store_raw *raw)
{
	struct applying *a = arg;
	const struct row_key central = draft_central_key();
	struct record record;
	enum err err;

	if (raw->table >= DB_TABLES || raw->key_len == 0 ||
	    raw->key_len > STORE_KEY_MAX || raw->row_len > ROW_ENTRY_MAX ||
	    !draft_is_shared((enum db_table)raw->table, raw_key(raw)))
		return ERR_DAMAGED;
	if (pending_concerns((enum db_table)raw->table) &&
	    raw->row_len > STORE_ROW_MAX)
		return ERR_DAMAGED;
	if (raw->table == DB_JOURNAL) {
		err = judge_entry(a, raw);
		if (err != ERR_OK)
			return err;
	}
	if (!raw->row)
		return ERR_OK;
	err = record_open(raw->row, raw->row_len, raw->key, raw->key_len,
			  ROW_VERSION_APPS, &record);
	if (err == ERR_OK && raw->table == DB_META &&
	    raw->key_len == central.len &&
	    memcmp(raw->key, central.bytes, central.len) == 0)
		err = judge_head(a, raw);
	return err == ERR_OK ? judge_row(raw) : err;
}

/* The hook of pending work asks the store for the domain of an address, as it is or
 * was. So domains are put first and go last, and what is retained likewise: each
 * address finds the one or the other. */
enum pass {
	PUT_FIRST,
	PUT_NEXT,
	DROP_FIRST,
	DROP_NEXT,
	DROP_LAST,
	PUT_ENTRIES, /* the hook asks where the journal ends */
	PASSES,
};

static int pass_of(const struct store_raw *raw)
{
	const bool parked_domain =
		raw->table == DB_PARKED &&
		*(const uint8_t *)raw->key == STORE_DOMAINS;

	if (raw->table == DB_JOURNAL)
		return PUT_ENTRIES;
	if (raw->row)
		return raw->table == DB_HANDLE || raw->table == DB_DOMAIN ||
				       parked_domain
			       ? PUT_FIRST
			       : PUT_NEXT;
	if (raw->table == DB_HANDLE)
		return DROP_LAST;
	return raw->table == DB_DOMAIN || parked_domain ? DROP_NEXT
							: DROP_FIRST;
}

static enum err put_with_hook(struct store_txn *txn, const struct store_raw *raw)
{
	struct row_key key;
	struct row row;

	memcpy(key.bytes, raw->key, raw->key_len);
	key.len = raw->key_len;
	if (!raw->row)
		return row_drop(txn, (enum db_table)raw->table, &key);
	memcpy(row.bytes, raw->row, raw->row_len);
	row.len = raw->row_len;
	return row_write(txn, (enum db_table)raw->table, &key, &row);
}

static enum err put(void *arg, const struct store_raw *raw)
{
	const struct applying *a = arg;
	const enum db_table table = (enum db_table)raw->table;
	enum err err;

	if (pass_of(raw) != a->pass)
		return ERR_OK;
	if (a->from && pending_concerns(table))
		err = put_with_hook(a->txn, raw);
	else if (raw->row)
		err = db_put(a->txn->db, table, raw_key(raw),
			     (struct db_bytes){raw->row, raw->row_len});
	else
		err = db_del(a->txn->db, table, raw_key(raw));
	/* It came and went between two pulls. */
	return !raw->row && err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err put_all(struct applying *a)
{
	enum err err = ERR_OK;

	for (a->pass = 0; err == ERR_OK && a->pass < PASSES; a->pass++)
		err = store_writeset_each(a->set, put, a);
	return err;
}

static enum err judge_all(struct applying *a)
{
	enum err err;

	a->entries = 0;
	a->has_head = false;
	err = store_writeset_each(a->set, judge, a);
	if (err == ERR_OK && a->entries != a->to->number - start(a))
		return ERR_DAMAGED;
	return err == ERR_OK && !a->has_head ? ERR_DAMAGED : err;
}

static enum err apply(struct applying *a, struct store_txn *txn)
{
	enum err err = draft_check_format(txn);

	if (err == ERR_OK)
		err = draft_stands_at(txn, a->from);
	if (err == ERR_OK && a->to->number < a->from->number)
		err = ERR_DAMAGED;
	if (err == ERR_OK)
		err = judge_all(a);
	if (err == ERR_OK)
		err = put_all(a);
	/* Of what was retained, came back and was purged between two pulls, the
	 * rows say nothing. */
	return err == ERR_OK ? pending_purged_after(txn, a->from->number) : err;
}

static enum err apply_body(struct db_txn *db, void *arg)
{
	struct applying *a = arg;
	struct store_txn txn = {.db = db,
				.store = a->store,
				.now = (int64_t)time(NULL),
				.last = a->from->number};
	enum err err;

	a->txn = &txn;
	err = apply(a, &txn);
	a->txn = NULL;
	return err;
}

enum err store_apply(struct store *store, const struct store_head *from,
		     const struct store_head *to,
		     const struct store_writeset *set)
{
	struct applying a = {
		.store = store, .from = from, .to = to, .set = set};

	store->reason[0] = 0;
	return db_write(store->db, apply_body, &a, true);
}

static enum err clear(struct store_txn *txn)
{
	static const char *const words[] = {owner_word, until_word};
	const struct row_key central = draft_central_key();
	enum err err = ERR_OK;

	for (int t = 0; err == ERR_OK && t < DB_TABLES; t++) {
		if (t != DB_META)
			err = db_clear(txn->db, (enum db_table)t);
		err = err == ERR_NOTFOUND ? ERR_OK : err; /* a late one */
	}
	for (size_t i = 0; err == ERR_OK && i < sizeof words / sizeof *words;
	     i++) {
		const struct row_key key = row_key_text(words[i]);

		err = db_del(txn->db, DB_META, row_key_bytes(&key));
		err = err == ERR_NOTFOUND ? ERR_OK : err;
	}
	if (err == ERR_OK)
		err = db_del(txn->db, DB_META, row_key_bytes(&central));
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err rebuild(struct applying *a, struct store_txn *txn)
{
	uint64_t last;
	enum err err = draft_check_format(txn);

	if (err == ERR_OK)
		err = store_journal_last(txn, &last);
	if (err == ERR_OK && last != a->was)
		err = ERR_BUSY;
	if (err == ERR_OK)
		err = judge_all(a);
	if (err == ERR_OK)
		err = clear(txn);
	if (err == ERR_OK)
		err = put_all(a);
	if (err == ERR_OK)
		err = meta_put_id(txn, a->id);
	if (err == ERR_OK)
		err = store_pending_all_set(txn, true);
	if (err == ERR_OK)
		err = store_pending_purged(txn);
	return err == ERR_OK ? store_journal_note(txn) : err;
}

static enum err rebuild_body(struct db_txn *db, void *arg)
{
	struct applying *a = arg;
	struct store_txn txn = {.db = db,
				.store = a->store,
				.now = (int64_t)time(NULL)};
	enum err err;

	a->txn = &txn;
	err = rebuild(a, &txn);
	a->txn = NULL;
	return err;
}

enum err store_rebuild(struct store *store, const uint8_t id[STORE_ID_SIZE],
		       uint64_t was, const struct store_head *to,
		       const struct store_writeset *set)
{
	struct applying a = {
		.store = store, .to = to, .id = id, .was = was, .set = set};

	store->reason[0] = 0;
	return db_write(store->db, rebuild_body, &a, true);
}
