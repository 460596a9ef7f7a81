/* SPDX-License-Identifier: MIT */
/* db_walk.c: every pair of a table, and the proof that a search finds it; and
 * every table. */
#include <string.h>

#include "db_private.h"

/* LMDB's pages begin at multiples of this, so keys of two pages never lie in
 * one such block. */
enum { BLOCK = 4096 };

static bool same_block(const void *a, const void *b)
{
	return (uintptr_t)a / BLOCK == (uintptr_t)b / BLOCK;
}

/* A search compares its key with those of branch pages, which lead to one
 * leaf, and then with the leaf's, which are in order: one that finds the first
 * and the last of a leaf finds all between. */
static enum err search(const struct db_walk *walk)
{
	struct db_bytes value;
	enum err err;

	if (walk->key.len == 0) /* before the first */
		return ERR_OK;
	err = db_get(walk->txn, walk->table, walk->key, &value);
	if (err == ERR_OK && value.at == walk->value.at)
		return ERR_OK;
	return err == ERR_OK || err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

static bool in_order(const struct db_walk *walk, const MDB_val *key)
{
	MDB_val before = db_val(walk->key.len ? walk->key : walk->after);

	return key->mv_size > 0 &&
	       (before.mv_size == 0 ||
		mdb_cmp(walk->txn->txn, walk->txn->dbi[walk->table], &before,
			key) < 0);
}

/* The one of the table, or its own. */
static enum err cursor_of(struct db_walk *walk, MDB_cursor **ret_cursor)
{
	struct db_txn *txn = walk->txn;
	enum err err = walk->alone ? db_table(txn, walk->table, 0)
				   : db_cursor(txn, walk->table);

	if (err == ERR_OK && walk->alone && !walk->cursor)
		err = db_txn_err(txn, mdb_cursor_open(txn->txn,
						      txn->dbi[walk->table],
						      &walk->cursor));
	if (err == ERR_OK)
		*ret_cursor = walk->alone ? walk->cursor
					  : txn->cursor[walk->table];
	return err;
}

void db_walk_end(struct db_walk *walk)
{
	if (walk->cursor)
		mdb_cursor_close(walk->cursor);
	walk->cursor = NULL;
}

/* The first pair; or the first behind a key. */
static int first(const struct db_walk *walk, MDB_cursor *cursor, MDB_val *k,
		 MDB_val *v)
{
	MDB_val after = db_val(walk->after);
	int rc;

	if (!walk->after.len)
		return mdb_cursor_get(cursor, k, v, MDB_FIRST);
	*k = after;
	rc = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
	if (rc == 0 && mdb_cmp(walk->txn->txn, walk->txn->dbi[walk->table], k,
			       &after) == 0)
		rc = mdb_cursor_get(cursor, k, v, MDB_NEXT);
	return rc;
}

static enum err step(struct db_walk *walk, struct db_walk *next)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	enum err err = cursor_of(walk, &cursor);

	if (err != ERR_OK)
		return err;
	err = db_txn_err(walk->txn,
			 walk->key.len
				 ? mdb_cursor_get(cursor, &k, &v, MDB_NEXT)
				 : first(walk, cursor, &k, &v));
	next->cursor = walk->cursor;
	if (err != ERR_OK)
		return err;
	next->key = (struct db_bytes){k.mv_data, k.mv_size};
	next->value = (struct db_bytes){v.mv_data, v.mv_size};
	return in_order(walk, &k) ? ERR_OK : ERR_DAMAGED;
}

enum err db_walk_next(struct db_walk *walk)
{
	struct db_walk next = *walk;
	enum err err = step(walk, &next), proof = ERR_OK;

	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	if (err == ERR_NOTFOUND || !same_block(walk->key.at, next.key.at)) {
		proof = search(walk);
		if (proof == ERR_OK && err == ERR_OK)
			proof = search(&next);
	}
	if (proof != ERR_OK)
		return proof;
	*walk = next;
	return err;
}

int db_failed(const struct db_txn *txn)
{
	return txn->failed;
}

static bool is_table(const MDB_val *name)
{
	for (size_t i = 0; i < DB_TABLES; i++) {
		if (strlen(db_table_names[i]) == name->mv_size &&
		    memcmp(db_table_names[i], name->mv_data, name->mv_size) ==
			    0)
			return true;
	}
	return false;
}

enum err db_tables_known(struct db_txn *txn)
{
	MDB_dbi names;
	MDB_cursor *cursor;
	MDB_val name, v;
	unsigned count = 0;
	int rc = db_names(txn, &names);

	if (rc == 0)
		rc = mdb_cursor_open(txn->txn, names, &cursor);
	if (rc != 0)
		return db_err(rc);
	/* Not for ever in a damaged tree. */
	do
		rc = mdb_cursor_get(cursor, &name, &v, MDB_NEXT);
	while (rc == 0 && is_table(&name) && ++count <= DB_TABLES);
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? ERR_OK : rc ? db_err(rc) : ERR_DAMAGED;
}
