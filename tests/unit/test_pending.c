/* SPDX-License-Identifier: MIT */
/* The table of pending work: what makes a row of it, and what makes none. */
#include "named.h"

#include "store/pending.h"
#include "store/secret.h"
#include "store/store_whole.h"
#include "stored.h"

/* The rows as "handle/table/object what stays, ", in their order. */
static enum err list(struct store_txn *txn, void *arg)
{
	static const char *const tables[] = {"handle", "domain", "box",
					     "address"};
	struct store_pending row;
	char *text = arg, name[NAME_ADDRESS_TEXT];
	enum err err = store_pending_next(txn, NULL, &row);

	text[0] = 0;
	while (err == ERR_OK) {
		name[0] = 0;
		if (row.table == STORE_BOXES)
			name_box_text(&row.box, name);
		else if (row.table == STORE_ADDRESSES)
			name_address_text(&row.address, name);
		else if (row.table == STORE_DOMAINS)
			memcpy(name, row.address.domain.s,
			       strlen(row.address.domain.s) + 1);
		(void)sprintf(text + strlen(text), "%s/%s%s/%s %u%s, ",
			      row.handle.s, tables[row.table],
			      row.was ? " that was" : "", name, row.what,
			      row.stays ? " stays" : "");
		err = store_pending_next(txn, &row, &row);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static void is(const char *expected)
{
	char text[4096];

	assert_int_equal(store_read(store, list, text), ERR_OK);
	assert_string_equal(text, expected);
}

static enum err drop_all(struct store_txn *txn, void *arg)
{
	struct store_pending row;
	enum err err;

	(void)arg;
	while ((err = store_pending_next(txn, NULL, &row)) == ERR_OK)
		assert_int_equal(store_pending_drop(txn, &row), ERR_OK);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static struct store_address joe(void)
{
	return (struct store_address){.name = address("joe@example.com"),
				      .has_box = true,
				      .box = {handle("ex1"), 1}};
}

static enum err fill(struct store_txn *txn, void *arg)
{
	const struct name_handle ex1 = handle("ex1");
	const struct store_domain pop = {.name = domain("example.com"),
					 .handle = ex1};
	const struct store_box box = {.name = {ex1, 1}};
	const struct store_address a = joe();
	enum err err = store_handle_add(txn, &ex1);

	(void)arg;
	if (err == ERR_OK)
		err = store_domain_add(txn, &pop);
	if (err == ERR_OK)
		err = store_box_add(txn, &box);
	return err == ERR_OK ? store_address_add(txn, &a) : err;
}

static int set_up(void **state)
{
	(void)state;
	return stored_start(fill) || change(drop_all, NULL) != ERR_OK;
}

static void test_add(void **state)
{
	(void)state;
	assert_int_equal(stored_end(state), 0);
	assert_int_equal(stored_start(fill), 0);
	is("ex1/box/ex1-0001 1, ex1/domain/example.com 1, "
	   "ex1/address/joe@example.com 1, ");
}

static enum err password(struct store_txn *txn, void *arg)
{
	const struct name_box box = {handle("ex1"), 1};

	(void)arg;
	return store_box_password(txn, &box, "");
}

/* Titles, reasons, logins, ends, limits of a handle: no file says any of them. */
static enum err quiet(struct store_txn *txn, void *arg)
{
	struct name_handle ex1 = handle("ex1");
	struct store_address a = joe();
	struct store_handle h;
	struct store_domain d;
	struct store_box box;
	enum err err = store_handle_get(txn, &ex1, &h);

	(void)arg;
	h.title[0] = 'x';
	h.max_boxes = 5;
	h.state.login = false;
	if (err == ERR_OK)
		err = store_handle_set(txn, &h);
	if (err == ERR_OK)
		err = store_domain_get(txn, &a.name.domain, &d);
	d.state.login = false;
	memcpy(d.ip, "192.0.2.1", 10);
	if (err == ERR_OK)
		err = store_domain_set(txn, &d);
	if (err == ERR_OK)
		err = store_box_get(txn, &a.box, &box);
	box.state.reason[0] = 'x';
	if (err == ERR_OK)
		err = store_box_set(txn, &box);
	a.expires = 1;
	return err == ERR_OK ? store_address_set(txn, &a) : err;
}

static void test_quiet(void **state)
{
	(void)state;
	assert_int_equal(change(password, NULL), ERR_OK);
	assert_int_equal(change(quiet, NULL), ERR_OK);
	is("");
}

static enum err limit_levels(struct store_txn *txn, void *arg)
{
	const char *level = arg;
	struct name_handle ex1 = handle("ex1");
	struct store_address a = joe();
	struct store_handle h;
	struct store_domain d;
	struct store_box box;
	enum err err = store_handle_get(txn, &ex1, &h);

	h.quota.messages = 5;
	if (err == ERR_OK && level[0] == 'h')
		err = store_handle_set(txn, &h);
	if (err == ERR_OK)
		err = store_domain_get(txn, &a.name.domain, &d);
	d.quota.bytes = 5;
	if (err == ERR_OK && level[0] == 'd')
		err = store_domain_set(txn, &d);
	if (err == ERR_OK)
		err = store_box_get(txn, &a.box, &box);
	box.quota.bytes = 5;
	return err == ERR_OK && level[0] == 'b' ? store_box_set(txn, &box) : err;
}

static enum err drop_joe(struct store_txn *txn, void *arg)
{
	struct store_address a = joe();

	(void)arg;
	return store_address_del(txn, &a.name, STORE_GOES_ON);
}

/* Of each level one row; and where the domain has one, also of the box that an
 * address of it leads to no more. */
static void test_quota(void **state)
{
	(void)state;
	assert_int_equal(change(limit_levels, "box"), ERR_OK);
	is("ex1/box/ex1-0001 64 stays, ");
	assert_int_equal(change(limit_levels, "handle"), ERR_OK);
	is("ex1/handle/ 64 stays, ex1/box/ex1-0001 64 stays, ");
	assert_int_equal(change(drop_all, NULL), ERR_OK);
	assert_int_equal(change(limit_levels, "domain"), ERR_OK);
	assert_int_equal(change(drop_all, NULL), ERR_OK);
	assert_int_equal(change(drop_joe, NULL), ERR_OK);
	is("ex1/box/ex1-0001 64 stays, ex1/address/joe@example.com 1, ");
}

static enum err answer(struct store_txn *txn, void *arg)
{
	const struct store_address a = joe();
	const char *text = arg;
	struct store_box box;
	enum err err = store_box_get(txn, &a.box, &box);

	if (err != ERR_OK)
		return err;
	memcpy(box.vacation, text, strlen(text) + 1);
	box.vacation_from = 5;
	box.vacation_until = text[0] == '!' ? 5 : 6;
	return store_box_set(txn, &box);
}

static enum err get_box(struct store_txn *txn, void *arg)
{
	const struct store_address a = joe();

	return store_box_get(txn, &a.box, arg);
}

static void test_vacation(void **state)
{
	struct store_box box;

	(void)state;
	assert_int_equal(change(answer, "Away."), ERR_OK);
	is("ex1/box/ex1-0001 128 stays, ");
	assert_int_equal(change(password, NULL), ERR_OK);
	assert_int_equal(store_read(store, get_box, &box), ERR_OK);
	assert_string_equal(box.vacation, "Away.");
	assert_int_equal(box.vacation_until, 6);
	assert_int_equal(change(drop_all, NULL), ERR_OK);
	assert_int_equal(change(answer, "Away."), ERR_OK);
	is("");
	assert_int_equal(change(answer, "! until it begins"), ERR_INVALID);
	assert_int_equal(change(answer, ""), ERR_OK);
	is("ex1/box/ex1-0001 128 stays, ");
	assert_int_equal(store_read(store, get_box, &box), ERR_OK);
	assert_int_equal(box.vacation_from, 0);
}

static enum err suspend_all(struct store_txn *txn, void *arg)
{
	const struct store_address a = joe();
	struct name_handle ex1 = handle("ex1");
	struct store_handle h;
	struct store_domain d;
	enum err err = store_handle_get(txn, &ex1, &h);

	(void)arg;
	h.state.login = false;
	if (err == ERR_OK)
		err = store_handle_set(txn, &h);
	if (err == ERR_OK)
		err = store_domain_get(txn, &a.name.domain, &d);
	d.state.login = false;
	return err == ERR_OK ? store_domain_set(txn, &d) : err;
}

static void test_logins(void **state)
{
	(void)state;
	assert_int_equal(change(suspend_all, NULL), ERR_OK);
	is("");
	store_publish_logins(store);
	assert_int_equal(change(password, NULL), ERR_OK);
	is("ex1/box/ex1-0001 1 stays, ");
	assert_int_equal(change(password, NULL), ERR_OK);
}

static void test_login_switches(void **state)
{
	(void)state;
	store_publish_logins(store);
	assert_int_equal(change(suspend_all, NULL), ERR_OK);
	is("ex1/handle/ 2 stays, ex1/domain/example.com 1 stays, ");
}

static enum err switch_all(struct store_txn *txn, void *arg)
{
	struct name_handle ex1 = handle("ex1");
	struct store_address a = joe();
	struct store_handle h;
	struct store_domain d;
	struct store_box box;
	enum err err = store_handle_get(txn, &ex1, &h);

	(void)arg;
	h.state.delivery = STORE_HOLD;
	if (err == ERR_OK)
		err = store_handle_set(txn, &h);
	if (err == ERR_OK)
		err = store_domain_get(txn, &a.name.domain, &d);
	d.state.delivery = STORE_BOUNCE;
	if (err == ERR_OK)
		err = store_domain_set(txn, &d);
	if (err == ERR_OK)
		err = store_box_get(txn, &a.box, &box);
	box.state.delivery = STORE_BOUNCE;
	if (err == ERR_OK)
		err = store_box_set(txn, &box);
	a.delivery = STORE_BOUNCE;
	return err == ERR_OK ? store_address_set(txn, &a) : err;
}

static void test_switches(void **state)
{
	(void)state;
	assert_int_equal(change(switch_all, NULL), ERR_OK);
	is("ex1/handle/ 2 stays, ex1/box/ex1-0001 2 stays, "
	   "ex1/domain/example.com 3 stays, "
	   "ex1/address/joe@example.com 1 stays, ");
}

static enum err delete_all(struct store_txn *txn, void *arg)
{
	const struct store_address a = joe();
	enum err err = store_address_del(txn, &a.name, STORE_GOES_ON);

	(void)arg;
	if (err == ERR_OK)
		err = store_box_del(txn, &a.box);
	return err == ERR_OK ? store_domain_del(txn, &a.name.domain) : err;
}

static enum err purge_all(struct store_txn *txn, void *arg)
{
	const struct store_address a = joe();
	const struct store_domain d = {.name = a.name.domain,
				       .handle = a.box.handle};
	enum err err = store_address_purge(txn, &a.name);

	(void)arg;
	if (err == ERR_OK)
		err = store_box_purge(txn, &a.box);
	return err == ERR_OK ? store_domain_purge(txn, &d) : err;
}

static void test_delete(void **state)
{
	(void)state;
	/* The Maildir stays until the purge. */
	assert_int_equal(change(delete_all, NULL), ERR_OK);
	is("ex1/domain/example.com 1, ex1/address/joe@example.com 1, ");
	assert_int_equal(change(drop_all, NULL), ERR_OK);
	assert_int_equal(change(purge_all, NULL), ERR_OK);
	is("ex1/box/ex1-0001 65, ex1/domain that was/example.com 1, "
	   "ex1/address/joe@example.com 1, ");
}

/* A row that was there keeps where it began. */
static enum err numbers(struct store_txn *txn, void *arg)
{
	uint64_t *number = arg;
	const struct store_pending name = {.table = STORE_ADDRESSES,
					   .handle = handle("ex1"),
					   .address = joe().name};
	struct store_pending row;
	enum err err = store_pending_get(txn, &name, &row);

	number[0] = row.first;
	number[1] = row.last;
	return err == ERR_OK ? store_published(txn, &number[2]) : err;
}

static enum err deliver(struct store_txn *txn, void *arg)
{
	struct store_address a = joe();

	(void)arg;
	return store_address_set(txn, &a);
}

static void test_numbers(void **state)
{
	uint64_t number[3];

	(void)state;
	assert_int_equal(change(switch_all, NULL), ERR_OK); /* 5 to 8 */
	assert_int_equal(change(deliver, NULL), ERR_OK);
	assert_int_equal(store_read(store, numbers, number), ERR_OK);
	assert_int_equal(number[0], 8);
	assert_int_equal(number[1], 9);
	assert_int_equal(number[2], 4);
}

/* An entry as format 1 had it for what could not be published. */
static void owe(struct store_txn *txn, const struct store_pending *pending)
{
	const struct row_key key =
		pending->table == STORE_BOXES
			? row_key_box(&pending->box)
			: pending->table == STORE_DOMAINS
			? row_key_domain(&pending->address.domain)
			: row_key_address(&pending->address);
	struct row why;
	struct record record =
		record_new(why.bytes, sizeof why.bytes, ROW_VERSION);

	record_put_text(&record, pending->why);
	assert_int_equal(record_seal(&record, key.bytes, key.len, &why.len),
			 ERR_OK);
	assert_int_equal(journal_append(txn, STORE_OWED, pending->table, &key,
					NULL, &why),
			 ERR_OK);
}

struct old {
	uint64_t published, tried;
};

/* As a popbox of format 1 left it, with these marks. */
static enum err make_old(struct store_txn *txn, void *arg)
{
	const struct old *old = arg;
	enum err err = drop_all(txn, NULL);

	if (err == ERR_OK)
		err = meta_set(txn, "published_upto", old->published);
	if (err == ERR_OK && old->tried)
		err = meta_set(txn, "tried_upto", old->tried);
	return err == ERR_OK ? meta_set(txn, "format", 1) : err;
}

static enum err nothing(struct store_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return ERR_OK;
}

static enum err no_marks(struct store_txn *txn, void *arg)
{
	uint64_t number;

	(void)arg;
	assert_int_equal(meta_number(txn, "published_upto", &number),
			 ERR_DAMAGED);
	assert_int_equal(meta_number(txn, "tried_upto", &number), ERR_DAMAGED);
	return ERR_OK;
}

static void upgraded(const struct old *old, const char *expected)
{
	struct store *login = NULL;
	uint64_t format;

	assert_int_equal(change(make_old, (void *)(uintptr_t)old), ERR_OK);
	/* Logins go on, and nothing else does. */
	assert_int_equal(change(nothing, NULL), ERR_SCHEMA);
	assert_int_equal(store_read(store, nothing, NULL), ERR_SCHEMA);
	assert_int_equal(store_open_login(dir, &login), ERR_OK);
	assert_int_equal(store_read(login, nothing, NULL), ERR_OK);
	store_close(&login);
	assert_int_equal(store_upgrade(store, store_steps, STORE_FORMAT,
				       &format),
			 ERR_OK);
	is(expected);
	assert_int_equal(store_read(store, no_marks, NULL), ERR_OK);
}

static enum err owe_joe(struct store_txn *txn, void *arg)
{
	(void)arg;
	owe(txn, &(struct store_pending){.table = STORE_ADDRESSES,
					 .address = joe().name,
					 .why = "no room"});
	return ERR_OK;
}

static enum err why(struct store_txn *txn, void *arg)
{
	struct store_pending row;
	enum err err = store_pending_next(txn, NULL, &row);

	(void)arg;
	assert_int_equal(row.tries, 1);
	assert_string_equal(row.why, "no room");
	assert_false(store_pending_fresh(&row));
	return err;
}

static void test_upgrade(void **state)
{
	(void)state;
	/* Nothing was published; all of it, its purge as well; half. */
	upgraded(&(struct old){0, 0},
		 "ex1/box/ex1-0001 1, ex1/domain/example.com 1, "
		 "ex1/address/joe@example.com 1, ");
	upgraded(&(struct old){4, 0}, "");
	upgraded(&(struct old){3, 0}, "ex1/address/joe@example.com 1, ");
	assert_int_equal(change(owe_joe, NULL), ERR_OK);
	upgraded(&(struct old){0, 5}, "ex1/address/joe@example.com 1, ");
	assert_int_equal(store_read(store, why, NULL), ERR_OK);
	assert_int_equal(change(switch_all, NULL), ERR_OK); /* 6 to 9 */
	upgraded(&(struct old){5, 0},
		 "ex1/handle/ 2 stays, ex1/box/ex1-0001 2 stays, "
		 "ex1/domain/example.com 3 stays, "
		 "ex1/address/joe@example.com 1 stays, ");
	assert_int_equal(change(delete_all, NULL), ERR_OK); /* to 12 */
	assert_int_equal(change(purge_all, NULL), ERR_OK);
	upgraded(&(struct old){12, 0},
		 "ex1/box/ex1-0001 1, ex1/domain that was/example.com 1, "
		 "ex1/address/joe@example.com 1, ");
}

/* For tests of the tool: as a popbox of format 1 would have left it, which has an
 * entry for each failure where nothing is fresh, or takes them all for fresh. */
static enum err older_body(struct store_txn *txn, void *arg)
{
	struct store_pending row;
	struct old old = {0, 0};
	bool fresh = false;
	enum err err = store_published(txn, &old.published);

	if (err == ERR_OK)
		err = store_pending_next(txn, NULL, &row);
	while (err == ERR_OK) {
		fresh = fresh || store_pending_fresh(&row);
		if (row.tries)
			owe(txn, &row);
		err = store_pending_next(txn, &row, &row);
	}
	if (err == ERR_NOTFOUND && !fresh)
		assert_int_equal(store_journal_last(txn, &old.tried), ERR_OK);
	(void)arg;
	return err == ERR_NOTFOUND ? make_old(txn, &old) : err;
}

static int make_older(const char *path)
{
	bool bad = store_open_write(path, &store) != ERR_OK ||
		   change(older_body, NULL) != ERR_OK;

	store_close(&store);
	return bad;
}

int main(int argc, char **argv)
{
#define WITH_STORE(sentence, function)                                        \
	{                                                                     \
		sentence, function, set_up, stored_end, NULL                  \
	}
	const struct CMUnitTest tests[] = {
		WITH_STORE("what is added is pending, in the order of publishing",
			   test_add),
		WITH_STORE("what no file says makes no row", test_quiet),
		WITH_STORE("a quota makes one row of each level that says one",
			   test_quota),
		WITH_STORE("a vacation reply makes a row of its box",
			   test_vacation),
		WITH_STORE("where logins are in files a password makes a row",
			   test_logins),
		WITH_STORE("where logins are in files their switches make rows",
			   test_login_switches),
		WITH_STORE("a switch makes one row, of what was switched",
			   test_switches),
		WITH_STORE("what is deleted is pending, and again when it is "
			   "purged",
			   test_delete),
		WITH_STORE("a row keeps the number that it began with",
			   test_numbers),
		WITH_STORE("an upgrade makes the rows that the marks said, and "
			   "logins do not wait for it",
			   test_upgrade),
	};

	if (secret_start() != ERR_OK)
		return 99;
	if (argc == 3 && strcmp(argv[1], "--older") == 0)
		return make_older(argv[2]);
	return RUN(tests);
}
