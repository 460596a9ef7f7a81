/* SPDX-License-Identifier: MIT */
/* Where the addresses of a store lead in the end. */
#include "named.h"

#include "accounts/follow.h"
#include "accounts/resolve.h"
#include "stored.h"

static char told[4000], loop[1000];

static enum err on_found(void *arg, const struct follow *f)
{
	static const char *const words[] = {
		[FOLLOW_BOX] = "box",	    [FOLLOW_OUTSIDE] = "outside",
		[FOLLOW_LOOP] = "loop",	    [FOLLOW_NOBODY] = "nobody",
		[FOLLOW_DELETED] = "deleted", [FOLLOW_CLOSED] = "closed",
		[FOLLOW_LIMIT] = "limit"};
	size_t len = strlen(told);

	(void)arg;
	assert_int_equal(f->loop != NULL, f->end == FOLLOW_LOOP);
	if (f->loop)
		(void)snprintf(loop, sizeof loop, "%s%s", f->loop,
			       f->on_loop ? "" : ", not where it began");
	assert_int_equal(follow_is_dead(f->end), follow_text(f->end) != NULL);
	(void)snprintf(told + len, sizeof told - len, "%s>%s %s, ", f->from,
		       f->target, words[f->end]);
	return ERR_OK;
}

static struct name_address name_of(const char *text)
{
	const char *at = strchr(text, '@');
	struct name_address name = {.domain = domain(at + 1)};

	assert_null(name_local_or_catchall(text, (size_t)(at - text),
					   &name.local));
	return name;
}

static enum err follow_body(struct store_txn *txn, void *arg)
{
	const struct name_address name = name_of(arg);

	told[0] = 0;
	return follow(txn, &name, on_found, NULL);
}

static void leads(char *from, const char *expected)
{
	assert_int_equal(store_read(store, follow_body, from), ERR_OK);
	assert_string_equal(told, expected);
}

static enum err put_domain(struct store_txn *txn, const char *name,
			   enum store_kind kind, const char *target, bool below)
{
	struct store_domain d = {.name = domain(name),
				 .handle = handle("ex1"),
				 .kind = kind,
				 .subdomains = below};

	if (target)
		d.target = domain(target);
	return store_domain_add(txn, &d);
}

/* box 0: none. Forwards end with a NULL. */
static enum err put(struct store_txn *txn, const char *name, uint32_t box,
		    const char *const *forwards)
{
	struct store_address a = {.name = name_of(name),
				  .has_box = box != 0,
				  .box = {handle("ex1"), box}};

	for (; forwards && *forwards; forwards++) {
		size_t len = strlen(*forwards) + 1;

		memcpy(a.forwards + a.forwards_len, *forwards, len);
		a.forwards_len += len;
	}
	return store_address_add(txn, &a);
}

#define TO(...) (const char *const[]){__VA_ARGS__, NULL}

static enum err fill_names(struct store_txn *txn)
{
	struct name_handle ex1 = handle("ex1");
	enum err err = store_handle_add(txn, &ex1);

	if (err == ERR_OK)
		err = put_domain(txn, "a.org", STORE_POP, NULL, true);
	if (err == ERR_OK)
		err = put_domain(txn, "b.org", STORE_POP, NULL, false);
	if (err == ERR_OK)
		err = put_domain(txn, "alias.org", STORE_ALIAS, "a.org", false);
	if (err == ERR_OK)
		err = put_domain(txn, "backup.org", STORE_BACKUP, NULL, false);
	for (uint32_t i = 1; err == ERR_OK && i < 3; i++) {
		struct store_box box = {.name = {ex1, i}};

		err = store_box_add(txn, &box);
	}
	return err;
}

static enum err fill(struct store_txn *txn, void *arg)
{
	static const struct {
		const char *name;
		uint32_t box;
		const char *to[4];
	} rows[] = {
		{"joe@a.org", 1, {NULL}},
		{"*@b.org", 2, {NULL}},
		{"out@a.org", 0, {"x@else.org", "y@backup.org"}},
		{"both@a.org", 1, {"joe@b.org", "Joe@A.ORG"}},
		{"one@a.org", 0, {"two@alias.org"}},
		{"two@a.org", 0, {"one@x.a.org"}},
		{"dead@a.org", 0, {"nobody@a.org", "nobody@x.b.org"}},
		{"group@a.org", 0, {"left@a.org", "right@a.org"}},
		{"left@a.org", 0, {"joe@a.org"}},
		{"right@a.org", 0, {"joe@a.org", "gone@a.org"}},
		{"gone@a.org", 1, {NULL}},
		{"into@a.org", 0, {"one@a.org"}},
	};
	enum err err = fill_names(txn);

	(void)arg;
	for (size_t i = 0; err == ERR_OK && i < COUNT(rows); i++)
		err = put(txn, rows[i].name, rows[i].box, rows[i].to);
	return err;
}

