/* SPDX-License-Identifier: MIT */
/* store_write.c: making a store, and the frame around every change. */
#include "store_write.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "draft_private.h"
#include "row_write.h"
#include "secret.h"

enum err store_refuse(struct store_txn *txn, enum err err, const char *format,
		      ...)
{
	va_list args;

	txn->store->refused = err;
	txn->store->unknown = false;
	va_start(args, format);
	/* A cut reason still is one. */
	(void)vsnprintf(txn->store->reason, sizeof txn->store->reason, format,
			args);
	va_end(args);
	return err;
}

void store_explain(struct store *store, enum err err, const char *why)
{
	store->refused = err;
	store->unknown = false;
	(void)snprintf(store->reason, sizeof store->reason, "%s",
		       why); /* a cut reason still is one */
}

enum err store_unknown(struct store_txn *txn, const char *format, ...)
{
	va_list args;

	txn->store->refused = ERR_INVALID;
	txn->store->unknown = true;
	va_start(args, format);
	(void)vsnprintf(txn->store->reason, sizeof txn->store->reason, format,
			args); /* a cut reason still is one */
	va_end(args);
	return ERR_INVALID;
}

struct store_state store_state_new(const struct store_txn *txn)
{
	return (struct store_state){.login = true,
				    .delivery = STORE_DELIVER,
				    .created = txn->now,
				    .changed = txn->now};
}

enum err row_write(struct store_txn *txn, enum db_table table,
		   const struct row_key *key, const struct row *row)
{
	const struct db_bytes place = row_key_bytes(key), is = row_bytes(row);
	struct db_bytes was = {NULL, 0};
	enum err err;

	/* A new row, as most are in an import, is looked for once. */
	if (!pending_concerns(table))
		return db_put(txn->db, table, place, is);
	err = db_add(txn->db, table, place, is, &was);
	if (err != ERR_OK && err != ERR_EXISTS)
		return err;
	err = pending_hook(txn, table, key, was, is);
	if (err == ERR_OK && was.at)
		err = db_put(txn->db, table, place, is);
	return err;
}

enum err row_drop(struct store_txn *txn, enum db_table table,
		  const struct row_key *key)
{
	const struct db_bytes none = {NULL, 0};
	struct db_bytes was = none;
	enum err err = ERR_OK;

	if (pending_concerns(table))
		err = db_get(txn->db, table, row_key_bytes(key), &was);
	if (err == ERR_OK && pending_concerns(table))
		err = pending_hook(txn, table, key, was, none);
	return err == ERR_OK ? db_del(txn->db, table, row_key_bytes(key)) : err;
}

enum err row_exists(struct store_txn *txn, enum db_table table,
		    const struct row_key *key, bool *ret_exists)
{
	struct db_bytes row;
	enum err err = db_get(txn->db, table, row_key_bytes(key), &row);

	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	*ret_exists = err == ERR_OK;
	return ERR_OK;
}

