/* SPDX-License-Identifier: MIT */
/* db_private.h: what db.c and the other db_*.c share; nobody else includes it. */
#ifndef POPBOX_DB_PRIVATE_H
#define POPBOX_DB_PRIVATE_H

#include <lmdb.h>
#include <sys/stat.h>

#include "db.h"

struct db {
	MDB_env *env;
	int dirfd; /* gate for writers; -1 in a login */
	int datafd;
	enum db_how how;
	char *dir;	   /* of a tool: by which name it was opened */
	struct stat place; /* and what that was */
};

struct db_txn {
	struct db *db;
	MDB_txn *txn;
	MDB_dbi dbi[DB_TABLES];
	bool open[DB_TABLES];
	bool map_full; /* a larger map would have done */
	int failed;    /* errno of a look that ended with ERR_SYSTEM */
	MDB_cursor *cursor[DB_TABLES];
	struct db_writeset *writeset; /* of a writer; NULL: nothing is noted */
};

extern const char *const db_table_names[DB_TABLES];

/* The handle of the table of the tables' names. LMDB's error. */
int db_names(struct db_txn *txn, MDB_dbi *ret_names);

/* LMDB's error as ours; errno is set for ERR_SYSTEM. */
enum err db_err(int rc);

/* The same of a look in a transaction, which remembers ERR_SYSTEM. */
enum err db_txn_err(struct db_txn *txn, int rc);

/* The table's handle, opened at its first use in the transaction. */
MUST_USE enum err db_table(struct db_txn *txn, enum db_table table,
			   unsigned flags);

/* Its cursor, opened likewise. */
MUST_USE enum err db_cursor(struct db_txn *txn, enum db_table table);

/* LMDB does not write through it. */
static inline MDB_val db_val(struct db_bytes bytes)
{
	return (MDB_val){bytes.len, (void *)(uintptr_t)bytes.at};
}

/* Closes the cursors; the transaction itself is the caller's to end. */
void db_cursors_close(struct db_txn *txn);

/* Takes a lock on a descriptor, waiting at most ms. ERR_BUSY. */
MUST_USE enum err db_flock(int fd, int operation, unsigned ms);

/* Remembers which directory this is. */
MUST_USE enum err db_place(struct db *db, const char *dir);

/* Is it still the one of that name? ERR_BUSY: another was put in its place, by
 * `popbox restore`; what is open is the old one. */
MUST_USE enum err db_placed(const struct db *db);

/* Is the disk of this file so full that LMDB's EIO means that? */
bool db_disk_full(int fd);

/* A new environment with our settings, not opened yet. */
MUST_USE enum err db_env(struct db **ret_db);

/* Opens it with these flags of LMDB and judges the files; fresh: there need be
 * none. */
MUST_USE enum err db_env_open(struct db *db, const char *dir, unsigned flags,
			      bool fresh);

/* What is left to do and to judge when LMDB has opened it. */
MUST_USE enum err db_env_opened(struct db *db);

#endif