static int set_up(void **state)
{
	(void)state;
	return stored_start(fill);
}

static void ends(void **state)
{
	(void)state;
	leads("joe@a.org", "joe@a.org>ex1-0001 box, ");
	leads("out@a.org", "out@a.org>x@else.org outside, "
			   "out@a.org>y@backup.org outside, ");
	leads("both@a.org", "both@a.org>ex1-0001 box, "
			    "*@b.org>ex1-0002 box, joe@a.org>ex1-0001 box, ");
	leads("dead@a.org", "dead@a.org>nobody@a.org nobody, "
			    "dead@a.org>nobody@x.b.org outside, ");
}

static void loops(void **state)
{
	(void)state;
	leads("one@a.org", "two@a.org>one@x.a.org loop, ");
	assert_string_equal(loop, "one@a.org leads to two@a.org leads back to "
				  "one@a.org");
	leads("two@a.org", "one@a.org>two@alias.org loop, ");
	leads("into@a.org", "two@a.org>one@x.a.org loop, ");
	assert_string_equal(loop, "one@a.org leads to two@a.org leads back to "
				  "one@a.org, not where it began");
	/* Two ways to the same address are no loop. */
	leads("group@a.org", "joe@a.org>ex1-0001 box, gone@a.org>ex1-0001 box, ");
}

static enum err take_body(struct store_txn *txn, void *arg)
{
	const struct name_address gone = name_of("gone@a.org");
	const struct name_domain b = domain("b.org");
	const struct name_address all = name_of("*@b.org");
	enum err err = store_address_del(txn, &gone, STORE_BOUNCES);

	(void)arg;
	if (err == ERR_OK)
		err = store_address_del(txn, &all, STORE_BOUNCES);
	return err == ERR_OK ? store_domain_del(txn, &b) : err;
}

static void deleted(void **state)
{
	(void)state;
	assert_int_equal(change(take_body, NULL), ERR_OK);
	leads("right@a.org", "joe@a.org>ex1-0001 box, "
			     "right@a.org>gone@a.org deleted, ");
	leads("both@a.org", "both@a.org>ex1-0001 box, "
			    "both@a.org>joe@b.org closed, "
			    "joe@a.org>ex1-0001 box, ");
}

/* A change that would lead back to itself is seen before the commit. */
static enum err close_circle(struct store_txn *txn, void *arg)
{
	enum err err = put(txn, "r@a.org", 0, TO("s@a.org"));

	if (err == ERR_OK)
		err = follow_body(txn, "r@a.org");
	assert_string_equal(told, "r@a.org>s@a.org nobody, ");
	if (err == ERR_OK)
		err = put(txn, "s@a.org", 0, TO("r@a.org"));
	if (err == ERR_OK)
		err = put(txn, "*@a.org", 0, TO("who@a.org"));
	if (err == ERR_OK)
		err = follow_body(txn, arg);
	return err == ERR_OK ? ERR_BUSY : err; /* never committed */
}

static void before_the_commit(void **state)
{
	(void)state;
	assert_int_equal(change(close_circle, "s@a.org"), ERR_BUSY);
	assert_string_equal(told, "r@a.org>s@a.org loop, ");
	assert_int_equal(change(close_circle, "*@a.org"), ERR_BUSY);
	assert_string_equal(told, "*@a.org>who@a.org loop, ");
	assert_string_equal(loop, "*@a.org leads back to itself");
	assert_int_equal(store_read(store, follow_body, "s@a.org"),
			 ERR_NOTFOUND);
}

/* A way of more addresses than are followed says that it is cut. */
static enum err long_way(struct store_txn *txn, void *arg)
{
	enum err err = ERR_OK;
	char name[40], next[40];

	(void)arg;
	for (int i = 0; err == ERR_OK && i <= FOLLOW_MAX; i++) {
		(void)snprintf(name, sizeof name, "n%d@a.org", i);
		(void)snprintf(next, sizeof next, "n%d@a.org", i + 1);
		err = put(txn, name, 0, TO(next));
	}
	return err;
}

static void limit(void **state)
{
	(void)state;
	assert_int_equal(change(long_way, NULL), ERR_OK);
	leads("n0@a.org", "n999@a.org>n1000@a.org limit, ");
	leads("n2@a.org", "n1000@a.org>n1001@a.org nobody, ");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SAYS("an address leads to boxes, outside, or nowhere", ends),
		SAYS("a loop is named, and two ways to one box are none",
		     loops),
		SAYS("a change is followed before it is committed",
		     before_the_commit),
		SAYS("deleted addresses and domains are dead ends", deleted),
		SAYS("a way that is too long says so", limit),
	};

	return cmocka_run_group_tests(tests, set_up, stored_end);
}
