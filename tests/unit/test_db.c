#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_write.h"
#include "store_write.h"

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

static off_t file_size(void)
{
	char path[96];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/data.mdb", dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
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
}

/* Where a branch page leads: the key from which on its second child is asked,
 * in the first branch page of the file. */
static off_t separator(int fd)
{
	enum { PAGE = 4096, FLAGS = 10, BRANCH = 1, NODES = 16, NODE = 8 };
	uint8_t page[PAGE];

	for (off_t at = 0; pread(fd, page, PAGE, at) == PAGE; at += PAGE) {
		unsigned node = page[NODES + 2] | page[NODES + 3] << 8;

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a removal that finds the map full grows it, as a new row does",
		 removal, set_up, tear_down, NULL},
		{"a walk has every row, and tells of one that a search would "
		 "not find",
		 walks, set_up, tear_down, NULL},
	};

	return RUN(tests);
}
