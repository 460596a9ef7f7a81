/* SPDX-License-Identifier: MIT */
#include "named.h"

#include "store/secret.h"
#include "stored.h"

static unsigned long findings;
static unsigned rule_found;

static void on_finding(void *arg, unsigned rule, const char *object,
		       const char *what)
{
	(void)arg;
	rule_found = rule;
	print_message("# rule %u: %s: %s\n", rule, object, what);
}

static enum err check_body(struct store_txn *txn, void *arg)
{
	(void)arg;
	return store_check(txn, on_finding, NULL, &findings);
}

/* "NAME" of kind pop, or "NAME>TARGET", an alias; both of the handle. */
static enum err add_one(struct store_txn *txn, const char *owner,
			const char *text)
{
	struct store_domain d = {.handle = handle(owner)};
	struct store_address a = {.forwards_len = 6, .forwards = "x@y.z"};
	const char *to = strchr(text, '>');
	enum err err;

	assert_null(name_domain_read(
		text, to ? (size_t)(to - text) : strlen(text), &d.name));
	if (to) {
		d.kind = STORE_ALIAS;
		d.target = domain(to + 1);
	}
	a.name = (struct name_address){{"postmaster"}, d.name};
	err = store_domain_add(txn, &d);
	return err == ERR_OK && !to ? store_address_add(txn, &a) : err;
}

static enum err fill(struct store_txn *txn, void *arg)
{
	static const char *const of_a[] = {"one.org", "three.org", "two.org",
					   "x.org>one.org", "y.org>one.org"};
	struct name_handle a = handle("a"), b = handle("b");
	enum err err = store_handle_add(txn, &a);

	(void)arg;
	if (err == ERR_OK)
		err = store_handle_add(txn, &b);
	for (size_t i = 0; err == ERR_OK && i < COUNT(of_a); i++)
		err = add_one(txn, "a", of_a[i]);
	return err == ERR_OK ? add_one(txn, "b", "other.org") : err;
}

/* The names, each with a space behind it. */
struct names {
	char text[200];
	const char *owner;
	bool aliases;
};

static enum err walk(struct store_txn *txn, void *arg)
{
	struct names *names = arg;
	struct name_domain *after = NULL;
	struct store_domain d;
	size_t at = 0;
	enum err err = ERR_OK;

