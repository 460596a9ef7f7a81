/* SPDX-License-Identifier: MIT */
#include "failing.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/secret.h"
#include "store/store_whole.h"
#include "store/store_write.h"

static char dir[64], copy[96], other[64];
static struct store *store;
static const struct store_actor actor = {0, "unit", "test"};

/* A directory may come to lie on another disk, under the same number there. */
static dev_t other_disk;
static ino_t other_number;

int stat(const char *path, struct stat *st)
{
	const int rc = failing_now("stat") ? -1 : FAILING_REAL(stat)(path, st);

	if (rc == 0) {
		st->st_dev += other_disk;
		st->st_ino += other_number;
	}
	return rc;
}

FAILING(int, fstat, (int fd, struct stat *st), (fd, st))

static void remove_dir(const char *path)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "copy"};
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlinkat(fd, names[i], 0);
	close(fd);
	(void)rmdir(path);
}

static enum err add_some(struct store_txn *txn, void *arg)
{
	struct name_handle name;
	enum err err = ERR_OK;

	for (unsigned i = 0; err == ERR_OK && i < *(unsigned *)arg; i++) {
		char text[NAME_HANDLE_MAX + 1];
		int len = snprintf(text, sizeof text, "h%u", i);

		assert_null(name_handle_read(text, (size_t)len, &name));
		err = store_handle_add(txn, &name);
		for (uint32_t b = 1; err == ERR_OK && b <= 3; b++)
			err = store_box_add(
				txn, &(struct store_box){.name = {name, b}});
	}
	return err;
}

static int set_up(void **state)
{
	unsigned some = 300;
	uint64_t last;

	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/popbox-unit.XXXXXX");
	(void)snprintf(other, sizeof other, "/tmp/popbox-unit.XXXXXX");
	if (!mkdtemp(dir) || !mkdtemp(other) || store_create(dir) != ERR_OK ||
	    store_open_write(dir, &store) != ERR_OK)
		return 1;
	(void)snprintf(copy, sizeof copy, "%s/copy", dir);
	return store_write(store, &actor, add_some, &some, true, &last) !=
	       ERR_OK;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(&store);
	remove_dir(dir);
	remove_dir(other);
	return 0;
}

static void make_copy(void)
{
	int fd = open(copy, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(store_copy(store, fd), ERR_OK);
	close(fd);
}

struct seen {
	char settings[65536];
	size_t len;
	enum err err;
	uint8_t id[STORE_ID_SIZE];
	struct store_size size;
	uint64_t rows[STORE_TABLES_ALL];
	struct store_build *build;
	uint64_t published;
};

static enum err take_row(void *arg, const struct store_raw *raw)
{
	struct seen *seen = arg;

	seen->rows[raw->table]++;
	return seen->build ? store_build_row(seen->build, raw) : ERR_OK;
}

static void on_finding(void *arg, unsigned rule, const char *object,
		       const char *what)
{
	(void)arg;
	print_message("# rule %u: %s: %s\n", rule, object, what);
}

static enum err look(struct store_txn *txn, void *arg)
{
	struct seen *seen = arg;
	unsigned long found;

	memset(seen->rows, 0, sizeof seen->rows);
	seen->err = store_settings(txn, seen->settings, &seen->len);
	assert_int_equal(store_id(txn, seen->id), ERR_OK);
	assert_int_equal(store_size(txn, &seen->size), ERR_OK);
	assert_int_equal(store_rows(txn, take_row, seen), ERR_OK);
	assert_int_equal(store_check(txn, on_finding, NULL, &found), ERR_OK);
	assert_int_equal(found, 0);
	return store_published(txn, &seen->published);
}

static void look_copy(struct seen *seen)
{
	struct store *read;

	assert_int_equal(store_open_copy(copy, &read), ERR_OK);
	assert_int_equal(store_read(read, look, seen), ERR_OK);
	store_close(&read);
}

static void test_copy(void **state)
{
	static struct seen was, is;

	(void)state;
	assert_int_equal(store_read(store, look, &was), ERR_OK);
	assert_int_equal(was.err, ERR_NOTFOUND);
	make_copy();
	look_copy(&is);
	assert_int_equal(is.err, ERR_NOTFOUND);
	assert_memory_equal(was.id, is.id, sizeof is.id);
	assert_memory_equal(was.rows, is.rows, sizeof is.rows);
	assert_int_not_equal(is.size.table[0].rows, 0); /* the copy's own */
	for (size_t i = 1; i < STORE_TABLES_ALL; i++) {
		assert_int_equal(is.size.table[i].rows, is.rows[i]);
		assert_int_equal(!is.size.table[i].bytes, !is.rows[i]);
	}
	assert_int_equal(is.size.freed, 0);
	assert_int_equal(is.size.file, is.size.used);
}

static void test_settings(void **state)
{
	static const size_t lens[] = {0, 1, 32767, 32768, 32769, 65535, 65536};
	static struct seen seen;
	static char text[65536];

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)('a' + i % 26);
	for (size_t i = 0; i < COUNT(lens); i++) {
		make_copy();
		assert_int_equal(store_copy_settings(copy, text, lens[i]),
				 ERR_OK);
		look_copy(&seen);
		assert_int_equal(seen.err, ERR_OK);
		assert_int_equal(seen.len, lens[i]);
		assert_memory_equal(seen.settings, text, lens[i]);
	}
	assert_int_not_equal(store_copy_settings(copy, text, 70000), ERR_OK);
}

