/* SPDX-License-Identifier: MIT */
/* store_draft.c: a change as rows, for a central database; and marks of a copy. */
#include "store_draft.h"

#include <string.h>
#include <time.h>

#include "draft_private.h"
#include "secret.h"

static const char central_word[] = "central";

struct row_key draft_central_key(void)
{
	return row_key_text(central_word);
}

bool draft_is_shared(enum db_table table, struct db_bytes key)
{
	static const char *const words[] = {owner_word, until_word,
					    central_word};

	if (table != DB_META)
		return table < DB_TABLES && table != DB_PENDING;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strlen(words[i]) == key.len &&
		    memcmp(words[i], key.at, key.len) == 0)
			return true;
	}
	return false;
}

/* A look at all brings it forward, on each host for itself. */
static bool is_until(enum db_table table, struct db_bytes key)
{
	return table == DB_META && key.len == strlen(until_word) &&
	       memcmp(key.at, until_word, key.len) == 0;
}

enum err draft_read_head(struct db_bytes row, struct store_head *ret_head)
{
	const struct row_key key = draft_central_key();
	struct store_head head;
	struct record record;
	size_t len;
	enum err err = record_open(row.at, row.len, key.bytes, key.len,
				   ROW_VERSION, &record);

	if (err != ERR_OK)
		return err;
	head.number = record_get_u64(&record);
	len = record_get_bytes(&record, head.token, sizeof head.token);
	err = record_end(&record);
	if (err == ERR_OK && len != sizeof head.token)
		err = ERR_DAMAGED;
	if (err == ERR_OK)
		*ret_head = head;
	return err;
}

enum err store_head_get(struct store_txn *txn, struct store_head *ret_head)
{
	const struct row_key key = draft_central_key();
	struct db_bytes row;
	enum err err = db_get(txn->db, DB_META, row_key_bytes(&key), &row);

	return err == ERR_OK ? draft_read_head(row, ret_head) : err;
}

static enum err put_head(struct store_txn *txn, const struct store_head *head)
{
	const struct row_key key = draft_central_key();
	struct row row;
	struct record record =
		record_new(row.bytes, sizeof row.bytes, ROW_VERSION);
	enum err err;

	record_put_u64(&record, head->number);
	record_put_bytes(&record, head->token, sizeof head->token);
	err = record_seal(&record, key.bytes, key.len, &row.len);
	return err == ERR_OK ? db_put(txn->db, DB_META, row_key_bytes(&key),
				      row_bytes(&row))
			     : err;
}

enum err draft_check_format(struct store_txn *txn)
{
	uint64_t format;
	enum err err = meta_number(txn, "format", &format);

	return err == ERR_OK && format != STORE_FORMAT ? ERR_SCHEMA : err;
}

enum err draft_stands_at(struct store_txn *txn, const struct store_head *head)
{
	struct store_head now;
	uint64_t last;
	enum err err = store_head_get(txn, &now);

	if (err == ERR_OK)
		err = store_journal_last(txn, &last);
	if (err == ERR_NOTFOUND)
		return ERR_BUSY; /* it left meanwhile */
	if (err == ERR_OK && last != now.number)
		return ERR_DAMAGED;
	return err == ERR_OK && !store_head_same(&now, head) ? ERR_BUSY : err;
}

struct drafting {
	struct store *store;
	const struct store_actor *actor;
	int64_t now;
	const struct store_head *head;
	const uint8_t *token;
	store_body *body;
	void *arg;
	struct store_writeset *set;
	struct db_writeset keys;
	uint64_t last;
};

static enum err take(void *arg, enum db_table table, struct db_bytes key,
		     struct db_bytes value)
{
	const struct store_raw raw = {(unsigned)table, key.at, key.len,
				      value.at, value.len};

	return draft_is_shared(table, key) ? store_writeset_add(arg, &raw)
					   : ERR_OK;
}

/* Clocks differ: no entry is older than the one before it. */
static enum err not_before(struct store_txn *txn, uint64_t last)
{
	static struct store_entry entry; /* 19 KiB */
	enum err err;

	if (!last)
		return ERR_OK;
	err = store_journal_next(txn, last - 1, &entry);
	if (err == ERR_OK && entry.time > txn->now)
		txn->now = entry.time;
	return err;
}

static enum err draft_body(struct db_txn *db, void *arg)
{
	struct drafting *d = arg;
	struct store_txn txn = {.db = db,
				.store = d->store,
				.actor = d->actor,
				.now = d->now};
	struct store_head head = {.number = 0};
	enum err err = draft_check_format(&txn);

	store_writeset_clear(d->set);
	if (err == ERR_OK)
		err = draft_stands_at(&txn, d->head);
	if (err == ERR_OK)
		err = not_before(&txn, d->head->number);
	db_writeset_note(db, &d->keys);
	if (err == ERR_OK)
		err = d->body(&txn, d->arg);
	err = write_settle(&txn, err);
	d->last = txn.last;
	if (err != ERR_OK || !txn.last)
		return err;
	head.number = txn.last;
	memcpy(head.token, d->token, sizeof head.token);
	err = put_head(&txn, &head);
	db_writeset_note(db, NULL);
	return err == ERR_OK ? db_writeset_each(db, &d->keys, take, d->set)
			     : err;
}

