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

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a removal that finds the map full grows it, as a new row does",
		 removal, set_up, tear_down, NULL},
	};

	return RUN(tests);
}
