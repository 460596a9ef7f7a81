/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "db_private.h"

enum { READ_LOCK_MS = 100 };

const char *const db_table_names[DB_TABLES] = {
	[DB_META] = "meta",	  [DB_HANDLE] = "handle",
	[DB_DOMAIN] = "domain",	  [DB_BOX] = "box",
	[DB_ADDRESS] = "address", [DB_BYBOX] = "by-box",
	[DB_JOURNAL] = "journal", [DB_PARKED] = "parked",
	[DB_BYOWNER] = "by-owner", [DB_PENDING] = "pending",
};

enum err db_err(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return ERR_OK;
	case MDB_NOTFOUND:
		return ERR_NOTFOUND;
	case MDB_KEYEXIST:
		return ERR_EXISTS;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		errno = rc > 0 ? rc : ENOSPC;
		return ERR_FULL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_PANIC:
	case MDB_CURSOR_FULL:
	case MDB_INCOMPATIBLE:
	case MDB_BAD_VALSIZE:
	case MDB_BAD_TXN:
		return ERR_DAMAGED;
	case MDB_VERSION_MISMATCH:
		return ERR_SCHEMA;
	case MDB_READERS_FULL:
	case MDB_MAP_RESIZED:
		return ERR_BUSY;
	default:
		errno = rc > 0 ? rc : EIO;
		return ERR_SYSTEM;
	}
}

enum err db_flock(int fd, int operation, unsigned ms)
{
	const struct timespec step = {.tv_nsec = 1000000};

	for (unsigned waited = 0;; waited++) {
		if (flock(fd, operation | LOCK_NB) == 0)
			return ERR_OK;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return ERR_SYSTEM;
		if (waited >= ms)
			return ERR_BUSY;
		(void)nanosleep(&step, NULL); /* cut short: asks sooner */
	}
}

/* LMDB would print to descriptor 2, which may be the client's connection, and
 * then abort; the mains decide what an abort means. */
static void on_assert(MDB_env *env, const char *text)
{
	(void)env;
	(void)text;
	abort();
}

enum err db_env(struct db **ret_db)
{
	struct db *db = calloc(1, sizeof *db);
	int rc;

	if (!db)
		return ERR_SYSTEM;
	db->dirfd = db->datafd = -1;
	rc = mdb_env_create(&db->env);
	if (rc != 0) {
		db_close(&db);
		return db_err(rc);
	}
	/* Of an environment that is not opened yet these cannot fail. */
	(void)mdb_env_set_maxdbs(db->env, DB_TABLES);
	(void)mdb_env_set_assert(db->env, on_assert);
	*ret_db = db;
	return ERR_OK;
}

/* A file that ends before the last page in use is a SIGBUS at the first touch
 * of a page that is not there. The writer keeps the file as long as its map
 * (db_write.c), so a shorter one was cut. */
static enum err judge_length(const struct db *db)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;

	/* Of an environment that is open neither can fail. */
	(void)mdb_env_info(db->env, &info);
	(void)mdb_env_stat(db->env, &stat);
	if (fstat(db->datafd, &st) != 0)
		return ERR_SYSTEM;
	if ((uint64_t)st.st_size / stat.ms_psize < info.me_last_pgno + 1)
		return ERR_DAMAGED;
	return ERR_OK;
}

/* LMDB would wait for a pipe, write through a symbolic link, and answer an
 * empty file like none at all. */
static enum err judge_file(const char *dir, const char *name, bool must)
{
	char path[PATH_MAX];
	struct stat st;
	int len = snprintf(path, sizeof path, "%s/%s", dir, name);

	if ((size_t)len >= sizeof path) {
		errno = ENAMETOOLONG;
		return ERR_SYSTEM;
	}
	if (lstat(path, &st) != 0) {
		if (errno != ENOENT)
			return ERR_SYSTEM;
		return must ? ERR_NOTFOUND : ERR_OK;
	}
	if (!S_ISREG(st.st_mode) || (must && st.st_size == 0))
		return ERR_DAMAGED;
	return ERR_OK;
}

enum err db_env_open(struct db *db, const char *dir, unsigned flags,
		     bool fresh)
{
	enum err err = judge_file(dir, "data.mdb", !fresh);
	int rc;

	if (err == ERR_OK && !(flags & MDB_NOLOCK))
		err = judge_file(dir, "lock.mdb", false);
	if (err != ERR_OK)
		return err;
	rc = mdb_env_open(db->env, dir, flags, 0600);
	return rc ? db_err(rc) : db_env_opened(db);
}

