/* SPDX-License-Identifier: MIT */
/* db_writeset.h: which keys a write transaction wrote. What the transaction says
 * under each of them in the end is the last image: a row, or that there is none.
 */
#ifndef POPBOX_DB_WRITESET_H
#define POPBOX_DB_WRITESET_H

#include "db.h"

/* {0} is an empty one. Holds keys, never values. */
struct db_writeset {
	uint8_t *bytes; /* of each: table (1), length (2), key */
	size_t len, room;
	size_t count;
	size_t last[DB_TABLES]; /* where its latest key is, counted from 1 */
};

/* From here on the writes of this transaction are noted, beginning with an empty
 * set; with NULL they are not any more. The set outlives the transaction. */
void db_writeset_note(struct db_txn *txn, struct db_writeset *set);

void db_writeset_free(struct db_writeset *set);

/* Each key once, in the order of tables and keys, with its last image; value {NULL,
 * 0}: there is none. What sink answers other than ERR_OK ends the walk. */
typedef enum err db_writeset_sink(void *arg, enum db_table table,
				  struct db_bytes key, struct db_bytes value);
MUST_USE enum err db_writeset_each(struct db_txn *txn,
				   const struct db_writeset *set,
				   db_writeset_sink *sink, void *arg);

/* For db_write.c: this key was written. ERR_SYSTEM: no memory. */
MUST_USE enum err db_writeset_add(struct db_writeset *set, enum db_table table,
				  struct db_bytes key);

#endif
