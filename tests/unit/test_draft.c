/* SPDX-License-Identifier: MIT */
/* Changes as rows: drafted from one store, put into another; and what is refused. */
#include "named.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "store/draft_private.h"
#include "store/secret.h"
#include "store/store_draft.h"
#include "store/writeset.h"
#include "stored.h"

static struct store *copy;
static char copy_dir[64];
static struct store_writeset *set;
static const uint8_t token[STORE_TOKEN_SIZE] = "token of change";

static enum err add_handle(struct store_txn *txn, void *arg)
{
	const struct name_handle name = handle(arg);

	return store_handle_add(txn, &name);
}

static enum err nothing(struct store_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return ERR_OK;
}

static enum err head_of(struct store_txn *txn, void *arg)
{
	return store_head_get(txn, arg);
}

static struct store_head head(struct store *which)
{
	struct store_head at = {.number = 0};

	assert_int_equal(store_read(which, head_of, &at), ERR_OK);
	return at;
}

static int start(void **state)
{
	struct store_head first;

	(void)state;
	(void)snprintf(copy_dir, sizeof copy_dir, "/tmp/popbox-unit.XXXXXX");
	return secret_start() != ERR_OK || stored_start(NULL) ||
	       !mkdtemp(copy_dir) || store_create(copy_dir) != ERR_OK ||
	       store_open_write(copy_dir, &copy) != ERR_OK ||
	       store_writeset_new(dir, &set) != ERR_OK ||
	       store_draft_all(store, &first, set) != ERR_OK ||
	       store_enter(store, &first) != ERR_OK ||
	       store_rebuild(copy, (const uint8_t *)"0123456789abcdef", 0,
			     &first, set) != ERR_OK;
}

static int end(void **state)
{
	char path[96];
	static const char *const files[] = {"data.mdb", "lock.mdb"};

	store_writeset_free(&set);
	store_close(&copy);
	for (size_t i = 0; i < COUNT(files); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", copy_dir, files[i]);
		(void)unlink(path);
	}
	return rmdir(copy_dir) || stored_end(state);
}

static struct store_head draft(const char *name)
{
	const struct store_head at = head(store);
	struct store_head to = {.number = 0};

	assert_int_equal(store_draft(store, &actor, 1000, &at, token,
				     add_handle, (void *)(uintptr_t)name, set,
				     &to.number),
			 ERR_OK);
	memcpy(to.token, token, sizeof token);
	return to;
}

static void a_draft_changes_nothing(void **state)
{
	const struct store_head at = head(store);
	const struct store_head to = draft("ex1"), after = head(store);

	(void)state;
	assert_true(store_head_same(&at, &after));
	assert_int_equal(to.number, at.number + 1);
	/* Its row, the entry, and the word of meta. */
	assert_int_equal(store_writeset_count(set), 3);
}

static enum err has_handle(struct store_txn *txn, void *arg)
{
	const struct name_handle name = handle(arg);
	struct store_handle row;

	return store_handle_get(txn, &name, &row);
}

static void rows_go_from_one_to_the_other(void **state)
{
	char name[] = "ex1";
	const struct store_head at = head(store), to = draft(name);
	struct store_head now;

	(void)state;
	assert_int_equal(store_apply(store, &at, &to, set), ERR_OK);
	assert_int_equal(store_apply(copy, &at, &to, set), ERR_OK);
	now = head(copy);
	assert_true(store_head_same(&now, &to));
	assert_int_equal(store_read(copy, has_handle, name), ERR_OK);
	/* They are put once. */
	assert_int_equal(store_apply(copy, &at, &to, set), ERR_BUSY);
}

static void a_draft_of_nothing_is_empty(void **state)
{
	const struct store_head at = head(store);
	uint64_t last = 1;

	(void)state;
	assert_int_equal(store_draft(store, &actor, 1000, &at, token, nothing,
				     NULL, set, &last),
			 ERR_OK);
	assert_int_equal(last, 0);
	assert_int_equal(store_writeset_count(set), 0);
}

static void a_draft_elsewhere_is_busy(void **state)
{
	struct store_head at = head(store);
	char name[] = "zz";
	uint64_t last;

	(void)state;
	at.token[0] ^= 1;
	assert_int_equal(store_draft(store, &actor, 1000, &at, token,
				     add_handle, name, set, &last),
			 ERR_BUSY);
}

static void a_copy_is_changed_by_rows_alone(void **state)
{
	char name[] = "direct";
	uint64_t last;

	(void)state;
	assert_int_equal(store_write(store, &actor, add_handle, name, true,
				     &last),
			 ERR_INVALID);
	assert_non_null(strstr(store_reason(store), "cluster leave"));
	assert_int_equal(store_write(store, &actor, add_handle, name, false,
				     &last),
			 ERR_OK);
	assert_int_equal(store_write(store, &actor, nothing, NULL, true, &last),
			 ERR_OK);
}

/* One row of the set is another one. */
struct spoiling {
	struct store_writeset *to;
	const char *how;
};

static enum err spoil(void *arg, const struct store_raw *raw)
{
	const struct spoiling *s = arg;
	struct store_raw bad = *raw;
	static uint8_t row[ROW_ENTRY_MAX], key[STORE_KEY_MAX];

