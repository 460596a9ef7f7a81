/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/db/db_private.h"
#include "store/db/db_write.h"
#include "store/store_write.h"

enum {
	ROWS = 9800, /* seven a page: more than half of a map of 8 MiB */
	KEY = 500,
};

static char dir[64];
static struct db *db;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/popbox-unit.XXXXXX");
	return !mkdtemp(dir) || store_create(dir) != ERR_OK ||
	       db_open_write(dir, &db) != ERR_OK;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	(void)state;
	db_close(&db);
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlinkat(fd, names[i], 0);
	close(fd);
	return rmdir(dir);
}

static struct db_bytes key_of(unsigned number)
{
	static char text[KEY + 1];

	(void)snprintf(text, sizeof text, "%0*u", KEY, number);
	return (struct db_bytes){text, KEY};
}

static enum err put_all(struct db_txn *txn, void *arg)
{
	enum err err = ERR_OK;

	(void)arg;
	for (unsigned i = 0; err == ERR_OK && i < ROWS; i++)
		err = db_put(txn, DB_BYOWNER, key_of(i),
			     (struct db_bytes){"x", 1});
	return err;
}

/* One row of each page, so that every page is written anew and none is free. */
static enum err del_some(struct db_txn *txn, void *arg)
{
	enum err err = ERR_OK;

	++*(unsigned *)arg;
	for (unsigned i = 0; err == ERR_OK && i < ROWS; i += 7)
		err = db_del(txn, DB_BYOWNER, key_of(i));
	return err;
}

static const char *data(void)
{
	static char path[96];

	(void)snprintf(path, sizeof path, "%s/data.mdb", dir);
	return path;
}

static off_t file_size(void)
{
	struct stat st;

	assert_int_equal(stat(data(), &st), 0);
	return st.st_size;
}

/* Of the map; the file is as long, or a reader would take it for a cut one. */
static off_t map_size(void)
{
	MDB_envinfo info;

	assert_int_equal(mdb_env_info(db->env, &info), 0);
	return (off_t)info.me_mapsize;
}

static void removal(void **state)
{
	unsigned runs = 0;
	off_t before;

	(void)state;
	assert_int_equal(db_write(db, put_all, NULL, true), ERR_OK);
	before = file_size();
	assert_int_equal(db_write(db, del_some, &runs, true), ERR_OK);
	/* It did meet the full map. */
	assert_int_equal(runs, 2);
	assert_true(file_size() > before);
	assert_int_equal(file_size(), map_size());
}

/* Where a branch page leads: the key from which on its second child is asked,
 * in the first branch page of the file. */
static off_t separator(int fd)
{
	enum { PAGE = 4096, FLAGS = 10, BRANCH = 1, NODES = 16, NODE = 8 };
	uint8_t page[PAGE];

	for (off_t at = 0; pread(fd, page, PAGE, at) == PAGE; at += PAGE) {
		unsigned node = page[NODES + 2] |
				(unsigned)page[NODES + 3] << 8;

		if (page[FLAGS] == BRANCH && page[FLAGS + 1] == 0)
			return at + node + NODE;
	}
	fail_msg("no branch page");
	return -1;
}

struct walked {
	enum db_table table;
	unsigned rows;
};

static enum err walk(struct db_txn *txn, void *arg)
{
	struct walked *walked = arg;
	struct db_walk at = {.txn = txn, .table = walked->table};
	enum err err;

	for (walked->rows = 0; (err = db_walk_next(&at)) == ERR_OK;)
		walked->rows++;
	return err;
}

/* Adds to the number that the separator is, and says what a walk makes of it. */
static enum err walk_astray(int fd, off_t at, int more)
{
	struct walked walked = {.table = DB_BYOWNER};
	char digits[KEY + 1] = "";
	enum err err;

	assert_int_equal(pread(fd, digits, KEY, at), KEY);
	assert_int_equal(
		pwrite(fd, key_of((unsigned)(atoi(digits + KEY - 6) + more)).at,
		       KEY, at),
		KEY);
	err = db_read(db, walk, &walked);
	assert_int_equal(pwrite(fd, digits, KEY, at), KEY);
	return err;
}

static void walks(void **state)
{
	struct walked walked = {.table = DB_BYOWNER};
	char path[96];
	off_t at;
	int fd;

	(void)state;
	assert_int_equal(db_read(db, walk, &walked), ERR_NOTFOUND);
	assert_int_equal(walked.rows, 0);
	assert_int_equal(db_write(db, put_all, NULL, true), ERR_OK);
	assert_int_equal(db_read(db, walk, &walked), ERR_NOTFOUND);
	assert_int_equal(walked.rows, ROWS);
	(void)snprintf(path, sizeof path, "%s/data.mdb", dir);
	fd = open(path, O_RDWR);
	at = separator(fd);
	assert_int_equal(walk_astray(fd, at, 0), ERR_NOTFOUND);
	assert_int_equal(walk_astray(fd, at, 1), ERR_DAMAGED);
	assert_int_equal(walk_astray(fd, at, -1), ERR_DAMAGED);
	assert_int_equal(walk_astray(fd, at, 0), ERR_NOTFOUND);
	close(fd);
}

