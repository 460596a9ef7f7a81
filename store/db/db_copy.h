/* SPDX-License-Identifier: MIT */
/* db_copy.h: whole databases: a copy of a live one, a file read as a copy, a
 * new one filled row by row in the order of its keys; and how large one is.
 */
#ifndef POPBOX_DB_COPY_H
#define POPBOX_DB_COPY_H

#include "db.h"

/* Writes the newest snapshot to fd, without the pages that are free. Writers go
 * on meanwhile. ERR_FULL, ERR_SYSTEM: the descriptor, errno says why. */
MUST_USE enum err db_copy(struct db *db, int fd);

/* Opens one file that nobody changes, for reading (db_read), without any lock.
 * What it holds need not be sound; reading may then fault. ERR_DAMAGED: it is
 * no database at all, or cut. */
MUST_USE enum err db_open_copy(const char *path, struct db **ret_db);

/* One change of such a file, which nobody else has open. */
MUST_USE enum err db_copy_write(const char *path, db_body *body, void *arg);

/* A new database in dir, as db_create makes it, for db_build: many rows, of one
 * table after the other, each in the order of its keys, else ERR_EXISTS. Nothing
 * need be on the disk before the end. Takes bounded memory. */
struct db_build;
MUST_USE enum err db_build_start(const char *dir, db_body *fill, void *arg,
				 struct db_build **ret_build);
MUST_USE enum err db_build(struct db_build *build, enum db_table table,
			   struct db_bytes key, struct db_bytes value);
/* Whether or not it is to be kept; with keep all is on the disk. */
MUST_USE enum err db_build_end(struct db_build **build, bool keep);

/* The gate for writers, see db_write.h: closing ret_fd opens it. ERR_BUSY. */
MUST_USE enum err db_gate(const char *dir, int *ret_fd);

struct db_size {
	uint64_t file;	/* bytes, holes at its end included */
	uint64_t used;	/* bytes of pages in use */
	uint64_t freed; /* bytes of pages that will be used again */
	struct {
		uint64_t rows;
		uint64_t bytes; /* of its pages */
	} table[DB_TABLES];
};

MUST_USE enum err db_size(struct db_txn *txn, struct db_size *ret_size);
const char *db_table_name(enum db_table table);

#endif
