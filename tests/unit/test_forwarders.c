/* SPDX-License-Identifier: MIT */
/* The addresses that have forwards are found by the length of their rows: of the
 * others not even a damaged one is looked at. */
#include "named.h"

#include <stdbool.h>

#include "store/secret.h"
#include "stored.h"

static const char *const handles[] = {"e", "abcdefghijklmno"};
/* On the order of the keys. */
static const char *const boxes[] = {"b0@a.org", "b1@a.org"};
static const char *const both[] = {"c0@a.org", "c1@a.org"};
static const char *const forwards[] = {"d0@a.org", "d1@a.org"};

static enum err add(struct store_txn *txn, const char *name, const char *owner,
		    size_t len)
{
	static struct store_address a;

	a = (struct store_address){.name = address(name), .forwards_len = len};
	memcpy(a.forwards, "a@b.org", len);
	a.has_box = owner != NULL;
	if (owner)
		a.box.handle = handle(owner);
	return store_address_add(txn, &a);
}

static enum err fill(struct store_txn *txn, void *arg)
{
	struct store_domain d = {.name = domain("a.org"),
				 .handle = handle("e")};
	enum err err = ERR_OK;

	(void)arg;
	for (size_t i = 0; err == ERR_OK && i < 2; i++) {
		struct store_box box = {.name = {handle(handles[i]), 0}};

		err = store_handle_add(txn, &box.name.handle);
		if (err == ERR_OK && i == 0)
			err = store_domain_add(txn, &d);
		if (err == ERR_OK)
			err = store_box_add(txn, &box);
		if (err == ERR_OK)
			err = add(txn, boxes[i], handles[i], 0);
		if (err == ERR_OK)
			err = add(txn, both[i], handles[i], 8);
		if (err == ERR_OK)
			err = add(txn, forwards[i], NULL, 8);
	}
	return err;
}

static int set_up(void **state)
{
	(void)state;
	return stored_start(fill);
}

static char found[200];

static enum err on_found(void *arg, const struct store_address *address)
{
	(void)arg;
	assert_string_equal(address->forwards, "a@b.org");
	(void)snprintf(found + strlen(found), sizeof found - strlen(found),
		       "%s ", address->name.local.s);
	return ERR_OK;
}

static enum err look(struct store_txn *txn, void *arg)
{
	found[0] = 0;
	return store_forwarders(txn, on_found, arg);
}

static void all(void **state)
{
	(void)state;
	assert_int_equal(store_read(store, look, NULL), ERR_OK);
	assert_string_equal(found, "c0 c1 d0 d1 ");
}

struct spoil {
	const char *name;
	size_t len; /* of the row, where it is cut; 0: its last bit differs */
};

static enum err spoil(struct store_txn *txn, void *arg)
{
	const struct spoil *how = arg;
	const struct name_address name = address(how->name);
	const struct row_key key = row_key_address(&name);
	static struct row row; /* of a row that is cut again, the whole of it */
	struct db_bytes bytes;
	enum err err = db_get(txn->db, DB_ADDRESS, row_key_bytes(&key), &bytes);

	if (err != ERR_OK)
		return err;
	if (!how->len || how->len == 1) {
		memcpy(row.bytes, bytes.at, bytes.len);
		row.len = bytes.len;
	}
	if (how->len)
		row.len = how->len;
	else
		row.bytes[row.len - 1] ^= 1;
	return db_put(txn->db, DB_ADDRESS, row_key_bytes(&key), row_bytes(&row));
}

static void spoilt(const char *name, size_t len, enum err want)
{
	assert_int_equal(change(spoil, &(struct spoil){name, len}), ERR_OK);
	if (store_read(store, look, NULL) != want)
		fail_msg("%s, of %zu bytes", name, len);
}

static void damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		spoilt(boxes[i], 0, ERR_OK);
	assert_string_equal(found, "c0 c1 d0 d1 ");
	/* What is shorter than any row, the length of a row without forwards
	 * excepted, is looked at. */
	for (size_t len = 1; len < 19; len++) {
		if (len != 1 + 1 + 2 + 8)
			spoilt(boxes[0], len, ERR_DAMAGED);
	}
}

static void of_some(void **state)
{
	(void)state;
	spoilt(both[1], 0, ERR_DAMAGED);
}

static void of_one(void **state)
{
	(void)state;
	spoilt(forwards[0], 0, ERR_DAMAGED);
}

static enum err add_end(struct store_txn *txn, void *arg)
{
	static struct store_address a;

	a = (struct store_address){.name = address(arg), .has_box = true,
				   .box = {handle("e"), 0}, .expires = 200};
	if (strncmp(arg, "b", 1) == 0)
		a.expires = 100;
	if (strncmp(arg, "off", 3) == 0) {
		a.delivery = STORE_BOUNCE;
		a.expires = 50;
		a.off_since = 1;
	}
	return store_address_add(txn, &a);
}

static enum err on_end(void *arg, const struct store_address *address)
{
	(void)arg;
	(void)snprintf(found + strlen(found), sizeof found - strlen(found),
		       "%s ", address->name.local.s);
	return ERR_OK;
}

static enum err look_ends(struct store_txn *txn, void *arg)
{
	found[0] = 0;
	return store_expiring(txn, *(int64_t *)arg, on_end, NULL);
}

static enum err look_first(struct store_txn *txn, void *arg)
{
	return store_first_end(txn, arg);
}

static void ends_by(int64_t upto, const char *want)
{
	assert_int_equal(store_read(store, look_ends, &upto), ERR_OK);
	assert_string_equal(found, want);
}

static void ends(void **state)
{
	int64_t first;

	(void)state;
	assert_int_equal(store_read(store, look_first, &first), ERR_OK);
	assert_true(first == INT64_MAX);
	ends_by(INT64_MAX, "");
	assert_int_equal(change(add_end, "a0@a.org"), ERR_OK);
	assert_int_equal(store_read(store, look_first, &first), ERR_OK);
	assert_true(first == 200);
	assert_int_equal(change(add_end, "b2@a.org"), ERR_OK);
	assert_int_equal(change(add_end, "off@a.org"), ERR_OK);
	assert_int_equal(change(add_end, "z@a.org"), ERR_OK);
	assert_int_equal(store_read(store, look_first, &first), ERR_OK);
	assert_true(first <= 100);
	ends_by(99, "");
	ends_by(100, "b2 ");
	ends_by(199, "b2 ");
	ends_by(200, "a0 b2 z ");
}

int main(void)
{
#define WITH_STORE(sentence, function)                                        \
	{                                                                     \
		sentence, function, set_up, stored_end, NULL                   \
	}
	const struct CMUnitTest tests[] = {
		WITH_STORE("who has forwards is found, with a box or without",
			   all),
		WITH_STORE("a damaged row of a box alone is none of it, a cut "
			   "one is", damaged),
		WITH_STORE("a damaged row with a box and forwards is", of_some),
		WITH_STORE("a damaged row of forwards alone is", of_one),
		WITH_STORE("an address that is on is found at its end, and not a "
			   "second before",
			   ends),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
