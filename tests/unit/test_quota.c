/* SPDX-License-Identifier: MIT */
/* What holds for a box: its own quota, its domains', its handle's. */
#include "named.h"

#include "store/secret.h"
#include "stored.h"

static enum err add_address(struct store_txn *txn, const char *text,
			    const struct name_box *box)
{
	struct store_address a = {.name = address(text), .has_box = true,
				  .box = *box};

	return store_address_add(txn, &a);
}

/* Box 1 of ex1 with addresses in a.org and b.org, which is ex2's; box 2 with none. */
static enum err fill(struct store_txn *txn, void *arg)
{
	struct store_domain a = {.name = domain("a.org"),
				 .handle = handle("ex1")};
	struct store_domain b = {.name = domain("b.org"),
				 .handle = handle("ex2")};
	struct store_box one = {.name = {handle("ex1"), 1}};
	struct store_box two = {.name = {handle("ex1"), 2}};
	enum err err = store_handle_add(txn, &a.handle);

	(void)arg;
	if (err == ERR_OK)
		err = store_handle_add(txn, &b.handle);
	if (err == ERR_OK)
		err = store_domain_add(txn, &a);
	if (err == ERR_OK)
		err = store_domain_add(txn, &b);
	if (err == ERR_OK)
		err = store_box_add(txn, &one);
	if (err == ERR_OK)
		err = store_box_add(txn, &two);
	if (err == ERR_OK)
		err = add_address(txn, "joe@a.org", &one.name);
	if (err == ERR_OK)
		err = add_address(txn, "sam@a.org", &one.name);
	return err == ERR_OK ? add_address(txn, "joe@b.org", &one.name) : err;
}

/* What each level says, and what comes of it for box 1 and for box 2. */
struct levels {
	uint64_t box, a, b, handle, other, one, two;
};

static enum err set(struct store_txn *txn, void *arg)
{
	const struct levels *l = arg;
	struct store_handle h, other;
	struct store_domain a, b;
	struct store_box box;
	struct name_handle ex1 = handle("ex1"), ex2 = handle("ex2");
	struct name_domain a_org = domain("a.org"), b_org = domain("b.org");
	enum err err;

	assert_int_equal(store_handle_get(txn, &ex1, &h), ERR_OK);
	assert_int_equal(store_handle_get(txn, &ex2, &other), ERR_OK);
	assert_int_equal(store_domain_get(txn, &a_org, &a), ERR_OK);
	assert_int_equal(store_domain_get(txn, &b_org, &b), ERR_OK);
	assert_int_equal(store_box_get(txn, &(struct name_box){ex1, 1}, &box),
			 ERR_OK);
	h.quota.bytes = l->handle;
	other.quota.bytes = l->other;
	a.quota.bytes = l->a;
	b.quota.bytes = l->b;
	box.quota.bytes = l->box;
	err = store_handle_set(txn, &h);
	if (err == ERR_OK)
		err = store_handle_set(txn, &other);
	if (err == ERR_OK)
		err = store_domain_set(txn, &a);
	if (err == ERR_OK)
		err = store_domain_set(txn, &b);
	return err == ERR_OK ? store_box_set(txn, &box) : err;
}

static enum err look(struct store_txn *txn, void *arg)
{
	const struct levels *l = arg;
	const uint64_t want[] = {l->one, l->two};
	struct name_box name = {handle("ex1"), 1};

	for (; name.number <= COUNT(want); name.number++) {
		struct store_quota quota;
		struct store_box box;

		assert_int_equal(store_box_get(txn, &name, &box), ERR_OK);
		assert_int_equal(store_box_quota(txn, &box, &quota), ERR_OK);
		assert_int_equal(quota.bytes, want[name.number - 1]);
		assert_int_equal(quota.messages, 0);
	}
	return ERR_OK;
}

static void levels(void **state)
{
	static struct levels rows[] = {
		{0, 0, 0, 0, 0, 0, 0},
		{0, 0, 0, 7, 9, 7, 7}, /* the box's handle, not the domain's */
		{0, 3, 0, 7, 0, 3, 7},
		{0, 3, 5, 7, 0, 5, 7},
		{0, 5, 3, 7, 0, 5, 7},
		{2, 5, 3, 7, 0, 2, 7},
		{9, 5, 3, 7, 0, 9, 7},
		{STORE_UNLIMITED, 5, 3, 7, 0, 0, 7},
		{0, 5, STORE_UNLIMITED, 7, 0, 0, 7},
		{0, 0, 0, STORE_UNLIMITED, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(change(set, &rows[i]), ERR_OK);
		assert_int_equal(store_read(store, look, &rows[i]), ERR_OK);
	}
}

static enum err set_messages(struct store_txn *txn, void *arg)
{
	struct name_domain name = domain("b.org");
	struct store_domain b;

	(void)arg;
	assert_int_equal(store_domain_get(txn, &name, &b), ERR_OK);
	b.quota = (struct store_quota){0, 100};
	return store_domain_set(txn, &b);
}

static enum err look_both(struct store_txn *txn, void *arg)
{
	struct name_box name = {handle("ex1"), 1};
	struct store_quota quota;
	struct store_box box;

	(void)arg;
	assert_int_equal(store_box_get(txn, &name, &box), ERR_OK);
	assert_int_equal(store_box_quota(txn, &box, &quota), ERR_OK);
	assert_int_equal(quota.bytes, 2);
	assert_int_equal(quota.messages, 100);
	return ERR_OK;
}

static void apart(void **state)
{
	struct levels level = {2, 5, 0, 7, 0, 0, 0};

	(void)state;
	assert_int_equal(change(set, &level), ERR_OK);
	assert_int_equal(change(set_messages, NULL), ERR_OK);
	assert_int_equal(store_read(store, look_both, NULL), ERR_OK);
}

static enum err lose_domain(struct store_txn *txn, void *arg)
{
	struct name_domain name = domain("b.org");
	struct row_key key = row_key_domain(&name);

	(void)arg;
	return db_del(txn->db, DB_DOMAIN, row_key_bytes(&key));
}

static enum err look_lost(struct store_txn *txn, void *arg)
{
	struct name_box name = {handle("ex1"), 1};
	struct store_quota quota;
	struct store_box box;

	(void)arg;
	assert_int_equal(store_box_get(txn, &name, &box), ERR_OK);
	return store_box_quota(txn, &box, &quota);
}

static void lost(void **state)
{
	(void)state;
	assert_int_equal(change(lose_domain, NULL), ERR_OK);
	assert_int_equal(store_read(store, look_lost, NULL), ERR_DAMAGED);
}

static int set_up(void **state)
{
	(void)state;
	return stored_start(fill);
}

#define WITH_STORE(sentence, function)                                        \
	{                                                                     \
		sentence, function, set_up, stored_end, NULL                  \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE("a box's own quota is before its domains', the "
			   "largest of those before its handle's",
			   levels),
		WITH_STORE("bytes and messages are looked for apart", apart),
		WITH_STORE("a domain that was lost is no quota of 0", lost),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