bool row_same(const struct row *a, const struct row *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

enum err row_update(struct store_txn *txn, enum db_table db_table,
		    enum store_table table, const struct row_key *key,
		    const struct row *before, const struct row *after)
{
	enum err err = row_write(txn, db_table, key, after);

	return err == ERR_OK ? journal_append(txn, STORE_SET, table, key,
					      before, after)
			     : err;
}

enum err meta_set(struct store_txn *txn, const char *word, uint64_t number)
{
	struct row_key key = row_key_text(word);
	struct row row;
	enum err err = number_encode(&key, number, &row);

	return err == ERR_OK ? row_write(txn, DB_META, &key, &row) : err;
}

static void copy_row(const struct row *row, uint8_t *ret_bytes, size_t *ret_len)
{
	*ret_len = row ? row->len : 0;
	if (row)
		memcpy(ret_bytes, row->bytes, row->len);
}

/* Who changes, and when. */
static void sign(const struct store_txn *txn, struct store_entry *entry)
{
	entry->time = txn->now;
	entry->uid = txn->actor->uid;
	memcpy(entry->actor, txn->actor->name, sizeof entry->actor);
	memcpy(entry->command, txn->actor->command, sizeof entry->command);
}

/* A signed one. */
static enum err append(struct store_txn *txn, struct store_entry *entry)
{
	uint8_t bytes[ROW_ENTRY_MAX];
	struct row_key key;
	uint64_t last;
	size_t len;
	enum err err = ERR_OK;

	last = txn->last;
	if (!last)
		err = store_journal_last(txn, &last);
	if (err != ERR_OK)
		return err;
	entry->number = last + 1;
	if (!txn->group)
		txn->group = entry->number;
	entry->group = txn->group;
	err = entry_encode(entry, bytes, &len);
	if (err != ERR_OK)
		return err;
	key = row_key_number(entry->number);
	err = db_put(txn->db, DB_JOURNAL, row_key_bytes(&key),
		     (struct db_bytes){bytes, len});
	if (err == ERR_OK)
		txn->last = entry->number;
	return err;
}

/* Fills all but who changed it, when. By hand: 19 KiB of it are mostly empty. */
static void fill(struct store_entry *entry, enum store_op op,
		 enum store_table table, const struct row_key *key,
		 const struct row *before, const struct row *after)
{
	entry->op = op;
	entry->table = table;
	memcpy(entry->key, key->bytes, key->len);
	entry->key_len = key->len;
	copy_row(before, entry->before, &entry->before_len);
	copy_row(after, entry->after, &entry->after_len);
}

enum err journal_append(struct store_txn *txn, enum store_op op,
			enum store_table table, const struct row_key *key,
			const struct row *before, const struct row *after)
{
	struct store_entry entry;

	fill(&entry, op, table, key, before, after);
	sign(txn, &entry);
	return append(txn, &entry);
}

struct writing {
	struct store *store;
	const struct store_actor *actor;
	store_body *body;
	void *arg;
	uint64_t last;
	bool keep;
	struct db_writeset keys; /* of a copy */
};

/* What would be kept of a copy is looked at: its rows change elsewhere. */
static enum err watch(struct store_txn *txn, struct writing *writing,
		      bool *ret_watched)
{
	struct store_head head;
	enum err err = writing->keep ? store_head_get(txn, &head)
				     : ERR_NOTFOUND;

	*ret_watched = err == ERR_OK;
	if (err == ERR_OK)
		db_writeset_note(txn->db, &writing->keys);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err write_settle(struct store_txn *txn, enum err err)
{
	if (err == ERR_OK)
		err = limit_settle(txn);
	limit_forget(txn);
	if (err == ERR_OK && txn->last && txn->store->guard)
		err = txn->store->guard(txn, txn->group, txn->last,
					txn->store->guard_arg);
	return err;
}

static enum err write_body(struct db_txn *db, void *arg)
{
	struct writing *writing = arg;
	struct store_txn txn = {.db = db,
				.store = writing->store,
				.actor = writing->actor,
				.now = (int64_t)time(NULL)};
	uint64_t format;
	bool watched = false;
	enum err err = meta_number(&txn, "format", &format);

	if (err == ERR_OK && format != STORE_FORMAT)
		err = ERR_SCHEMA;
	if (err == ERR_OK)
		err = watch(&txn, writing, &watched);
	if (err == ERR_OK)
		err = writing->body(&txn, writing->arg);
	err = write_settle(&txn, err);
	if (err == ERR_OK && watched)
		err = draft_refuse(&txn, &writing->keys);
	writing->last = txn.last;
	return err;
}

enum err store_write(struct store *store, const struct store_actor *actor,
		     store_body *body, void *arg, bool keep, uint64_t *ret_last)
{
	struct writing writing = {.store = store,
				  .actor = actor,
				  .body = body,
				  .arg = arg,
				  .keep = keep};
	enum err err;

	store->reason[0] = 0;
	err = db_write(store->db, write_body, &writing, keep);
	db_writeset_free(&writing.keys);
	if (err == ERR_OK)
		*ret_last = writing.last;
	return err;
}

void store_guard(struct store *store, store_guard_body *guard, void *arg)
{
	store->guard = guard;
	store->guard_arg = arg;
}

enum err store_reserve(struct store *store, uint64_t bytes)
{
	return db_reserve(store->db, bytes);
}

enum err meta_put_id(struct store_txn *txn, const uint8_t *id)
{
	struct row_key key = row_key_text("id");
	struct record record;
	struct row row;
	enum err err;

	record = record_new(row.bytes, sizeof row.bytes, ROW_VERSION);
	record_put_bytes(&record, id, STORE_ID_SIZE);
	err = record_seal(&record, key.bytes, key.len, &row.len);
	return err == ERR_OK ? row_write(txn, DB_META, &key, &row) : err;
}

enum err meta_new_id(struct store_txn *txn)
{
	uint8_t id[STORE_ID_SIZE];

	secret_random(id, sizeof id);
	return meta_put_id(txn, id);
}

enum err meta_fill(struct db_txn *db, void *arg)
{
	struct store_txn txn = {.db = db};
	struct row_key key = row_key_text("format");
	bool exists;
	enum err err = row_exists(&txn, DB_META, &key, &exists);

	(void)arg;
	if (err == ERR_OK && exists)
		err = ERR_EXISTS;
	if (err == ERR_OK)
		err = meta_set(&txn, "format", STORE_FORMAT);
	return err == ERR_OK ? meta_new_id(&txn) : err;
}

enum err store_create(const char *dir)
{
	return db_create(dir, meta_fill, NULL);
}

enum err store_open_write(const char *dir, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof *store);
	enum err err;

	if (!store)
		return ERR_SYSTEM;
	store->oldest = STORE_FORMAT;
	err = db_open_write(dir, &store->db);
	if (err != ERR_OK)
		store_close(&store);
	else
		*ret_store = store;
	return err;
}