	memcpy(key, raw->key, raw->key_len);
	memcpy(row, raw->row, raw->row_len);
	bad.key = key;
	bad.row = row;
	if (raw->table == DB_JOURNAL && strcmp(s->how, "no entry") == 0)
		return ERR_OK;
	if (raw->table == DB_JOURNAL && strcmp(s->how, "old entry") == 0)
		key[7]--;
	if (raw->table == DB_META && strcmp(s->how, "no head") == 0)
		return ERR_OK;
	if (raw->table == DB_HANDLE && strcmp(s->how, "flip") == 0)
		row[3] ^= 1;
	if (raw->table == DB_HANDLE && strcmp(s->how, "key") == 0)
		key[0] ^= 1;
	if (raw->table == DB_HANDLE && strcmp(s->how, "table") == 0)
		bad.table = 99;
	if (raw->table == DB_HANDLE && strcmp(s->how, "own") == 0)
		bad.table = DB_PENDING;
	if (raw->table == DB_HANDLE && strcmp(s->how, "no key") == 0)
		bad.key_len = 0;
	if (raw->table == DB_HANDLE && strcmp(s->how, "another table") == 0)
		bad.table = DB_DOMAIN;
	return store_writeset_add(s->to, &bad);
}

static void rows_that_are_wrong_are_not_put(void **state)
{
	static const char *const ways[] = {"no entry", "old entry", "no head",
					   "flip",     "key",	    "table",
					   "own",      "no key",   "another table"};
	const struct store_head at = head(store), to = draft("bad");
	struct store_writeset *bad;
	struct store_head other = to;

	(void)state;
	assert_int_equal(store_writeset_new(dir, &bad), ERR_OK);
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct spoiling s = {bad, ways[i]};

		store_writeset_clear(bad);
		assert_int_equal(store_writeset_each(set, spoil, &s), ERR_OK);
		assert_int_equal(store_apply(copy, &at, &to, bad), ERR_DAMAGED);
	}
	store_writeset_free(&bad);
	other.token[3] ^= 1; /* another change than the one that was asked for */
	assert_int_equal(store_apply(copy, &at, &other, set), ERR_DAMAGED);
	assert_int_equal(store_read(copy, has_handle, (void *)(uintptr_t) "bad"),
			 ERR_NOTFOUND);
}

static void one_that_leaves_is_changed_as_any(void **state)
{
	char name[] = "own";
	uint64_t last;

	(void)state;
	assert_int_equal(store_leave(copy), ERR_OK);
	assert_int_equal(store_write(copy, &actor, add_handle, name, true,
				     &last),
			 ERR_OK);
	assert_int_equal(store_leave(copy), ERR_NOTFOUND);
}

enum { MANY = 8000, LONG = 9000 };

static enum err compare(void *arg, const struct store_raw *raw)
{
	uint32_t *count = arg, number;

	memcpy(&number, raw->key, sizeof number);
	assert_int_equal(number, *count);
	if (number % 7 == 0) {
		assert_null(raw->row);
	} else {
		assert_int_equal(raw->row_len, LONG);
		assert_int_equal(((const uint8_t *)raw->row)[LONG - 1],
				 (uint8_t)number);
	}
	++*count;
	return ERR_OK;
}

static enum err add_many(struct store_writeset *to)
{
	static uint8_t row[LONG];
	enum err err = ERR_OK;

	for (uint32_t i = 0; err == ERR_OK && i < MANY; i++) {
		const struct store_raw raw = {DB_BOX, &i, sizeof i,
					      i % 7 ? row : NULL,
					      i % 7 ? LONG : 0};

		row[LONG - 1] = (uint8_t)i;
		err = store_writeset_add(to, &raw);
	}
	return err;
}

static void much_is_in_a_file_and_comes_back_in_order(void **state)
{
	_Static_assert((int64_t)MANY / 7 * 6 * LONG > WRITESET_MEMORY / 10 * 9,
		       "more than memory holds");
	uint32_t count = 0;

	(void)state;
	store_writeset_clear(set);
	assert_int_equal(add_many(set), ERR_OK);
	assert_int_equal(add_many(set), ERR_OK);
	assert_int_equal(store_writeset_count(set), 2 * MANY);
	store_writeset_clear(set);
	assert_int_equal(add_many(set), ERR_OK);
	assert_int_equal(store_writeset_each(set, compare, &count), ERR_OK);
	assert_int_equal(count, MANY);
	count = 0;
	assert_int_equal(store_writeset_each(set, compare, &count), ERR_OK);
	store_writeset_clear(set);
	assert_int_equal(store_writeset_count(set), 0);
}

static void a_full_disk_is_told(void **state)
{
	const struct rlimit small = {1 << 20, RLIM_INFINITY};
	struct rlimit was;
	enum err err;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	store_writeset_clear(set);
	err = add_many(set);
	if (err == ERR_OK)
		err = add_many(set);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(err, ERR_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("a draft changes nothing, and has each row once",
		     a_draft_changes_nothing),
		SAYS("rows go from one store to the other, once",
		     rows_go_from_one_to_the_other),
		SAYS("a draft of nothing is empty", a_draft_of_nothing_is_empty),
		SAYS("a draft on another state than the store's is busy",
		     a_draft_elsewhere_is_busy),
		SAYS("a copy is changed by rows alone; what is a host's own is "
		     "kept",
		     a_copy_is_changed_by_rows_alone),
		SAYS("of rows of which one is wrong, or missing, none is put",
		     rows_that_are_wrong_are_not_put),
		SAYS("one that leaves is changed as any other store",
		     one_that_leaves_is_changed_as_any),
		SAYS("what memory does not hold is in a file, and comes back in "
		     "order",
		     much_is_in_a_file_and_comes_back_in_order),
		SAYS("a full disk is told", a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, start, end);
}