	names->text[0] = 0;
	while (err == ERR_OK) {
		if (names->aliases) {
			struct name_domain target = domain(names->owner);

			err = store_alias_next(txn, &target, after, &d);
		} else {
			struct name_handle owner = handle(names->owner);

			err = store_handle_domain_next(txn, &owner, after, &d);
		}
		after = &d.name;
		if (err == ERR_OK)
			at += (size_t)snprintf(names->text + at,
					       sizeof names->text - at, "%s ",
					       d.name.s);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static void owns(const char *owner, bool aliases, const char *wanted)
{
	static struct names names;

	names.owner = owner;
	names.aliases = aliases;
	assert_int_equal(store_read(store, walk, &names), ERR_OK);
	assert_string_equal(names.text, wanted);
}

static void owns_all(void)
{
	owns("a", false, "one.org three.org two.org x.org y.org ");
	owns("b", false, "other.org ");
	owns("c", false, "");
	owns("one.org", true, "x.org y.org ");
	owns("two.org", true, "");
}

static int set_up(void **state)
{
	(void)state;
	return stored_start(fill);
}

static void sound(void)
{
	assert_int_equal(store_read(store, check_body, NULL), ERR_OK);
	assert_int_equal(findings, 0);
}

static void breaks_rule(unsigned rule)
{
	assert_int_equal(store_read(store, check_body, NULL), ERR_OK);
	assert_int_equal(findings, 1);
	assert_int_equal(rule_found, rule);
}

static enum err retarget(struct store_txn *txn, void *arg)
{
	struct name_domain name = domain("y.org");
	struct store_domain d;
	enum err err = store_domain_get(txn, &name, &d);

	d.target = domain(arg);
	return err == ERR_OK ? store_domain_set(txn, &d) : err;
}

static enum err del(struct store_txn *txn, void *arg)
{
	struct name_domain name = domain(arg);
	const struct name_address postmaster = {{"postmaster"}, name};
	enum err err = store_address_del(txn, &postmaster, STORE_GOES_ON);

	return err == ERR_OK || err == ERR_NOTFOUND
		       ? store_domain_del(txn, &name)
		       : err;
}

static void follows(void **state)
{
	(void)state;
	owns_all();
	assert_int_equal(change(retarget, "two.org"), ERR_OK);
	owns("one.org", true, "x.org ");
	owns("two.org", true, "y.org ");
	assert_int_equal(change(retarget, "one.org"), ERR_OK);
	owns_all();
	assert_int_equal(change(del, "x.org"), ERR_OK);
	owns("a", false, "one.org three.org two.org y.org ");
	owns("one.org", true, "y.org ");
	sound();
}

static void guards(void **state)
{
	char text[] = "one.org";

	(void)state;
	assert_int_equal(change(del, text), ERR_INUSE);
	assert_non_null(strstr(store_reason(store), "x.org"));
	assert_int_equal(change(retarget, "two.org"), ERR_OK);
	assert_int_equal(change(del, "x.org"), ERR_OK);
	assert_int_equal(change(del, text), ERR_OK);
	sound();
}

/* As a store was before there was this table. */
static enum err forget(struct store_txn *txn, void *arg)
{
	struct row_key word = row_key_text(owner_word);
	struct db_bytes key, row;
	enum err err;

	(void)arg;
	while ((err = db_next(txn->db, DB_BYOWNER, (struct db_bytes){NULL, 0},
			      false, &key, &row)) == ERR_OK) {
		uint8_t copy[STORE_KEY_MAX];

		memcpy(copy, key.at, key.len);
		err = db_del(txn->db, DB_BYOWNER,
			     (struct db_bytes){copy, key.len});
		if (err != ERR_OK)
			return err;
	}
	return err == ERR_NOTFOUND ? db_del(txn->db, DB_META,
					    row_key_bytes(&word))
				   : err;
}

static void older(void **state)
{
	(void)state;
	assert_int_equal(change(forget, NULL), ERR_OK);
	owns_all();
	sound();
	assert_int_equal(change(del, "y.org"), ERR_OK);
	owns("a", false, "one.org three.org two.org x.org ");
	owns("one.org", true, "x.org ");
	sound();
}

static enum err forget_word(struct store_txn *txn, void *arg)
{
	struct row_key word = row_key_text(owner_word);

	(void)arg;
	return db_del(txn->db, DB_META, row_key_bytes(&word));
}

static enum err drop(struct store_txn *txn, void *arg)
{
	struct row_key key = *(struct row_key *)arg;

	return db_del(txn->db, DB_BYOWNER, row_key_bytes(&key));
}

static enum err put(struct store_txn *txn, void *arg)
{
	struct row_key key = *(struct row_key *)arg;
	struct row row;
	enum err err = bybox_encode(&key, &row);

	return err == ERR_OK ? row_write(txn, DB_BYOWNER, &key, &row) : err;
}

static void told(void **state)
{
	struct name_handle a = handle("a"), b = handle("b");
	struct name_domain one = domain("one.org"), two = domain("two.org"),
			   x = domain("x.org");
	struct row_key key = row_key_owned(&a, &one);

	(void)state;
	sound();
	assert_int_equal(change(drop, &key), ERR_OK);
	breaks_rule(13);
	assert_int_equal(change(put, &key), ERR_OK);
	sound();
	key = row_key_alias(&one, &x);
	assert_int_equal(change(drop, &key), ERR_OK);
	breaks_rule(13);
	assert_int_equal(change(put, &key), ERR_OK);
	assert_int_equal(change(forget_word, NULL), ERR_OK);
	breaks_rule(13);
	assert_int_equal(change(del, "y.org"), ERR_OK);
	sound();
	key = row_key_owned(&b, &one);
	assert_int_equal(change(put, &key), ERR_OK);
	breaks_rule(13);
	assert_int_equal(change(drop, &key), ERR_OK);
	/* A row that leads astray is damage to whoever follows it. */
	key = row_key_alias(&two, &x);
	assert_int_equal(change(put, &key), ERR_OK);
	breaks_rule(13);
	assert_int_equal(change(del, "two.org"), ERR_DAMAGED);
	assert_int_equal(change(drop, &key), ERR_OK);
	sound();
}

int main(void)
{
#define WITH_STORE(sentence, function)                                        \
	{                                                                     \
		sentence, function, set_up, stored_end, NULL                  \
	}
	const struct CMUnitTest tests[] = {
		WITH_STORE("a handle has its domains, a domain its aliases",
			   follows),
		WITH_STORE("a domain with an alias is not deleted", guards),
		WITH_STORE("a store without the table answers the same, and has "
			   "it after its next change of a domain",
			   older),
		WITH_STORE("check tells what the table lacks, and what it has "
			   "too much",
			   told),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
