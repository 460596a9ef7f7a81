/* SPDX-License-Identifier: MIT */
#include "db_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "db_private.h"
#include "db_write.h"

enum {
	BATCH = 32 << 20,     /* bytes of one commit while building */
	COPY_ROOM = 4 << 20, /* bytes of a change of a copy */
};

enum err db_copy(struct db *db, int fd)
{
	enum err err = db_placed(db);
	int rc = 0;

	if (err == ERR_OK)
		rc = mdb_env_copyfd2(db->env, fd, MDB_CP_COMPACT);
	if (rc == EIO && db_disk_full(fd))
		rc = ENOSPC;
	return err == ERR_OK ? db_err(rc) : err;
}

/* map: 0 leaves it to the file. */
static enum err open_file(const char *path, unsigned flags, size_t map,
			  struct db **ret_db)
{
	struct db *db;
	enum err err = db_env(&db);

	if (err != ERR_OK)
		return err;
	db->how = DB_TOOL;
	err = db_err(mdb_env_set_mapsize(db->env, map));
	if (err == ERR_OK)
		err = db_err(mdb_env_open(db->env, path,
					  flags | MDB_NOSUBDIR | MDB_NOLOCK,
					  0600));
	if (err == ERR_OK)
		err = db_env_opened(db);
	if (err != ERR_OK) {
		db_close(&db);
		return err;
	}
	*ret_db = db;
	return ERR_OK;
}

/* As in db_open: the map is as large as what is used. */
enum err db_open_copy(const char *path, struct db **ret_db)
{
	return open_file(path, MDB_RDONLY, 1, ret_db);
}

/* LMDB may count pages as used that it never wrote; the file must not end
 * before them (db.c). */
static enum err cover(const struct db *db)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;
	uint64_t want;
	enum err err = db_err(mdb_env_info(db->env, &info));

	if (err == ERR_OK)
		err = db_err(mdb_env_stat(db->env, &stat));
	if (err != ERR_OK)
		return err;
	want = (info.me_last_pgno + 1) * stat.ms_psize;
	if (fstat(db->datafd, &st) != 0)
		return ERR_SYSTEM;
	if ((uint64_t)st.st_size >= want)
		return ERR_OK;
	return ftruncate(db->datafd, (off_t)want) == 0 ? ERR_OK
						       : db_err(errno);
}

/* Without db_write's locks: whoever made the file has one on it. */
static enum err write_copy(struct db *db, db_body *body, void *arg)
{
	struct db_txn txn = {.db = db};
	enum err err = db_err(mdb_txn_begin(db->env, NULL, 0, &txn.txn));
	int rc;

	if (err != ERR_OK)
		return err;
	err = body(&txn, arg);
	db_cursors_close(&txn);
	if (err != ERR_OK) {
		mdb_txn_abort(txn.txn);
		return err;
	}
	rc = mdb_txn_commit(txn.txn);
	if (rc == EIO && db_disk_full(db->datafd))
		rc = ENOSPC;
	return db_err(rc);
}

enum err db_copy_write(const char *path, db_body *body, void *arg)
{
	struct db *db = NULL;
	struct stat st;
	enum err err = stat(path, &st) == 0 ? ERR_OK : ERR_SYSTEM;

	if (err == ERR_OK)
		err = open_file(path, 0, (size_t)st.st_size + COPY_ROOM, &db);
	if (err != ERR_OK)
		return err;
	err = write_copy(db, body, arg);
	if (err == ERR_OK)
		err = cover(db);
	db_close(&db);
	return err;
}

enum err db_gate(const char *dir, int *ret_fd)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat mine, named;
	enum err err;

	if (fd < 0)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM;
	err = db_flock(fd, LOCK_EX, DB_WAIT_MS);
	/* Whoever held it may have put another store here. */
	if (err == ERR_OK &&
	    (fstat(fd, &mine) != 0 || stat(dir, &named) != 0 ||
	     mine.st_dev != named.st_dev || mine.st_ino != named.st_ino))
		err = ERR_BUSY;
	if (err == ERR_OK)
		*ret_fd = fd;
	else
		(void)close(fd); /* nothing was written to it */
	return err;
}

/* The rows of one commit are kept until it is made, so that a map that is full
 * costs a larger one and nothing else. */
struct row_held {
	enum db_table table;
	size_t key, value; /* bytes */
};

struct db_build {
	struct db *db;
	uint8_t *held; /* BATCH bytes of row_held, key, value; and again */
	size_t len;
};

static void build_free(struct db_build *build)
{
	db_close(&build->db);
	if (build->held)
		explicit_bzero(build->held, BATCH); /* hashes are in it */
	free(build->held);
	free(build);
}

enum err db_build_start(const char *dir, db_body *fill, void *arg,
			struct db_build **ret_build)
{
	struct db_build *build = calloc(1, sizeof *build);
	enum err err;