/* A copy on a descriptor that takes nothing is no copy. */
static void test_full(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_int_equal(store_copy(store, fd), ERR_FULL);
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

/* How much is left is asked for when something did not fit, and only then. */
static bool disk_is_full;

int fstatvfs(int fd, struct statvfs *fs)
{
	(void)fd;
	*fs = (struct statvfs){.f_frsize = 4096,
			       .f_bavail = disk_is_full ? 0 : 1 << 20};
	return 0;
}

static enum err add_one(struct store_txn *txn, void *arg)
{
	struct name_handle name;

	(void)arg;
	assert_null(name_handle_read(BYTES("one"), &name));
	return store_handle_add(txn, &name);
}

static void test_fits(void **state)
{
	static struct seen seen;
	uint64_t last;

	(void)state;
	disk_is_full = true;
	make_copy();
	assert_int_equal(store_copy_settings(copy, "text", 4), ERR_OK);
	assert_int_equal(store_write(store, &actor, add_one, NULL, true, &last),
			 ERR_OK);
	assert_int_equal(store_build_start(other, &seen.build), ERR_OK);
	assert_int_equal(store_read(store, look, &seen), ERR_OK);
	assert_int_equal(store_build_end(&seen.build, true), ERR_OK);
	disk_is_full = false;
}

static void test_build(void **state)
{
	static struct seen was, is;
	struct store *built;

	(void)state;
	assert_int_equal(store_build_start(other, &was.build), ERR_OK);
	assert_int_equal(store_read(store, look, &was), ERR_OK);
	assert_int_equal(store_build_end(&was.build, true), ERR_OK);
	assert_null(was.build);
	assert_int_equal(store_open_read(other, &built), ERR_OK);
	assert_int_equal(store_read(built, look, &is), ERR_OK);
	store_close(&built);
	assert_memory_equal(was.rows, is.rows, sizeof is.rows);
	assert_int_not_equal(memcmp(was.id, is.id, sizeof is.id), 0);
	assert_int_equal(is.published, 0);
	assert_int_equal(store_build_start(other, &was.build), ERR_EXISTS);
}

static void test_build_refuses(void **state)
{
	static const uint8_t bytes[STORE_KEY_MAX + 1] = {1};
	struct store_raw good = {1, bytes, 3, bytes, 9}, raw;
	struct store_build *build;

	(void)state;
	assert_int_equal(store_build_start(other, &build), ERR_OK);
	raw = good;
	raw.table = 0; /* meta is the builder's */
	assert_int_equal(store_build_row(build, &raw), ERR_DAMAGED);
	raw.table = STORE_TABLES_ALL;
	assert_int_equal(store_build_row(build, &raw), ERR_DAMAGED);
	raw = good;
	raw.key_len = 0;
	assert_int_equal(store_build_row(build, &raw), ERR_DAMAGED);
	raw.key_len = STORE_KEY_MAX + 1;
	assert_int_equal(store_build_row(build, &raw), ERR_DAMAGED);
	raw = good;
	raw.row_len = SIZE_MAX;
	assert_int_equal(store_build_row(build, &raw), ERR_DAMAGED);
	/* Twice the same key is an order that no table has. */
	assert_int_equal(store_build_row(build, &good), ERR_OK);
	assert_int_equal(store_build_row(build, &good), ERR_OK);
	assert_int_equal(store_build_end(&build, true), ERR_EXISTS);
}

/* Two steps of a table of the test's own. */
static unsigned steps_done;

static enum err step_one(struct store_txn *txn, void *arg)
{
	unsigned some = 1;
	enum err err;

	(void)arg;
	steps_done++;
	err = add_some(txn, &some);
	return err == ERR_EXISTS ? ERR_OK : err;
}

static enum err step_two(struct store_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return steps_done++ == 1 ? ERR_OK : ERR_FULL;
}

static const struct store_step steps[] = {
	{2, step_one},
	{3, step_two},
	{0, NULL},
};

static enum err nothing(struct store_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return ERR_OK;
}

static void test_steps(void **state)
{
	uint64_t format = 0, last;

	(void)state;
	steps_done = 0;
	assert_int_equal(store_upgrade(store, store_steps, STORE_FORMAT,
				       &format),
			 ERR_OK);
	assert_int_equal(format, STORE_FORMAT);
	/* There is no step beyond the last, and none back. */
	assert_int_equal(store_upgrade(store, store_steps, STORE_FORMAT + 1,
				       &format),
			 ERR_SCHEMA);
	assert_int_equal(store_upgrade(store, steps, 0, &format), ERR_SCHEMA);
	assert_int_equal(format, 2);
	assert_int_equal(steps_done, 0);
	/* One that fails leaves the format where it was. */
	steps_done = 5;
	assert_int_equal(store_upgrade(store, steps, 4, &format), ERR_FULL);
	assert_int_equal(format, 3);
	assert_int_equal(store_format(store, &format), ERR_OK);
	assert_int_equal(format, 3);
	/* And goes on from there. */
	steps_done = 1;
	assert_int_equal(store_upgrade(store, steps, 4, &format), ERR_OK);
	assert_int_equal(format, 4);
	assert_int_equal(steps_done, 2);
	assert_int_equal(store_read(store, nothing, NULL), ERR_SCHEMA);
	assert_int_equal(store_write(store, &actor, nothing, NULL, true, &last),
			 ERR_SCHEMA);
	assert_int_equal(store_walk(store), ERR_OK);
}

static void test_place(void **state)
{
	static struct seen seen;
	struct store *read;
	char moved[80];
	uint64_t last;

	(void)state;
	assert_int_equal(store_open_read(dir, &read), ERR_OK);
	assert_int_equal(store_read(read, look, &seen), ERR_OK);
	(void)snprintf(moved, sizeof moved, "%s.moved", dir);
	assert_int_equal(rename(dir, moved), 0);
	assert_int_equal(store_read(read, nothing, NULL), ERR_BUSY);
	assert_int_equal(rename(other, dir), 0);
	assert_int_equal(store_read(read, nothing, NULL), ERR_BUSY);
	assert_int_equal(store_write(store, &actor, nothing, NULL, true, &last),
			 ERR_BUSY);
	assert_int_equal(rename(dir, other), 0);
	assert_int_equal(rename(moved, dir), 0);
	assert_int_equal(store_read(read, look, &seen), ERR_OK);
	store_close(&read);
}

/* The gate is that of the directory which has the name now. */
static void test_gate(void **state)
{
	int gate = -1;

	(void)state;
	assert_int_equal(store_gate(dir, &gate), ERR_OK);
	assert_int_equal(close(gate), 0);
	gate = -1;
	other_disk = 1;
	assert_int_equal(store_gate(dir, &gate), ERR_BUSY);
	other_disk = 0;
	other_number = 1;
	assert_int_equal(store_gate(dir, &gate), ERR_BUSY);
	other_number = 0;
	failing_start("stat", 1, ENOENT);
	assert_int_equal(store_gate(dir, &gate), ERR_BUSY);
	assert_true(failing_end());
	failing_start("fstat", 1, EIO);
	assert_int_equal(store_gate(dir, &gate), ERR_BUSY);
	assert_true(failing_end());
	assert_int_equal(store_gate("/nowhere/at all", &gate), ERR_NOTFOUND);
	assert_int_equal(store_gate("tests/run/file", &gate), ERR_SYSTEM);
	assert_int_equal(gate, -1);
}

/* So is that of a store which is open. */
static void test_disk(void **state)
{
	static struct seen seen;
	struct store *read;

	(void)state;
	assert_int_equal(store_open_read(dir, &read), ERR_OK);
	other_disk = 1;
	assert_int_equal(store_read(read, nothing, NULL), ERR_BUSY);
	other_disk = 0;
	other_number = 1;
	assert_int_equal(store_read(read, nothing, NULL), ERR_BUSY);
	other_number = 0;
	failing_start("stat", 1, EIO);
	assert_int_equal(store_read(read, nothing, NULL), ERR_SYSTEM);
	assert_true(failing_end());
	failing_start("stat", 1, ENOENT);
	assert_int_equal(store_read(read, nothing, NULL), ERR_BUSY);
	assert_true(failing_end());
	assert_int_equal(store_read(read, look, &seen), ERR_OK);
	store_close(&read);
}

/* For tests of the tool: leaves a store of tomorrow's format. */
static int make_newer(const char *path)
{
	uint64_t format;
	int bad;

	bad = store_open_write(path, &store) != ERR_OK ||
	      store_upgrade(store, &(struct store_step[]){{STORE_FORMAT, nothing},
							  {0, NULL}}[0],
			    STORE_FORMAT + 1, &format) != ERR_OK;
	store_close(&store);
	return bad;
}

int main(int argc, char **argv)
{
#define WITH_STORE(sentence, function)                                        \
	{                                                                     \
		sentence, function, set_up, tear_down, NULL                   \
	}
	const struct CMUnitTest tests[] = {
		WITH_STORE("a copy has the same rows and no free page", test_copy),
		WITH_STORE("settings of any length lie in a copy",
			   test_settings),
		WITH_STORE("a copy that finds a full disk says so", test_full),
		WITH_STORE("what fits on a disk that is full then is there",
			   test_fits),
		WITH_STORE("a store built of rows has them, and its own id",
			   test_build),
		WITH_STORE("rows that are none are not built", test_build_refuses),
		WITH_STORE("formats go forward a step at a time, all or nothing",
			   test_steps),
		WITH_STORE("a store that was replaced is told from the new one",
			   test_place),
		WITH_STORE("also where it has the same number on another disk",
			   test_disk),
		WITH_STORE("the gate of a directory that lost its name meanwhile is "
			   "none",
			   test_gate),
	};

	if (secret_start() != ERR_OK)
		return 99;
	if (argc == 3 && strcmp(argv[1], "--newer") == 0)
		return make_newer(argv[2]);
	return RUN(tests);
}
