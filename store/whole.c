/* SPDX-License-Identifier: MIT */
/* whole.c: stores as a whole, see store_whole.h. */
#include "store_whole.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "row_write.h"
#include "store/db/db_copy.h"

enum err store_copy(struct store *store, int fd)
{
	return db_copy(store->db, fd);
}

enum err store_open_copy(const char *path, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof *store);
	enum err err;

	if (!store)
		return ERR_SYSTEM;
	store->oldest = STORE_FORMAT_LOGIN;
	err = db_open_copy(path, &store->db);
	if (err != ERR_OK)
		store_close(&store);
	else
		*ret_store = store;
	return err;
}

/* A text in a record is shorter than 64 KiB, the settings need not be. */
enum { HALF = CONFIG_SIZE_MAX / 2, SETTINGS_ROW = CONFIG_SIZE_MAX + 64 };

struct settings {
	const char *text;
	size_t len;
	uint8_t row[SETTINGS_ROW];
};

static enum err put_settings(struct db_txn *db, void *arg)
{
	struct settings *s = arg;
	struct row_key key = row_key_text("config");
	struct record record = record_new(s->row, sizeof s->row, ROW_VERSION);
	size_t first = s->len < HALF ? s->len : HALF, len;
	enum err err;

	record_put_bytes(&record, s->text, first);
	record_put_bytes(&record, s->text + first, s->len - first);
	err = record_seal(&record, key.bytes, key.len, &len);
	return err == ERR_OK ? db_put(db, DB_META, row_key_bytes(&key),
				      (struct db_bytes){s->row, len})
			     : err;
}

enum err store_copy_settings(const char *path, const char *text, size_t len)
{
	struct settings *settings = calloc(1, sizeof *settings);
	enum err err;

	if (!settings)
		return ERR_SYSTEM;
	settings->text = text;
	settings->len = len;
	err = db_copy_write(path, put_settings, settings);
	free(settings);
	return err;
}

enum err store_settings(struct store_txn *txn, char *ret_text, size_t *ret_len)
{
	struct row_key key = row_key_text("config");
	struct record record;
	struct db_bytes row;
	size_t len;
	enum err err = db_get(txn->db, DB_META, row_key_bytes(&key), &row);

	if (err == ERR_OK)
		err = record_open(row.at, row.len, key.bytes, key.len,
				  ROW_VERSION, &record);
	if (err != ERR_OK)
		return err;
	len = record_get_bytes(&record, ret_text, HALF);
	len += record_get_bytes(&record, ret_text + len, HALF);
	err = record_end(&record);
	if (err == ERR_OK)
		*ret_len = len;
	return err;
}

enum err store_rows(struct store_txn *txn, store_sink *sink, void *arg)
{
	for (int t = 0; t < DB_TABLES; t++) {
		struct db_bytes key = {NULL, 0}, row;
		enum err err = ERR_OK;

		/* by-owner follows from the domains; whoever builds a store of
		 * rows gets it with the first change of one. */
		while (t != DB_META && t != DB_BYOWNER && err == ERR_OK) {
			err = db_next(txn->db, (enum db_table)t, key, true,
				      &key, &row);
			if (err == ERR_OK)
				err = sink(arg, &(struct store_raw){
							(unsigned)t, key.at,
							key.len, row.at,
							row.len});
		}
		if (err != ERR_OK && err != ERR_NOTFOUND)
			return err;
	}
	return ERR_OK;
}

static enum err no_sink(void *arg, const struct store_raw *raw)
{
	(void)arg;
	(void)raw;
	return ERR_OK;
}

static enum err walk_body(struct db_txn *db, void *arg)
{
	struct store_txn txn = {.db = db};

	return store_rows(&txn, no_sink, arg);
}

enum err store_walk(struct store *store)
{
	return db_read(store->db, walk_body, NULL);
}

struct store_build {
	struct db_build *db;
	bool ends; /* an address may have an end */
};

/* When the first is, the next look at all will tell. */
static enum err put_end(struct store_build *build)
{
	struct row_key key = row_key_text(until_word);
	struct row row;
	enum err err = number_encode(&key, 0, &row);

	return err == ERR_OK ? db_build(build->db, DB_META, row_key_bytes(&key),
					row_bytes(&row))
			     : err;
}

/* Nothing of it is published. */
static enum err fill(struct db_txn *db, void *arg)
{
	struct store_txn txn = {.db = db};
	enum err err = meta_fill(db, arg);

	return err == ERR_OK ? store_pending_all_set(&txn, true) : err;
}

enum err store_build_start(const char *dir, struct store_build **ret_build)
{
	struct store_build *build = calloc(1, sizeof *build);
	enum err err;

	if (!build)
		return ERR_SYSTEM;
	err = db_build_start(dir, fill, NULL, &build->db);
	if (err != ERR_OK)
		free(build);
	else
		*ret_build = build;
	return err;
}

enum err store_build_row(struct store_build *build, const struct store_raw *raw)
{
	if (raw->table >= DB_TABLES || raw->table == DB_META ||
	    raw->table == DB_BYOWNER ||
	    raw->key_len == 0 || raw->key_len > STORE_KEY_MAX ||
	    raw->row_len > ROW_ENTRY_MAX)
		return ERR_DAMAGED;
	build->ends |= raw->table == DB_ADDRESS && raw->row_len &&
		       *(const uint8_t *)raw->row != ROW_VERSION;
	return db_build(build->db, (enum db_table)raw->table,
			(struct db_bytes){raw->key, raw->key_len},
			(struct db_bytes){raw->row, raw->row_len});
}

enum err store_build_end(struct store_build **build, bool keep)
{
	enum err err, end = ERR_OK;

	if (!*build)
		return ERR_OK;
	if (keep && (*build)->ends)
		end = put_end(*build);
	err = db_build_end(&(*build)->db, keep && end == ERR_OK);
	free(*build);
	*build = NULL;
	return end == ERR_OK ? err : end;
}

enum err store_gate(const char *dir, int *ret_fd)
{
	return db_gate(dir, ret_fd);
}

enum err store_id(struct store_txn *txn, uint8_t ret_id[STORE_ID_SIZE])
{
	struct row_key key = row_key_text("id");
	uint8_t id[STORE_ID_SIZE];
	struct record record;
	struct db_bytes row;
	size_t len;
	enum err err = db_get(txn->db, DB_META, row_key_bytes(&key), &row);

	if (err == ERR_OK)
		err = record_open(row.at, row.len, key.bytes, key.len,
				  ROW_VERSION, &record);
	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
	len = record_get_bytes(&record, id, sizeof id);
	err = record_end(&record);
	if (err == ERR_OK && len != sizeof id)
		err = ERR_DAMAGED;
	if (err == ERR_OK)
		memcpy(ret_id, id, sizeof id);
	return err;
}

enum err store_size(struct store_txn *txn, struct store_size *ret_size)
{
	struct db_size size;
	enum err err = db_size(txn->db, &size);

	_Static_assert((int)STORE_TABLES_ALL == (int)DB_TABLES,
		       "store_whole.h counts the tables of db.h");
	if (err != ERR_OK)
		return err;
	ret_size->file = size.file;
	ret_size->used = size.used;
	ret_size->freed = size.freed;
	for (int i = 0; i < DB_TABLES; i++) {
		ret_size->table[i].name = db_table_name((enum db_table)i);
		ret_size->table[i].rows = size.table[i].rows;
		ret_size->table[i].bytes = size.table[i].bytes;
	}
	return ERR_OK;
}