/* A writer that waits for no reader: in LMDB's own way, two commits. */
static bool commit_twice(char value)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = {1, "k"}, v = {1, &value};
	bool good = mdb_env_create(&env) == 0 &&
		    mdb_env_set_maxdbs(env, DB_TABLES) == 0 &&
		    mdb_env_open(env, dir, 0, 0600) == 0;

	for (int i = 0; good && i < 2; i++)
		good = mdb_txn_begin(env, NULL, 0, &txn) == 0 &&
		       mdb_dbi_open(txn, "by-owner", 0, &dbi) == 0 &&
		       mdb_put(txn, dbi, &k, &v, 0) == 0 &&
		       mdb_txn_commit(txn) == 0;
	return good;
}

/* A look at one row, during which others write as often as is wished. */
struct looking {
	unsigned runs, overtaken;
	char seen;
};

static enum err look(struct db_txn *txn, void *arg)
{
	struct looking *looking = arg;
	struct db_bytes value;
	enum err err = db_get(txn, DB_BYOWNER, (struct db_bytes){"k", 1},
			      &value);
	int status;
	pid_t pid;

	if (err != ERR_OK)
		return err;
	looking->seen = *(const char *)value.at;
	if (looking->runs++ >= looking->overtaken)
		return ERR_OK;
	pid = fork(); /* an environment is opened once a process */
	if (pid == 0)
		_exit(commit_twice((char)(looking->seen + 1)) ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return ERR_OK;
}

static enum err put_first(struct db_txn *txn, void *arg)
{
	(void)arg;
	return db_put(txn, DB_BYOWNER, (struct db_bytes){"k", 1},
		      (struct db_bytes){"a", 1});
}

static struct db *reader_of_first(void)
{
	struct db *reader = NULL;

