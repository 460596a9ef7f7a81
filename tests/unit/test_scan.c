/* SPDX-License-Identifier: MIT */
/* Rows that several threads judge come out in the order of their keys. */
#include "unit.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "store/cores.h"
#include "store/scan.h"
#include "stored.h"

enum { ROWS = 5000, THIRD = 3 };

static pthread_t caller;
static atomic_uint judged, elsewhere; /* rows; of those in other threads */

static struct db_bytes key_of(unsigned number, char text[16])
{
	int len = snprintf(text, 16, "%u-%05u", number / 1000, number);

	return (struct db_bytes){text, (size_t)len};
}

static enum err fill(struct store_txn *txn, void *arg)
{
	enum err err = ERR_OK;
	char text[16];

	(void)arg;
	for (unsigned i = 0; err == ERR_OK && i < ROWS; i++) {
		struct db_bytes key = key_of(i, text);

		err = db_put(txn->db, DB_BYOWNER, key,
			     (struct db_bytes){&i, sizeof i});
	}
	return err;
}

static unsigned number_of(struct db_bytes row)
{
	unsigned number;

	assert_int_equal(row.len, sizeof number);
	memcpy(&number, row.at, sizeof number);
	return number;
}

static unsigned judge(const void *arg, struct db_bytes key, struct db_bytes row,
		      uint64_t *sum)
{
	const unsigned *divisor = arg, number = number_of(row);

	assert_int_equal(key.len, 7);
	judged++;
	if (!pthread_equal(pthread_self(), caller)) {
		elsewhere++;
	} else if (number % 256 == 0) {
		const struct timespec some = {.tv_nsec = 2000000};

		nanosleep(&some, NULL); /* the others have time to come */
	}
	*sum += number;
	return number % *divisor == 0 ? number + 1 : 0;
}

struct seen {
	struct scan_order order;
	unsigned most; /* rows, then it ends */
	unsigned rows, first, last;
	uint64_t sum;
};

static enum err look(struct store_txn *txn, void *arg)
{
	struct seen *seen = arg;
	struct scan_row row;
	struct scan *scan;
	enum err err = ERR_OK;

	seen->order.txn = txn->db;
	assert_int_equal(scan_begin(&seen->order, &scan), ERR_OK);
	seen->rows = 0;
	while (seen->rows < seen->most &&
	       (err = scan_next(scan, &row)) == ERR_OK) {
		assert_int_equal(row.verdict, number_of(row.value) + 1);
		assert_true(!seen->rows || row.verdict > seen->last);
		seen->last = row.verdict;
		seen->first = seen->rows++ ? seen->first : row.verdict;
	}
	seen->sum = scan_sum(scan);
	scan_end(&scan);
	assert_null(scan);
	scan_end(&scan);
	return err;
}

static struct seen looked(const struct scan_order *order, unsigned most)
{
	struct seen seen = {.order = *order, .most = most};

	caller = pthread_self();
	judged = elsewhere = 0;
	seen.order.table = DB_BYOWNER;
	seen.order.judge = judge;
	assert_int_equal(store_read(store, look, &seen),
			 most == UINT_MAX ? ERR_NOTFOUND : ERR_OK);
	return seen;
}

static void all(void **state)
{
	const unsigned each = 1;
	struct seen seen = looked(&(struct scan_order){.arg = &each}, UINT_MAX);

	(void)state;
	assert_int_equal(seen.rows, ROWS);
	assert_int_equal(judged, ROWS);
	assert_int_equal(seen.sum, (uint64_t)ROWS * (ROWS - 1) / 2);
	if (cores_count() > 1)
		assert_true(elsewhere > 0);
}

static void some(void **state)
{
	const unsigned third = THIRD, none = UINT_MAX;
	struct seen seen = looked(&(struct scan_order){.arg = &third},
				  UINT_MAX);

	(void)state;
	assert_int_equal(seen.rows, (ROWS + THIRD - 1) / THIRD);
	seen = looked(&(struct scan_order){.arg = &none}, UINT_MAX);
	assert_int_equal(seen.rows, 1); /* 0 is of every divisor */
	assert_int_equal(judged, ROWS);
}

static void part(void **state)
{
	const unsigned each = 1;
	struct scan_order order = {.head = {"2-", 2}, .arg = &each};
	struct seen seen;
	char text[16];

	(void)state;
	/* From the first of all on: those before are behind the head as well. */
	seen = looked(&order, UINT_MAX);
	assert_int_equal(seen.rows, 0);
	order.after = order.head;
	seen = looked(&order, UINT_MAX);
	assert_int_equal(seen.rows, 1000);
	assert_int_equal(seen.first, 2001);
	/* Behind one that is there, and behind one that is not. */
	order.after = key_of(2500, text);
	seen = looked(&order, UINT_MAX);
	assert_int_equal(seen.first, 2502);
	assert_int_equal(seen.last, 3000);
	order.after.len--;
	seen = looked(&order, UINT_MAX);
	assert_int_equal(seen.first, 2501);
	order.after = (struct db_bytes){"9", 1};
	seen = looked(&order, UINT_MAX);
	assert_int_equal(seen.rows, 0);
}

