/* SPDX-License-Identifier: MIT */
/* row_write.h: writing rows; inside store/ and outside the login program. */
#ifndef POPBOX_ROW_WRITE_H
#define POPBOX_ROW_WRITE_H

#include "row.h"
#include "store/db/db_write.h"
#include "store_write.h"

/* One row; and what of it is to be published, in the table of pending work. */
MUST_USE enum err row_write(struct store_txn *txn, enum db_table db_table,
			    const struct row_key *key, const struct row *row);

MUST_USE enum err row_drop(struct store_txn *txn, enum db_table db_table,
			   const struct row_key *key);

/* The hook of both: what was and what is written, {NULL, 0} where there was or is
 * none. was is good until then. Only of tables that are published. How many of each
 * a handle may have is in no file, and makes no work. */
MUST_USE enum err pending_hook(struct store_txn *txn, enum db_table db_table,
			       const struct row_key *key, struct db_bytes was,
			       struct db_bytes is);

/* How many of each a handle may have. _note: something of it is about to be added.
 * _settle, at the end: ERR_INVALID, with a reason, where it has more than it may, and
 * more than before. Then _forget frees what was noted. */
MUST_USE enum err limit_note(struct store_txn *txn,
			     const struct name_handle *name,
			     enum store_table table);
MUST_USE enum err limit_settle(struct store_txn *txn);
void limit_forget(struct store_txn *txn);

/* The end of every change, whether it is committed here or sent away: what the body
 * answered, or what limits and the guard do. */
MUST_USE enum err write_settle(struct store_txn *txn, enum err err);

static inline bool pending_concerns(enum db_table table)
{
	return table == DB_HANDLE || table == DB_DOMAIN || table == DB_BOX ||
	       table == DB_ADDRESS || table == DB_PARKED;
}

/* A row of pending work, with what is pending of that object already. */
MUST_USE enum err pending_merge(struct store_txn *txn,
				const struct store_pending *new);

MUST_USE enum err journal_append(struct store_txn *txn, enum store_op op,
				 enum store_table table,
				 const struct row_key *key,
				 const struct row *before,
				 const struct row *after);

/* Is there a row under this key? */
MUST_USE enum err row_exists(struct store_txn *txn, enum db_table table,
			     const struct row_key *key, bool *ret_exists);

/* The row as it is now becomes what is wanted, and the journal says so. */
MUST_USE enum err row_update(struct store_txn *txn, enum db_table db_table,
			     enum store_table table, const struct row_key *key,
			     const struct row *before, const struct row *after);

MUST_USE bool row_same(const struct row *a, const struct row *b);

/* The row goes; shown is what the journal says it was. */
MUST_USE enum err row_delete(struct store_txn *txn, enum db_table db_table,
			     enum store_table table, const struct row_key *key,
			     const struct row *shown);

/* Parks a row as it was, over one of the same key. */
MUST_USE enum err parked_put(struct store_txn *txn, enum store_table table,
			     const struct row_key *key, const struct row *row,
			     enum store_fate fate);
MUST_USE enum err parked_drop(struct store_txn *txn, enum store_table table,
			      const struct row_key *key);

/* ERR_EXISTS, with a reason, where something of this name is parked. */
MUST_USE enum err parked_refuse(struct store_txn *txn, enum store_table table,
				const struct row_key *key, const char *what);

/* by-owner holds a domain, or not any more. Call it before the domain's row is
 * written: a store that has no by-owner yet gets it of all rows. */
MUST_USE enum err owner_put(struct store_txn *txn,
			    const struct store_domain *domain);
MUST_USE enum err owner_drop(struct store_txn *txn,
			     const struct store_domain *domain);

/* What a new store holds: format, an id of its own. */
MUST_USE enum err meta_fill(struct db_txn *db, void *arg);

/* Gives the store this id, or one that no store has. */
MUST_USE enum err meta_put_id(struct store_txn *txn, const uint8_t *id);
MUST_USE enum err meta_new_id(struct store_txn *txn);

/* As store_pending_purged, of the entries after this one. */
MUST_USE enum err pending_purged_after(struct store_txn *txn, uint64_t number);

/* Sets a number of meta. */
MUST_USE enum err meta_set(struct store_txn *txn, const char *word,
			   uint64_t number);

#endif