enum err db_env_opened(struct db *db)
{
	(void)mdb_env_get_fd(db->env, &db->datafd); /* it is open */
	/* LMDB's data descriptor is not close-on-exec by itself: a POP server
	 * would inherit a readable descriptor on every hash. */
	if (fcntl(db->datafd, F_SETFD, FD_CLOEXEC) != 0)
		return ERR_SYSTEM;
	return judge_length(db);
}

enum err db_place(struct db *db, const char *dir)
{
	db->dir = strdup(dir);
	if (!db->dir)
		return ERR_SYSTEM;
	if (stat(dir, &db->place) != 0)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM;
	return ERR_OK;
}

enum err db_placed(const struct db *db)
{
	struct stat now;

	if (!db->dir)
		return ERR_OK;
	if (stat(db->dir, &now) != 0)
		return errno == ENOENT ? ERR_BUSY : ERR_SYSTEM;
	return now.st_dev == db->place.st_dev && now.st_ino == db->place.st_ino
		       ? ERR_OK
		       : ERR_BUSY;
}

enum err db_open(const char *dir, enum db_how how, struct db **ret_db)
{
	unsigned flags = MDB_RDONLY | (how == DB_LOGIN ? MDB_NOLOCK : 0);
	struct db *db = NULL;
	enum err err = db_env(&db);

	if (err != ERR_OK)
		return err;
	db->how = how;
	/* One byte: LMDB raises it to what the file uses. The file's own map
	 * size would be more than a `softlimit -m` may have left. Before the
	 * file is opened this cannot fail. */
	(void)mdb_env_set_mapsize(db->env, 1);
	if (how == DB_TOOL)
		err = db_place(db, dir);
	if (err == ERR_OK)
		err = db_env_open(db, dir, flags, false);
	/* The lock file of one store with the data of another would be read
	 * wrongly. */
	if (err == ERR_OK)
		err = db_placed(db);
	if (err != ERR_OK) {
		db_close(&db);
		return err;
	}
	*ret_db = db;
	return ERR_OK;
}

void db_close(struct db **db)
{
	int saved = errno;

	if (!*db)
		return;
	if ((*db)->env)
		mdb_env_close((*db)->env);
	if ((*db)->dirfd >= 0)
		(void)close((*db)->dirfd); /* nothing was written by it */
	free((*db)->dir);
	free(*db);
	*db = NULL;
	errno = saved;
}

void db_cursors_close(struct db_txn *txn)
{
	for (int i = 0; i < DB_TABLES; i++) {
		if (txn->cursor[i])
			mdb_cursor_close(txn->cursor[i]);
		txn->cursor[i] = NULL;
	}
}

/* One run of body in one snapshot. *ret_sure: its answer can be believed. */
static enum err read_once(struct db *db, db_body *body, void *arg,
			  bool *ret_sure)
{
	struct db_txn txn = {.db = db};
	MDB_envinfo info;
	enum err err;
	int rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn.txn);

	*ret_sure = rc != MDB_MAP_RESIZED;
	if (rc != 0)
		return db_err(rc);
	err = body(&txn, arg);
	db_cursors_close(&txn);
	if (db->how == DB_LOGIN) {
		size_t mine = mdb_txn_id(txn.txn);

		/* Pages of snapshot S are used again from transaction S+3 on,
		 * and its writer begins when S+2 is the last one. */
		rc = mdb_env_info(db->env, &info);
		*ret_sure = rc == 0 && info.me_last_txnid < mine + 2;
	}
	mdb_txn_abort(txn.txn);
	return err;
}

/* The map was smaller than the newest snapshot: take its size. */
static enum err remap(struct db *db)
{
	enum err err = judge_length(db);

	return err == ERR_OK ? db_err(mdb_env_set_mapsize(db->env, 0)) : err;
}

enum err db_read(struct db *db, db_body *body, void *arg)
{
	enum err placed = db_placed(db);

	if (placed != ERR_OK)
		return placed;
	for (int i = 0; i < DB_TRIES; i++) {
		bool locked = false, sure;
		enum err err;

		/* A writer waits for this lock before it begins, and never
		 * holds it while it writes. Not had in time: go on without,
		 * the look at the last transaction below still stands. Once
		 * the answer is sure the lock ends with db_close, which is a
		 * login's next step. */
		if (db->how == DB_LOGIN)
			locked = db_flock(db->datafd, LOCK_SH, READ_LOCK_MS) ==
				 ERR_OK;
		err = read_once(db, body, arg, &sure);
		if (sure)
			return err;
		if (locked)
			(void)flock(db->datafd, LOCK_UN); /* of our own lock */
		err = remap(db);
		if (err != ERR_OK)
			return err;
	}
	return ERR_BUSY;
}

/* LMDB's own order of keys. In a damaged page its search can go round for ever,
 * and this is the one call out of it: what compares more often than any tree is
 * high ends like an assertion of LMDB's. */
