/* SPDX-License-Identifier: MIT */
#include "db_write.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "db_private.h"
#include "db_writeset.h"

enum {
	MAP_START = 4 << 20, /* bytes of a new store's map */
	DRAIN_MS = 1000,     /* for a reader that was stopped */
	LOCK_SIZE = 8192,    /* bytes of a lock file for LMDB's 126 readers */
	DISK_FULL = 1 << 20, /* less free bytes than this */
};

/* Locks of other machines do not reach us there, and maps are not coherent. */
static enum err judge_filesystem(const char *dir)
{
	static const unsigned long magics[] = {
		NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
		SMB2_SUPER_MAGIC, V9FS_MAGIC, AFS_SUPER_MAGIC,
		AFS_FS_MAGIC, CODA_SUPER_MAGIC, CEPH_SUPER_MAGIC,
		FUSE_SUPER_MAGIC, 0x01161970 /* GFS2 */,
		0x0bd00bd0 /* Lustre */,
	};
	struct statfs fs;

	if (statfs(dir, &fs) != 0)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM;
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
		if (((unsigned long)fs.f_type & 0xffffffffUL) == magics[i])
			return ERR_INVALID;
	}
	return ERR_OK;
}

/* The file is kept as long as the map (its end is a hole): LMDB may count
 * pages as used that it never wrote, so the last page in use alone would not
 * tell a cut file from a whole one. A reader relies on it. */
static enum err match_length(struct db *db)
{
	MDB_envinfo info;
	struct stat st;

	(void)mdb_env_info(db->env, &info); /* of an open one */
	if (fstat(db->datafd, &st) != 0)
		return ERR_SYSTEM;
	if (st.st_size >= (off_t)info.me_mapsize)
		return ERR_OK;
	if (ftruncate(db->datafd, (off_t)info.me_mapsize) != 0)
		return db_err(errno);
	return ERR_OK;
}

/* LMDB makes its lock file a hole and writes into its map: on a full disk that
 * is a SIGBUS. So it finds one that has its blocks. Before LMDB has any lock on
 * it, since a close ends all that this process has. */
static enum err fill_lock(int dirfd)
{
	int fd = openat(dirfd, "lock.mdb",
			O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			0600);
	enum err err = ERR_OK;
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? ERR_DAMAGED
							: db_err(errno);
	if (fstat(fd, &st) != 0)
		err = ERR_SYSTEM;
	else if (!S_ISREG(st.st_mode))
		err = ERR_DAMAGED;
	else if (st.st_size < LOCK_SIZE)
		rc = posix_fallocate(fd, 0, LOCK_SIZE);
	(void)close(fd); /* nothing was written to it */
	return rc ? db_err(rc) : err;
}

/* Opens the directory, which is the gate, and the environment. */
static enum err open_env(const char *dir, bool fresh, struct db **ret_db)
{
	enum err err = judge_filesystem(dir);
	struct db *db = NULL;
	int dead;

	if (err == ERR_OK)
		err = db_env(&db);
	if (err != ERR_OK)
		return err;
	db->how = DB_TOOL;
	err = db_place(db, dir);
	db->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (err == ERR_OK && db->dirfd < 0)
		err = ERR_SYSTEM;
	if (err == ERR_OK &&
	    (fresh || faccessat(db->dirfd, "data.mdb", F_OK, 0) == 0))
		err = fill_lock(db->dirfd);
	if (fresh) /* nothing is open yet: it cannot fail */
		(void)mdb_env_set_mapsize(db->env, MAP_START);
	if (err == ERR_OK)
		err = db_env_open(db, dir, 0, fresh);
	/* Readers that were killed give their slots back. If that fails, the
	 * slots stay taken until the next time, and nothing else is wrong. */
	if (err == ERR_OK)
		(void)mdb_reader_check(db->env, &dead);
	if (err == ERR_OK)
		err = match_length(db);
	if (err == ERR_OK)
		err = db_placed(db);
	if (err != ERR_OK) {
		db_close(&db);
		return err;
	}
	*ret_db = db;
	return ERR_OK;
}

enum err db_open_write(const char *dir, struct db **ret_db)
{
	return open_env(dir, false, ret_db);
}

/* Readers of the login program hold a shared lock while they read. Waiting
 * for a moment without any of them, right before a transaction begins, means
 * that none of them reads a snapshot older than the last one, whose pages
 * this transaction leaves alone. A reader that was stopped in the middle does
 * not keep us for ever: it will notice by itself that it came too late. */
static void drain(struct db *db)
{
	if (db_flock(db->datafd, LOCK_EX, DRAIN_MS) == ERR_OK)
		(void)flock(db->datafd, LOCK_UN); /* of our own lock */
}

static enum err grow(struct db *db)
{
	MDB_envinfo info;
	int rc;

	(void)mdb_env_info(db->env, &info); /* of an open one */
	rc = mdb_env_set_mapsize(db->env, info.me_mapsize * 2);
	return rc ? db_err(rc) : match_length(db);
}

static enum err reserve(struct db *db, uint64_t bytes)
{
	MDB_envinfo info;
	MDB_stat stat;
	uint64_t want;
	int rc;

	(void)mdb_env_info(db->env, &info); /* of an open one */
	(void)mdb_env_stat(db->env, &stat);
	want = (info.me_last_pgno + 1) * stat.ms_psize + bytes;
	want += stat.ms_psize - want % stat.ms_psize;
	if (want <= info.me_mapsize)
		return ERR_OK;
	rc = mdb_env_set_mapsize(db->env, want);
	return rc ? db_err(rc) : match_length(db);
}