	if (!build)
		return ERR_SYSTEM;
	build->held = malloc(BATCH);
	err = build->held ? db_create(dir, fill, arg) : ERR_SYSTEM;
	if (err == ERR_OK)
		err = db_open_write(dir, &build->db);
	/* Half a database is none: only the end need be on the disk. */
	if (err == ERR_OK)
		err = db_err(mdb_env_set_flags(build->db->env, MDB_NOSYNC, 1));
	if (err != ERR_OK)
		build_free(build);
	else
		*ret_build = build;
	return err;
}

static enum err append(struct db_txn *txn, const struct row_held *row,
		       uint8_t *bytes)
{
	MDB_val key = {row->key, bytes}, value = {row->value, bytes + row->key};
	enum err err = db_table(txn, row->table, 0);
	int rc;

	if (err != ERR_OK)
		return err;
	rc = mdb_put(txn->txn, txn->dbi[row->table], &key, &value, MDB_APPEND);
	txn->map_full = rc == MDB_MAP_FULL; /* then it is the last row */
	return db_err(rc);
}

static enum err append_all(struct db_txn *txn, void *arg)
{
	struct db_build *build = arg;
	struct row_held row;
	enum err err = ERR_OK;

	for (size_t at = 0; err == ERR_OK && at < build->len;
	     at += sizeof row + row.key + row.value) {
		memcpy(&row, build->held + at, sizeof row);
		err = append(txn, &row, build->held + at + sizeof row);
	}
	return err;
}

static enum err flush(struct db_build *build)
{
	enum err err = db_write(build->db, append_all, build, true);

	build->len = 0;
	return err;
}

enum err db_build(struct db_build *build, enum db_table table,
		  struct db_bytes key, struct db_bytes value)
{
	struct row_held row = {table, key.len, value.len};
	size_t need = sizeof row + key.len + value.len;
	uint8_t *at;

	if (key.len == 0 || key.len > BATCH / 4 || value.len > BATCH / 4)
		return ERR_DAMAGED;
	if (need > BATCH - build->len) {
		enum err err = flush(build);

		if (err != ERR_OK)
			return err;
	}
	at = build->held + build->len;
	memcpy(at, &row, sizeof row);
	memcpy(at + sizeof row, key.at, key.len);
	if (value.len)
		memcpy(at + sizeof row + key.len, value.at, value.len);
	build->len += need;
	return ERR_OK;
}

enum err db_build_end(struct db_build **build, bool keep)
{
	struct db_build *b = *build;
	enum err err = ERR_OK;

	if (!b)
		return ERR_OK;
	if (keep)
		err = flush(b);
	if (keep && err == ERR_OK)
		err = db_err(mdb_env_sync(b->db->env, 1));
	build_free(b);
	*build = NULL;
	return err;
}

/* Table FREE_DBI of LMDB: of each transaction a list of pages, its length
 * first. */
static enum err count_freed(struct db_txn *txn, uint64_t *ret_pages)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t pages = 0;
	int rc = mdb_cursor_open(txn->txn, 0, &cursor);

	if (rc != 0)
		return db_err(rc);
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		size_t count;

		memcpy(&count, value.mv_data, sizeof count);
		pages += count;
	}
	mdb_cursor_close(cursor);
	if (rc != MDB_NOTFOUND)
		return db_err(rc);
	*ret_pages = pages;
	return ERR_OK;
}

const char *db_table_name(enum db_table table)
{
	return db_table_names[table];
}

enum err db_size(struct db_txn *txn, struct db_size *ret_size)
{
	struct db_size size = {0};
	uint64_t pages = 0;
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;
	enum err err = db_err(mdb_env_info(txn->db->env, &info));

	if (err == ERR_OK)
		err = db_err(mdb_env_stat(txn->db->env, &stat));
	if (err == ERR_OK && fstat(txn->db->datafd, &st) != 0)
		err = ERR_SYSTEM;
	if (err == ERR_OK)
		err = count_freed(txn, &pages);
	if (err != ERR_OK)
		return err;
	size.file = (uint64_t)st.st_size;
	size.freed = pages * stat.ms_psize;
	size.used = (info.me_last_pgno + 1) * stat.ms_psize - size.freed;
	for (int i = 0; err == ERR_OK && i < DB_TABLES; i++) {
		err = db_table(txn, (enum db_table)i, 0);
		if (err == ERR_NOTFOUND) { /* the table that came later */
			err = ERR_OK;
			continue;
		}
		if (err == ERR_OK)
			err = db_err(mdb_stat(txn->txn, txn->dbi[i], &stat));
		size.table[i].rows = stat.ms_entries;
		size.table[i].bytes =
			(stat.ms_branch_pages + stat.ms_leaf_pages +
			 stat.ms_overflow_pages) *
			stat.ms_psize;
	}
	if (err == ERR_OK)
		*ret_size = size;
	return err;
}
