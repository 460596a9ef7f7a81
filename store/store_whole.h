/* SPDX-License-Identifier: MIT */
/* store_whole.h: stores as a whole: copied, read as a copy, built anew, sized;
 * for the administrator's tool alone.
 *
 * A copy is one file: the store's data, and with them, in meta, the text of its
 * settings. It is no place to work in: a store is built of its rows, with an id
 * of its own.
 */
#ifndef POPBOX_STORE_WHOLE_H
#define POPBOX_STORE_WHOLE_H

#include "store.h"

/* Writes a copy of the newest snapshot to fd, compacted, while others read and
 * write. ERR_FULL, ERR_SYSTEM: also of the descriptor. */
MUST_USE enum err store_copy(struct store *store, int fd);

/* Puts the settings (at most CONFIG_SIZE_MAX bytes) into a copy of ours. */
MUST_USE enum err store_copy_settings(const char *path, const char *text,
				      size_t len);

/* Opens a copy for reading. What it holds need not be sound: whoever is not sure
 * reads it in a child that can be spared. */
MUST_USE enum err store_open_copy(const char *path, struct store **ret_store);

/* The settings of a copy. ERR_NOTFOUND: it has none, as a store that was never
 * one. ret_text has CONFIG_SIZE_MAX bytes. */
MUST_USE enum err store_settings(struct store_txn *txn, char *ret_text,
				 size_t *ret_len);

/* Every row but those of meta and by-owner, by the number of its table and in the order of
 * keys. Bytes are good until sink returns; what it answers other than ERR_OK
 * ends the walk. */
struct store_raw {
	unsigned table;
	const void *key;
	size_t key_len;
	const void *row;
	size_t row_len;
};
typedef enum err store_sink(void *arg, const struct store_raw *raw);
MUST_USE enum err store_rows(struct store_txn *txn, store_sink *sink,
			     void *arg);

/* Reads every row of a store of whatever format. */
MUST_USE enum err store_walk(struct store *store);

/* A new store in dir, of rows as store_rows hands them out; nothing of it is
 * published. Takes the rows as they are: ask store_check afterwards. Bounded
 * memory. ERR_DAMAGED: rows that no store_rows hands out. The end leaves NULL;
 * without keep what there is is no store. */
struct store_build;
MUST_USE enum err store_build_start(const char *dir,
				    struct store_build **ret_build);
MUST_USE enum err store_build_row(struct store_build *build,
				  const struct store_raw *raw);
MUST_USE enum err store_build_end(struct store_build **build, bool keep);

/* Keeps writers out of the store in dir, and of its settings, until *ret_fd, which
 * is the directory, is closed. Waits up to 10 s, then ERR_BUSY; also if another
 * directory has taken dir's name by then. */
MUST_USE enum err store_gate(const char *dir, int *ret_fd);

MUST_USE enum err store_id(struct store_txn *txn,
			   uint8_t ret_id[STORE_ID_SIZE]);

enum { STORE_TABLES_ALL = 10 };
struct store_size {
	uint64_t file;	/* bytes of the data file, with its end, a hole */
	uint64_t used;	/* bytes in use */
	uint64_t freed; /* bytes that the next changes use */
	struct {
		const char *name; /* static */
		uint64_t rows;
		uint64_t bytes;
	} table[STORE_TABLES_ALL];
};
MUST_USE enum err store_size(struct store_txn *txn,
			     struct store_size *ret_size);

/* Formats: see `popbox upgrade`. A step brings a store from one format to the
 * next, in one transaction, with the number of the format. */
MUST_USE enum err store_format(struct store *store, uint64_t *ret_format);
struct store_step {
	uint64_t from;
	store_body *body;
};
/* The steps that this program has; ends with a NULL body. */
extern const struct store_step store_steps[];
/* Up to the format `to`, as far as there are steps. ERR_SCHEMA: there is none
 * from the format that the store has now, which *ret_format names. */
MUST_USE enum err store_upgrade(struct store *store,
				const struct store_step *steps, uint64_t to,
				uint64_t *ret_format);

#endif
