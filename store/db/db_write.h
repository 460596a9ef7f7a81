/* SPDX-License-Identifier: MIT */
/* db_write.h: writing the database. Nothing of the login program includes it.
 *
 * One writer at a time: a flock on the store's directory is the gate (it can
 * be waited for with a limit, LMDB's own mutex cannot), LMDB's mutex stands
 * behind it. Before each transaction the readers that LMDB cannot see are
 * drained, see db_write.c.
 */
#ifndef POPBOX_DB_WRITE_H
#define POPBOX_DB_WRITE_H

#include "db.h"

enum { DB_WAIT_MS = 10000 }; /* how long a second writer waits */

/* Makes an empty database with all its tables in dir, which exists.
 * ERR_EXISTS: there is one. */
MUST_USE enum err db_create(const char *dir, db_body *fill, void *arg);

/* ERR_INVALID: dir lies on a network file system, where locks and maps do not
 * hold. */
MUST_USE enum err db_open_write(const char *dir, struct db **ret_db);

/* Lets the map have room for so many bytes beyond what is used. */
MUST_USE enum err db_reserve(struct db *db, uint64_t bytes);

/* Runs body in a write transaction and commits when it returns ERR_OK and
 * keep is true; else everything is as before. body is run again, from the
 * start, in a larger map when the map was full. */
MUST_USE enum err db_write(struct db *db, db_body *body, void *arg, bool keep);

/* Adds or replaces. */
MUST_USE enum err db_put(struct db_txn *txn, enum db_table table,
			 struct db_bytes key, struct db_bytes value);

/* Adds. ERR_EXISTS: there is one, which *ret_value is; good until something is
 * written. */
MUST_USE enum err db_add(struct db_txn *txn, enum db_table table,
			 struct db_bytes key, struct db_bytes value,
			 struct db_bytes *ret_value);

MUST_USE enum err db_del(struct db_txn *txn, enum db_table table,
			 struct db_bytes key);

/* All rows of a table; costs its pages, not its rows. */
MUST_USE enum err db_clear(struct db_txn *txn, enum db_table table);

#endif
