/* SPDX-License-Identifier: MIT */
/* What store_check tells of addresses, by-box and boxes, word for word. */
#include "named.h"

#include "store/secret.h"
#include "stored.h"

static char told[1000]; /* rule and object of each finding */

static void on_finding(void *arg, unsigned rule, const char *object,
		       const char *what)
{
	size_t len = strlen(told);

	(void)arg;
	print_message("# rule %u: %s: %s\n", rule, object, what);
	(void)snprintf(told + len, sizeof told - len, "%u %s, ", rule, object);
}

static enum err check_body(struct store_txn *txn, void *arg)
{
	unsigned long found;

	(void)arg;
	return store_check(txn, on_finding, NULL, &found);
}

static void tells(const char *expected)
{
	told[0] = 0;
	assert_int_equal(store_read(store, check_body, NULL), ERR_OK);
	assert_string_equal(told, expected);
}

/* Of handles of which one begins like the other, boxes of which more than one
 * address knows, or none. */
static enum err fill_handle(struct store_txn *txn, const char *owner)
{
	static const struct {
		const char *local;
		uint32_t number;
	} addresses[] = {{"postmaster", 0}, {"z", 1}, {"y", 1}, {"x", 300}};
	static const uint32_t numbers[] = {0, 1, 2, 300};
	struct store_domain d = {.handle = handle(owner)};
	enum err err = store_handle_add(txn, &d.handle);
	char name[40];

	(void)snprintf(name, sizeof name, "%s.org", owner);
	d.name = domain(name);
	if (err == ERR_OK)
		err = store_domain_add(txn, &d);
	for (size_t i = 0; err == ERR_OK && i < COUNT(numbers); i++) {
		struct store_box box = {.name = {d.handle, numbers[i]}};

		err = store_box_add(txn, &box);
	}
	for (size_t i = 0; err == ERR_OK && i < COUNT(addresses); i++) {
		struct store_address a = {
			.name.domain = d.name,
			.has_box = true,
			.box = {d.handle, addresses[i].number}};

		(void)snprintf(a.name.local.s, sizeof a.name.local.s, "%s",
			       addresses[i].local);
		err = store_address_add(txn, &a);
	}
	return err;
}

static enum err fill(struct store_txn *txn, void *arg)
{
	static const char *const owners[] = {"e1", "e", "e10"};
	enum err err = ERR_OK;

	(void)arg;
	for (size_t i = 0; err == ERR_OK && i < COUNT(owners); i++)
		err = fill_handle(txn, owners[i]);
	return err;
}

static int set_up(void **state)
{
	(void)state;
	return stored_start(fill);
}

/* One row put as it is, or dropped, without a word to any other table. */
struct edit {
	enum db_table table;
	struct row_key key;
	struct row row;
	bool drop;
};

static enum err edit(struct store_txn *txn, void *arg)
{
	const struct edit *edit = arg;

	return edit->drop ? db_del(txn->db, edit->table,
				   row_key_bytes(&edit->key))
			  : db_put(txn->db, edit->table, row_key_bytes(&edit->key),
				row_bytes(&edit->row));
}

static void drop(enum db_table table, struct row_key key)
{
	struct edit e = {.table = table, .key = key, .drop = true};

	assert_int_equal(change(edit, &e), ERR_OK);
}

/* Into by-box, under a right checksum or not. */
static void put(struct row_key key, bool good)
{
	struct edit e = {.table = DB_BYBOX, .key = key};

	assert_int_equal(bybox_encode(&key, &e.row), ERR_OK);
	e.row.bytes[1] ^= !good;
	assert_int_equal(change(edit, &e), ERR_OK);
}

static struct name_box box(const char *owner, uint32_t number)
{
	return (struct name_box){handle(owner), number};
}

static struct row_key back(const char *owner, uint32_t number, const char *text)
{
	struct name_box name = box(owner, number);
	struct name_address to = address(text);

	return row_key_bybox(&name, &to);
}

static void lacks(void **state)
{
	(void)state;
	tells("");
	drop(DB_BYBOX, back("e1", 1, "z@e1.org"));
	tells("7 z@e1.org, ");
	put(back("e1", 1, "z@e1.org"), true);
	tells("");
}

static void too_much(void **state)
{
	(void)state;
	put(back("e1", 2, "z@e1.org"), true);
	tells("7 e1.....e1.org.z, ");
	put(back("e", 1, "none@e.org"), true);
	tells("7 e.....e.org.none, 7 e1.....e1.org.z, ");
}

static void exchanged(void **state)
{
	(void)state;
	drop(DB_BYBOX, back("e1", 1, "z@e1.org"));
	put(back("e1", 2, "z@e1.org"), true);
	tells("7 z@e1.org, 7 e1.....e1.org.z, ");
}

static void no_box(void **state)
{
	static const struct {
		const char *owner;
		uint32_t number;
		const char *expected;
	} boxes[] = {
		{"e", 0, "6 postmaster@e.org, "},
		{"e", 300, "6 x@e.org, "},
		{"e1", 0, "6 postmaster@e1.org, "},
		{"e1", 1, "6 y@e1.org, 6 z@e1.org, "},
		{"e1", 2, ""},
		{"e10", 0, "6 postmaster@e10.org, "},
		{"e10", 300, "6 x@e10.org, "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(boxes); i++) {
		struct name_box name = box(boxes[i].owner, boxes[i].number);
		struct store_account none = {.box.name = name};
		struct edit e = {.table = DB_BOX, .key = row_key_box(&name)};

		drop(DB_BOX, e.key);
		tells(boxes[i].expected);
		assert_int_equal(box_encode(&none, &e.row), ERR_OK);
		assert_int_equal(change(edit, &e), ERR_OK);
		tells("");
	}
}

static void damaged(void **state)
{
	struct row_key key = row_key_text("e1");

	(void)state;
	put(key, true);
	tells("1 e1, ");
	drop(DB_BYBOX, key);
	put(back("e1", 1, "z@e1.org"), false);
	tells("1 e1.....e1.org.z, ");
}

int main(void)
{
#define WITH_STORE(sentence, function)                                        \
	{                                                                     \
		sentence, function, set_up, stored_end, NULL                  \
	}
	const struct CMUnitTest tests[] = {
		WITH_STORE("an address that by-box does not know is told",
			   lacks),
		WITH_STORE("rows of by-box that no address has are told",
			   too_much),
		WITH_STORE("as many rows as addresses, but others, are told",
			   exchanged),
		WITH_STORE("of a box that is missing each address is told",
			   no_box),
		WITH_STORE("a row of by-box with a wrong key or checksum is "
			   "told once",
			   damaged),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