static void few(void **state)
{
	const unsigned each = 1;
	struct seen seen = looked(&(struct scan_order){.arg = &each}, 20);

	(void)state;
	assert_int_equal(seen.rows, 20);
	assert_true(judged < 100);
	assert_int_equal(elsewhere, 0);
	/* While others judge. */
	seen = looked(&(struct scan_order){.arg = &each}, ROWS / 2);
	assert_int_equal(seen.rows, ROWS / 2);
}

enum { BOXES = 300, BAD = 200 };

struct wanted {
	bool any;
	unsigned taken, with_address;
};

static unsigned judge_account(const void *arg,
			      const struct store_account *account)
{
	const struct wanted *wanted = arg;

	return wanted->any && account->box.name.number != 7;
}

static unsigned judge_name(const void *arg, const struct name_address *name)
{
	(void)arg;
	return strcmp(name->local.s, "u9") == 0 ? 2 : 0;
}

static enum err take(void *arg, const struct store_box *box, unsigned verdict)
{
	struct wanted *wanted = arg;

	assert_int_equal(verdict & 2, box->name.number == 9 ? 2 : 0);
	wanted->taken++;
	wanted->with_address += verdict >> 1;
	return ERR_OK;
}

static enum err look_at_boxes(struct store_txn *txn, void *arg)
{
	return store_box_scan(txn, &(struct store_box_scan){
					   .judge = judge_account,
					   .judge_address = judge_name,
					   .take = take,
					   .arg = arg});
}

static struct name_handle owner = {"e"};

static enum err add_boxes(struct store_txn *txn, void *arg)
{
	struct store_domain d = {.name = {"e.org"}, .handle = owner};
	enum err err = store_handle_add(txn, &owner);

	(void)arg;
	if (err == ERR_OK)
		err = store_domain_add(txn, &d);
	for (uint32_t i = 0; err == ERR_OK && i < BOXES; i++) {
		struct store_box box = {.name = {owner, i}};
		struct store_address a = {.name.domain = d.name,
					  .has_box = true,
					  .box = box.name};

		(void)snprintf(a.name.local.s, sizeof a.name.local.s, "u%u",
			       i);
		err = store_box_add(txn, &box);
		if (err == ERR_OK)
			err = store_address_add(txn, &a);
	}
	return err;
}

/* A row of this table whose checksum is another's. */
static enum err damage(struct store_txn *txn, void *arg)
{
	const enum db_table *table = arg;
	struct name_address name = {{"u200"}, {"e.org"}};
	struct name_box box = {owner, BAD};
	struct row_key key = *table == DB_BOX ? row_key_box(&box)
					      : row_key_bybox(&box, &name);

	return db_put(txn->db, *table, row_key_bytes(&key),
		      (struct db_bytes){"none", 4});
}

static void damaged(void **state)
{
	enum db_table table = DB_BYBOX;
	struct wanted wanted = {.any = true};

	(void)state;
	assert_int_equal(change(add_boxes, NULL), ERR_OK);
	assert_int_equal(store_read(store, look_at_boxes, &wanted),
			 ERR_NOTFOUND);
	assert_int_equal(wanted.taken, BOXES - 1);
	assert_int_equal(wanted.with_address, 1);
	assert_int_equal(change(damage, &table), ERR_OK);
	wanted = (struct wanted){.any = true};
	assert_int_equal(store_read(store, look_at_boxes, &wanted),
			 ERR_DAMAGED);
	assert_int_equal(wanted.taken, BAD - 1);
	table = DB_BOX;
	assert_int_equal(change(damage, &table), ERR_OK);
	wanted = (struct wanted){.any = true};
	assert_int_equal(store_read(store, look_at_boxes, &wanted),
			 ERR_DAMAGED);
	assert_int_equal(wanted.taken, BAD - 1);
	/* Nobody wanted a row, and the damage is told all the same. */
	wanted = (struct wanted){.any = false};
	assert_int_equal(store_read(store, look_at_boxes, &wanted),
			 ERR_DAMAGED);
	assert_int_equal(wanted.taken, 0);
}

static int start(void **state)
{
	(void)state;
	return stored_start(fill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("every row comes out once, in order, judged in several threads",
		     all),
		SAYS("rows that are judged to be none are not handed out", some),
		SAYS("a scan begins behind a key and ends with a head", part),
		SAYS("a scan that ends early judges little more than it gave", few),
		SAYS("boxes come with what their addresses are, and damage is told",
		     damaged),
	};

	return cmocka_run_group_tests(tests, start, stored_end);
}