	assert_int_equal(db_write(db, put_first, NULL, true), ERR_OK);
	assert_int_equal(db_open(dir, DB_LOGIN, &reader), ERR_OK);
	return reader;
}

static void overtaken(void **state)
{
	struct looking once = {.overtaken = 1}, always = {.overtaken = 99};
	struct db *reader = reader_of_first();

	(void)state;
	assert_int_equal(db_read(reader, look, &once), ERR_OK);
	assert_int_equal(once.runs, 2);
	assert_int_equal(once.seen, 'b');
	assert_int_equal(db_read(reader, look, &always), ERR_BUSY);
	assert_int_equal(always.runs, DB_TRIES);
	db_close(&reader);
}

static void outgrown(void **state)
{
	struct looking looking = {.overtaken = 0};
	struct db *reader = reader_of_first(), *cut = reader_of_first();

	(void)state;
	assert_int_equal(db_write(db, put_all, NULL, true), ERR_OK);
	assert_int_equal(db_read(reader, look, &looking), ERR_OK);
	assert_int_equal(looking.seen, 'a');
	db_close(&reader);
	/* What is there no more is never touched. */
	assert_int_equal(truncate(data(), 12288), 0);
	assert_int_equal(db_read(cut, look, &looking), ERR_DAMAGED);
	assert_int_equal(looking.runs, 1);
	db_close(&cut);
}

static void locked_out(void **state)
{
	struct looking looking = {.overtaken = 0};
	struct db *reader = reader_of_first();
	int fd = open(data(), O_RDONLY);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(db_read(reader, look, &looking), ERR_OK);
	assert_int_equal(looking.seen, 'a');
	close(fd);
	db_close(&reader);
}

static enum err add_second(struct db_txn *txn, void *arg)
{
	(void)arg;
	return db_put(txn, DB_BYOWNER, (struct db_bytes){"l", 1},
		      (struct db_bytes){"b", 1});
}

/* A reader of the login program, in a process of its own: it holds the lock,
 * says so, and says when it gives it up, a little before it does. */
static pid_t start_reader(int *ret_says)
{
	int says[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(says), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(data(), O_RDONLY);
		bool good = flock(fd, LOCK_SH) == 0 &&
			    write(says[1], "h", 1) == 1 &&
			    usleep(200 * 1000) == 0 &&
			    write(says[1], "g", 1) == 1 && close(fd) == 0;

		_exit(good ? 0 : 1);
	}
	close(says[1]);
	assert_int_equal(read(says[0], &byte, 1), 1);
	assert_int_equal(byte, 'h');
	*ret_says = says[0];
	return pid;
}

static void waited_for(void **state)
{
	int says, status;
	char byte = 0;
	pid_t pid = start_reader(&says);

	(void)state;
	assert_int_equal(fcntl(says, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(db_write(db, add_second, NULL, true), ERR_OK);
	/* It had given the lock up by then. */
	assert_int_equal(read(says, &byte, 1), 1);
	assert_int_equal(byte, 'g');
	close(says);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* One of the tool's readers that is killed in the middle of a look. */
static enum err die(struct db_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	_exit(0);
}

/* Has the store open until it is killed: who opens a store that nobody has open
 * clears its readers. */
static pid_t start_holder(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct db *mine;

		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
		    db_open(dir, DB_TOOL, &mine) != ERR_OK ||
		    write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void killed_readers(void **state)
{
	enum { SLOTS = 126 }; /* LMDB's */
	struct looking looking = {.overtaken = 0};
	pid_t holder;
	int status;

	(void)state;
	assert_int_equal(db_write(db, put_first, NULL, true), ERR_OK);
	db_close(&db);
	holder = start_holder();
	for (int i = 0; i < SLOTS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct db *mine;

			if (db_open(dir, DB_TOOL, &mine) == ERR_OK &&
			    db_read(mine, die, NULL) == ERR_OK)
				_exit(2);
			_exit(1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	assert_int_equal(db_open_write(dir, &db), ERR_OK);
	assert_int_equal(db_read(db, look, &looking), ERR_OK);
	assert_int_equal(looking.seen, 'a');
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, &status, 0), holder);
}

static void errors(void **state)
{
	static const struct {
		int rc;
		enum err want;
		int number; /* errno afterwards; 0: whatever it was */
	} cases[] = {
		{MDB_SUCCESS, ERR_OK, 0},
		{MDB_NOTFOUND, ERR_NOTFOUND, 0},
		{MDB_KEYEXIST, ERR_EXISTS, 0},
		{MDB_MAP_FULL, ERR_FULL, ENOSPC},
		{ENOSPC, ERR_FULL, ENOSPC},
		{EDQUOT, ERR_FULL, EDQUOT},
		{EFBIG, ERR_FULL, EFBIG},
		{MDB_CORRUPTED, ERR_DAMAGED, 0},
		{MDB_PAGE_NOTFOUND, ERR_DAMAGED, 0},
		{MDB_INVALID, ERR_DAMAGED, 0},
		{MDB_PANIC, ERR_DAMAGED, 0},
		{MDB_CURSOR_FULL, ERR_DAMAGED, 0},
		{MDB_INCOMPATIBLE, ERR_DAMAGED, 0},
		{MDB_BAD_VALSIZE, ERR_DAMAGED, 0},
		{MDB_BAD_TXN, ERR_DAMAGED, 0},
		{MDB_VERSION_MISMATCH, ERR_SCHEMA, 0},
		{MDB_READERS_FULL, ERR_BUSY, 0},
		{MDB_MAP_RESIZED, ERR_BUSY, 0},
		{MDB_DBS_FULL, ERR_SYSTEM, EIO},
		{EACCES, ERR_SYSTEM, EACCES},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		errno = EDOM;
		assert_int_equal(db_err(cases[i].rc), cases[i].want);
		assert_int_equal(errno, cases[i].number ? cases[i].number
							: EDOM);
	}
}

/* Each says something of its own, even what is no error of ours. */
static void texts(void **state)
{
	(void)state;
	for (int a = ERR_OK; a <= ERR_SYSTEM + 1; a++) {
		assert_true(strlen(err_text((enum err)a)) > 3);
		for (int b = ERR_OK; b < a; b++)
			assert_string_not_equal(err_text((enum err)a),
						err_text((enum err)b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a removal that finds the map full grows it and the file, as a new "
		 "row does",
		 removal, set_up, tear_down, NULL},
		{"a walk has every row, and tells of one that a search would "
		 "not find",
		 walks, set_up, tear_down, NULL},
		{"a look that writers overtook is made again, and never believed",
		 overtaken, set_up, tear_down, NULL},
		{"a store that has outgrown a reader's map is read on, a cut one "
		 "is not", outgrown, set_up, tear_down, NULL},
		{"a lock that is never given back holds up no reader",
		 locked_out, set_up, tear_down, NULL},
		{"a writer waits for a reader that LMDB does not see",
		 waited_for, set_up, tear_down, NULL},
		{"as many readers as there is room for may be killed: a writer "
		 "gives their room back", killed_readers, set_up, tear_down,
		 NULL},
		SAYS("each error of LMDB's is one of ours", errors),
		SAYS("each error has its text", texts),
	};

	return RUN(tests);
}