enum { COMPARED_MAX = 10000 };
static unsigned compared; /* since the last call of db_table */

static int compare(const MDB_val *a, const MDB_val *b)
{
	size_t len = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
	int order;

	if (++compared > COMPARED_MAX)
		on_assert(NULL, "a search goes round");
	order = memcmp(a->mv_data, b->mv_data, len);
	return order ? order
		     : (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}

int db_names(struct db_txn *txn, MDB_dbi *ret_names)
{
	int rc = mdb_dbi_open(txn->txn, NULL, 0, ret_names);

	return rc ? rc : mdb_set_compare(txn->txn, *ret_names, compare);
}

enum err db_txn_err(struct db_txn *txn, int rc)
{
	enum err err = db_err(rc);

	if (err == ERR_SYSTEM)
		txn->failed = errno;
	return err;
}

enum err db_table(struct db_txn *txn, enum db_table table, unsigned flags)
{
	unsigned kind = 0;
	MDB_dbi names;
	int rc;

	compared = 0;
	if (txn->open[table])
		return ERR_OK;
	rc = db_names(txn, &names);
	if (rc == 0)
		rc = mdb_dbi_open(txn->txn, db_table_names[table], flags,
				  &txn->dbi[table]);
	if (rc == 0)
		rc = mdb_set_compare(txn->txn, txn->dbi[table], compare);
	/* A store has all its tables from the first moment, but for those
	 * that came later. */
	if (rc == MDB_NOTFOUND)
		return db_table_late(table) ? ERR_NOTFOUND : ERR_DAMAGED;
	if (rc == 0)
		rc = mdb_dbi_flags(txn->txn, txn->dbi[table], &kind);
	/* None of ours has any: its row in LMDB's table has no checksum. */
	if (rc == 0 && kind != 0)
		return ERR_DAMAGED;
	if (rc == 0)
		txn->open[table] = true;
	return db_txn_err(txn, rc);
}

enum err db_get(struct db_txn *txn, enum db_table table, struct db_bytes key,
		struct db_bytes *ret_value)
{
	enum err err = db_table(txn, table, 0);
	MDB_val k = db_val(key), v;

	if (err != ERR_OK)
		return err;
	err = db_txn_err(txn, mdb_get(txn->txn, txn->dbi[table], &k, &v));
	if (err == ERR_OK)
		*ret_value = (struct db_bytes){v.mv_data, v.mv_size};
	return err;
}

enum err db_cursor(struct db_txn *txn, enum db_table table)
{
	enum err err = db_table(txn, table, 0);

	if (err != ERR_OK || txn->cursor[table])
		return err;
	return db_txn_err(txn, mdb_cursor_open(txn->txn, txn->dbi[table],
					       &txn->cursor[table]));
}

enum err db_next(struct db_txn *txn, enum db_table table, struct db_bytes from,
		 bool after, struct db_bytes *ret_key,
		 struct db_bytes *ret_value)
{
	MDB_val k = db_val(from), start = k, v;
	enum err err = db_cursor(txn, table);
	int rc, order = 1;

	if (err != ERR_OK)
		return err;
	/* An empty key cannot be searched for; it comes before all others. */
	rc = mdb_cursor_get(txn->cursor[table], &k, &v,
			    from.len ? MDB_SET_RANGE : MDB_FIRST);
	if (rc == 0 && from.len)
		order = mdb_cmp(txn->txn, txn->dbi[table], &k, &start);
	if (rc == 0 && after && order == 0) {
		rc = mdb_cursor_get(txn->cursor[table], &k, &v, MDB_NEXT);
		if (rc == 0)
			order = mdb_cmp(txn->txn, txn->dbi[table], &k, &start);
	}
	if (rc != 0)
		return db_txn_err(txn, rc);
	/* In a damaged tree a walk could go round for ever; LMDB itself takes
	 * no empty key. */
	if (k.mv_size == 0 || order < 0 || (after && order == 0))
		return ERR_DAMAGED;
	*ret_key = (struct db_bytes){k.mv_data, k.mv_size};
	*ret_value = (struct db_bytes){v.mv_data, v.mv_size};
	return ERR_OK;
}

enum err db_last(struct db_txn *txn, enum db_table table,
		 struct db_bytes *ret_key, struct db_bytes *ret_value)
{
	enum err err = db_cursor(txn, table);
	MDB_val k, v;

	if (err != ERR_OK)
		return err;
	err = db_txn_err(txn, mdb_cursor_get(txn->cursor[table], &k, &v,
					     MDB_LAST));
	if (err != ERR_OK)
		return err;
	*ret_key = (struct db_bytes){k.mv_data, k.mv_size};
	*ret_value = (struct db_bytes){v.mv_data, v.mv_size};
	return ERR_OK;
}