enum err store_draft(struct store *store, const struct store_actor *actor,
		     int64_t now, const struct store_head *head,
		     const uint8_t token[STORE_TOKEN_SIZE], store_body *body,
		     void *arg, struct store_writeset *set, uint64_t *ret_last)
{
	struct drafting d = {.store = store,
			     .actor = actor,
			     .now = now,
			     .head = head,
			     .token = token,
			     .body = body,
			     .arg = arg,
			     .set = set};
	enum err err;

	store->reason[0] = 0;
	err = db_write(store->db, draft_body, &d, false);
	db_writeset_free(&d.keys);
	if (err == ERR_OK)
		*ret_last = d.last;
	return err;
}

static enum err find_shared(void *arg, enum db_table table,
			    struct db_bytes key, struct db_bytes value)
{
	(void)value;
	if (draft_is_shared(table, key) && !is_until(table, key))
		*(bool *)arg = true;
	return ERR_OK;
}

/* db_writeset_note began with the body. */
enum err draft_refuse(struct store_txn *txn, const struct db_writeset *keys)
{
	bool shared = false;
	enum err err = db_writeset_each(txn->db, keys, find_shared, &shared);

	if (err == ERR_OK && shared)
		return store_refuse(txn, ERR_INVALID,
				    "this store is a copy of a central "
				    "database, and changes there alone (is the "
				    "setting 'central' empty? 'popbox cluster "
				    "leave' makes it a store of its own)");
	return err;
}

struct all {
	struct store_head *head;
	struct store_writeset *set;
};

static enum err all_body(struct db_txn *db, void *arg)
{
	const struct all *all = arg;
	struct store_txn txn = {.db = db};
	enum err err = draft_check_format(&txn);

	if (err == ERR_OK)
		err = store_journal_last(&txn, &all->head->number);
	/* The beginning of every chain has this one. */
	if (err == ERR_OK && !all->head->number)
		memset(all->head->token, 0, sizeof all->head->token);
	if (err == ERR_OK)
		err = put_head(&txn, all->head);
	for (int t = 0; err == ERR_OK && t < DB_TABLES; t++) {
		struct db_bytes key = {NULL, 0}, row;

		while ((err = db_next(db, (enum db_table)t, key, true, &key,
				      &row)) == ERR_OK) {
			err = take(all->set, (enum db_table)t, key, row);
			if (err != ERR_OK)
				return err;
		}
		err = err == ERR_NOTFOUND ? ERR_OK : err;
	}
	return err;
}

enum err store_draft_all(struct store *store, struct store_head *head,
			 struct store_writeset *set)
{
	struct all all = {head, set};

	store->reason[0] = 0;
	store_writeset_clear(set);
	return db_write(store->db, all_body, &all, false);
}

struct entering {
	const struct store_head *head;
};

static enum err enter_body(struct db_txn *db, void *arg)
{
	const struct entering *entering = arg;
	struct store_txn txn = {.db = db};
	uint64_t last;
	enum err err = draft_check_format(&txn);

	if (err == ERR_OK)
		err = store_journal_last(&txn, &last);
	if (err == ERR_OK && last != entering->head->number)
		err = ERR_BUSY;
	return err == ERR_OK ? put_head(&txn, entering->head) : err;
}

enum err store_enter(struct store *store, const struct store_head *head)
{
	struct entering entering = {head};

	store->reason[0] = 0;
	return db_write(store->db, enter_body, &entering, true);
}

static enum err leave_body(struct db_txn *db, void *arg)
{
	const struct row_key key = draft_central_key();
	struct store_txn txn = {.db = db};
	enum err err = draft_check_format(&txn);

	(void)arg;
	if (err == ERR_OK)
		err = db_del(db, DB_META, row_key_bytes(&key));
	return err == ERR_OK ? meta_new_id(&txn) : err;
}

enum err store_leave(struct store *store)
{
	store->reason[0] = 0;
	return db_write(store->db, leave_body, NULL, true);
}

bool store_raw_varies(const struct store_raw *raw)
{
	return is_until((enum db_table)raw->table,
			(struct db_bytes){raw->key, raw->key_len});
}

enum err store_has_row(struct store_txn *txn, const struct store_raw *raw)
{
	struct db_bytes row = {NULL, 0};
	enum err err;

	if (raw->table >= DB_TABLES || raw->key_len == 0 ||
	    raw->key_len > STORE_KEY_MAX)
		return ERR_NOTFOUND;
	err = db_get(txn->db, (enum db_table)raw->table,
		     (struct db_bytes){raw->key, raw->key_len}, &row);
	if (err == ERR_NOTFOUND && !raw->row)
		return ERR_OK;
	if (err == ERR_OK && (!raw->row || row.len != raw->row_len ||
			      memcmp(row.at, raw->row, row.len) != 0))
		return ERR_NOTFOUND;
	return err;
}

enum err store_shared(struct store_txn *txn, uint64_t *ret_shared)
{
	*ret_shared = 0;
	for (int t = 0; t < DB_TABLES; t++) {
		struct db_bytes key = {NULL, 0}, row;
		enum err err;

		while ((err = db_next(txn->db, (enum db_table)t, key, true,
				      &key, &row)) == ERR_OK)
			*ret_shared += draft_is_shared((enum db_table)t, key) &&
				       !is_until((enum db_table)t, key);
		if (err != ERR_NOTFOUND)
			return err;
	}
	return ERR_OK;
}
