/* SPDX-License-Identifier: MIT */
/* db.h: reading the database: LMDB behind a door of our own.
 *
 * One environment a process, never across a fork. No transaction outlives the
 * call that asked for it. What a read hands out points into the map and is
 * good until its transaction ends. Only db*.c know LMDB.
 *
 * Two ways to read. DB_LOGIN is for the login program: it never touches
 * lock.mdb, because whoever maps LMDB's lock file as popusr can make root's
 * next write go wrong; it is invisible to the writer and therefore proves,
 * after it has copied, that its pages were not used again meanwhile. DB_TOOL
 * is for root's tool: a registered reader in lock.mdb.
 */
#ifndef POPBOX_DB_H
#define POPBOX_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/err.h"

enum db_table {
	DB_META,
	DB_HANDLE,
	DB_DOMAIN,
	DB_BOX,
	DB_ADDRESS,
	DB_BYBOX,
	DB_JOURNAL,
	DB_PARKED, /* came later: a store without it has it empty */
	DB_BYOWNER, /* as well */
	DB_PENDING, /* of format 2 */
	DB_TABLES,
};

enum db_how { DB_LOGIN, DB_TOOL };

/* Tables that the first stores did not have. */
static inline bool db_table_late(enum db_table table)
{
	return table == DB_PARKED || table == DB_BYOWNER ||
	       table == DB_PENDING;
}

struct db;
struct db_txn;

struct db_bytes {
	const void *at;
	size_t len;
};

/* A few tries that all met a writer end as "busy", never as an answer. */
enum { DB_TRIES = 8 };

/* dir is the store's directory. ERR_NOTFOUND: no database there. ERR_DAMAGED:
 * not LMDB's, or shorter than it says it is. */
MUST_USE enum err db_open(const char *dir, enum db_how how, struct db **ret_db);
void db_close(struct db **db);

/* Runs body in a read transaction. For DB_LOGIN body is run again when the
 * writer came too near, so it must only copy out; an answer that it found or
 * did not find is passed on only when it is sure. ERR_BUSY: never sure. */
typedef enum err db_body(struct db_txn *txn, void *arg);
MUST_USE enum err db_read(struct db *db, db_body *body, void *arg);

MUST_USE enum err db_get(struct db_txn *txn, enum db_table table,
			 struct db_bytes key, struct db_bytes *ret_value);

/* The first pair whose key is not less than from (or, with after, greater
 * than it). ERR_NOTFOUND: none is left. */
MUST_USE enum err db_next(struct db_txn *txn, enum db_table table,
			  struct db_bytes from, bool after,
			  struct db_bytes *ret_key, struct db_bytes *ret_value);

/* errno of a look in this transaction that ended with ERR_SYSTEM, or 0. A caller
 * that took it for "not there" knows nothing. */
int db_failed(const struct db_txn *txn);

/* A walk over a whole table, for who looks at all of a snapshot: {txn, table}
 * stands before the first pair, with .after behind that key. It proves that keys are in order and that a
 * search finds each of them; a damaged tree may show to a walk what it hides
 * from a login. ERR_NOTFOUND: the end, all is proved. ERR_DAMAGED. Meanwhile
 * no db_next nor db_last on that table, unless the walk is alone: such a one is
 * ended with db_walk_end, in the same body. */
struct db_walk {
	struct db_txn *txn;
	enum db_table table;
	struct db_bytes key, value; /* where it stands */
	struct db_bytes after;	    /* where it began; empty: at the first */
	bool alone;
	struct MDB_cursor *cursor; /* its own, of one that is alone */
};
void db_walk_end(struct db_walk *walk);
MUST_USE enum err db_walk_next(struct db_walk *walk);

/* ERR_DAMAGED: something is there that is none of the tables, which one that
 * came late may have become. */
MUST_USE enum err db_tables_known(struct db_txn *txn);

/* The last pair of a table. ERR_NOTFOUND: it is empty. */
MUST_USE enum err db_last(struct db_txn *txn, enum db_table table,
			  struct db_bytes *ret_key, struct db_bytes *ret_value);

#endif