enum err db_reserve(struct db *db, uint64_t bytes)
{
	enum err err = db_flock(db->dirfd, LOCK_EX, DB_WAIT_MS);

	if (err != ERR_OK)
		return err;
	err = reserve(db, bytes);
	(void)flock(db->dirfd, LOCK_UN); /* of our own lock */
	return err;
}

/* Another process may have grown the file since we mapped it. */
static int begin(struct db *db, MDB_txn **ret_txn)
{
	int rc = mdb_txn_begin(db->env, NULL, 0, ret_txn);

	if (rc == MDB_MAP_RESIZED) {
		rc = mdb_env_set_mapsize(db->env, 0);
		if (rc == 0)
			rc = mdb_txn_begin(db->env, NULL, 0, ret_txn);
	}
	return rc;
}

/* LMDB answers EIO for a write that was cut short, which is what a disk does
 * that fills up in the middle of one. */
bool db_disk_full(int fd)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 &&
	       fs.f_bavail * fs.f_frsize < DISK_FULL;
}

/* *ret_full: it did not fit, nothing is changed, a larger map may help. */
static enum err write_once(struct db *db, db_body *body, void *arg, bool keep,
			   bool *ret_full)
{
	struct db_txn txn = {.db = db};
	enum err err;
	int rc;

	*ret_full = false;
	drain(db);
	rc = begin(db, &txn.txn);
	if (rc != 0)
		return db_err(rc);
	err = body(&txn, arg);
	db_cursors_close(&txn);
	*ret_full = err == ERR_FULL && txn.map_full;
	if (err != ERR_OK || !keep) {
		mdb_txn_abort(txn.txn);
		return err;
	}
	rc = mdb_txn_commit(txn.txn);
	*ret_full = rc == MDB_MAP_FULL;
	if (rc == EIO && db_disk_full(db->datafd))
		rc = ENOSPC;
	return db_err(rc);
}

enum err db_write(struct db *db, db_body *body, void *arg, bool keep)
{
	enum err err = db_flock(db->dirfd, LOCK_EX, DB_WAIT_MS);
	bool full = true;

	if (err != ERR_OK)
		return err;
	/* Whoever held the gate may have put another store here. */
	err = db_placed(db);
	if (err != ERR_OK)
		full = false;
	while (full) {
		err = write_once(db, body, arg, keep, &full);
		if (full && grow(db) != ERR_OK)
			full = false;
	}
	(void)flock(db->dirfd, LOCK_UN); /* of our own lock */
	return err;
}

static enum err put(struct db_txn *txn, enum db_table table,
		    struct db_bytes key, struct db_bytes *value,
		    unsigned flags)
{
	enum err err = db_table(txn, table,
				db_table_late(table) ? MDB_CREATE : 0);
	MDB_val k = db_val(key);
	MDB_val v = db_val(*value);
	int rc;

	if (err != ERR_OK)
		return err;
	rc = mdb_put(txn->txn, txn->dbi[table], &k, &v, flags);
	/* A full disk looks the same to the caller, but growing would not
	 * help it. */
	txn->map_full = txn->map_full || rc == MDB_MAP_FULL;
	*value = (struct db_bytes){v.mv_data, v.mv_size};
	if (rc == 0 && txn->writeset)
		return db_writeset_add(txn->writeset, table, key);
	return db_err(rc);
}

enum err db_put(struct db_txn *txn, enum db_table table, struct db_bytes key,
		struct db_bytes value)
{
	return put(txn, table, key, &value, 0);
}

enum err db_add(struct db_txn *txn, enum db_table table, struct db_bytes key,
		struct db_bytes value, struct db_bytes *ret_value)
{
	enum err err = put(txn, table, key, &value, MDB_NOOVERWRITE);

	if (err == ERR_EXISTS)
		*ret_value = value;
	return err;
}

enum err db_del(struct db_txn *txn, enum db_table table, struct db_bytes key)
{
	enum err err = db_table(txn, table, 0);
	MDB_val k = db_val(key);
	int rc;

	if (err != ERR_OK)
		return err;
	rc = mdb_del(txn->txn, txn->dbi[table], &k, NULL);
	/* A removal writes pages, too. */
	txn->map_full = txn->map_full || rc == MDB_MAP_FULL;
	if (rc == 0 && txn->writeset)
		return db_writeset_add(txn->writeset, table, key);
	return db_err(rc);
}

enum err db_clear(struct db_txn *txn, enum db_table table)
{
	enum err err = db_table(txn, table, 0);
	int rc;

	if (err != ERR_OK)
		return err;
	rc = mdb_drop(txn->txn, txn->dbi[table], 0);
	txn->map_full = txn->map_full || rc == MDB_MAP_FULL;
	return db_err(rc);
}

/* All tables at once, so that none is ever missing. */
struct creation {
	db_body *fill;
	void *arg;
};

static enum err create_tables(struct db_txn *txn, void *arg)
{
	const struct creation *creation = arg;
	enum err err = ERR_OK;

	for (int i = 0; err == ERR_OK && i < DB_TABLES; i++)
		err = db_table(txn, (enum db_table)i, MDB_CREATE);
	/* MAP_START is far above what eight empty tables need. */
	return err == ERR_OK ? creation->fill(txn, creation->arg) : err;
}

enum err db_create(const char *dir, db_body *fill, void *arg)
{
	struct creation creation = {fill, arg};
	struct db *db = NULL;
	enum err err = open_env(dir, true, &db);

	if (err != ERR_OK)
		return err;
	err = db_write(db, create_tables, &creation, true);
	db_close(&db);
	return err;
}
