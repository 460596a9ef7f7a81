/* SPDX-License-Identifier: MIT */
#include "named.h"

#include "store/pending.h"
#include "store/secret.h"
#include "stored.h"

/* Each numbered rule of popbox-store(5): a store in which one row breaks it, and
 * what is told of that, no more and no less. */

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
	return store_check(txn, on_finding, NULL, arg);
}

static enum err last_body(struct store_txn *txn, void *arg)
{
	return store_journal_last(txn, arg);
}

static struct store_domain domain_of(const char *name)
{
	struct store_domain d = {.name = domain(name), .handle = handle("ex1")};

	if (strcmp(name, "xn--bcher-kva.de") == 0)
		(void)snprintf(d.utf8, sizeof d.utf8,
			       "b\xc3\xbc"
			       "cher.de");
	else if (strcmp(name, "alias.org") == 0) {
		d.kind = STORE_ALIAS;
		d.target = domain("example.com");
	} else if (strcmp(name, "relay.org") == 0) {
		d.kind = STORE_RELAY;
		(void)snprintf(d.host, sizeof d.host, "mx.net");
	}
	return d;
}

static struct store_address address_of(const char *name)
{
	return (struct store_address){.name = address(name),
				      .has_box = true,
				      .box = {handle("ex1"), 0}};
}

static enum err give_ip(struct store_txn *txn)
{
	const struct name_domain name = domain("example.com");
	struct store_domain is;
	enum err err = store_domain_get(txn, &name, &is);

	(void)snprintf(is.ip, sizeof is.ip, "192.0.2.1");
	return err == ERR_OK ? store_domain_set(txn, &is) : err;
}

static enum err fill(struct store_txn *txn, void *arg)
{
	static const char *const handles[] = {"ex1", "gone", "none"};
	static const char *const domains[] = {"example.com", "xn--bcher-kva.de",
					      "alias.org", "relay.org",
					      "gone.org"};
	static const char *const addresses[] = {"postmaster@example.com",
						"postmaster@xn--bcher-kva.de",
						"joe@example.com"};
	const struct name_domain gone = domain("gone.org");
	enum err err = ERR_OK;

	(void)arg;
	for (size_t i = 0; err == ERR_OK && i < COUNT(handles); i++) {
		struct name_handle name = handle(handles[i]);

		err = store_handle_add(txn, &name);
	}
	for (uint32_t i = 0; err == ERR_OK && i < 2; i++) {
		struct store_box box = {.name = {handle("ex1"), i}};

		err = store_box_add(txn, &box);
	}
	for (size_t i = 0; err == ERR_OK && i < COUNT(domains); i++) {
		struct store_domain d = domain_of(domains[i]);

		err = store_domain_add(txn, &d);
	}
	for (size_t i = 0; err == ERR_OK && i < COUNT(addresses); i++) {
		struct store_address a = address_of(addresses[i]);

		err = store_address_add(txn, &a);
	}
	if (err == ERR_OK)
		err = store_domain_del(txn, &gone);
	return err == ERR_OK ? give_ip(txn) : err;
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

	return edit->drop
		       ? db_del(txn->db, edit->table, row_key_bytes(&edit->key))
		       : db_put(txn->db, edit->table, row_key_bytes(&edit->key),
				row_bytes(&edit->row));
}

/* The row as it is now. */
static enum err read_row(struct store_txn *txn, void *arg)
{
	struct edit *now = arg;
	struct db_bytes row;
	enum err err =
		db_get(txn->db, now->table, row_key_bytes(&now->key), &row);

	now->drop = err == ERR_NOTFOUND;
	if (err != ERR_OK)
		return now->drop ? ERR_OK : err;
	memcpy(now->row.bytes, row.at, row.len);
	now->row.len = row.len;
	return ERR_OK;
}

/* What is told once the row is so; afterwards it is as it was. */
static void tells(struct edit is, const char *expected)
{
	static struct edit was;
	unsigned long found = 99;

	was = (struct edit){.table = is.table, .key = is.key};
	assert_int_equal(store_read(store, read_row, &was), ERR_OK);
	assert_int_equal(change(edit, &is), ERR_OK);
	told[0] = 0;
	assert_int_equal(store_read(store, check_body, &found), ERR_OK);
	assert_string_equal(told, expected);
	assert_int_equal(found != 0, *expected != 0);

	assert_int_equal(change(edit, &was), ERR_OK);
}

static void drop(enum db_table table, struct row_key key, const char *expected)
{
	tells((struct edit){.table = table, .key = key, .drop = true},
	      expected);
}

/* A row in which one bit is another. */
static void flip(enum db_table table, struct row_key key, const char *expected)
{
	struct edit is = {.table = table, .key = key};

	assert_int_equal(store_read(store, read_row, &is), ERR_OK);
	assert_false(is.drop);
	is.row.bytes[is.row.len - 1] ^= 1;
	tells(is, expected);
}

static void put_domain(const struct store_domain *d, const char *expected)
{
	struct edit is = {.table = DB_DOMAIN, .key = row_key_domain(&d->name)};

	assert_int_equal(domain_encode(d, &is.row), ERR_OK);
	tells(is, expected);
}

static void put_address(const struct store_address *a, const char *expected)
{
	struct edit is = {.table = DB_ADDRESS,
			  .key = row_key_address(&a->name)};

	assert_int_equal(address_encode(a, &is.row), ERR_OK);
	tells(is, expected);
}

static struct row_key key_of(const char *name)
{
	struct name_domain d = domain(name);

	return row_key_domain(&d);
}

static struct row_key key_handle(const char *name)
{
	struct name_handle h = handle(name);

	return row_key_handle(&h);
}

static struct row_key key_box(const char *owner, uint32_t number)
{
	struct name_box box = {handle(owner), number};

	return row_key_box(&box);
}

static struct row_key key_address(const char *name)
{
	struct name_address a = address(name);

	return row_key_address(&a);
}

static struct row_key key_owned(const char *name)
{
	struct name_handle ex1 = handle("ex1");
	struct name_domain d = domain(name);

	return row_key_owned(&ex1, &d);
}

static struct row_key key_alias(const char *name, const char *target)
{
	struct name_domain is = domain(name), of = domain(target);

	return row_key_alias(&of, &is);
}

static struct row_key key_gone(void)
{
	struct name_domain d = domain("gone.org");
	struct row_key was = row_key_was(&d, STORE_POP);

	return row_key_parked(STORE_DOMAINS, &was);
}

static struct row_key key_pending(void)
{
	const struct store_pending row = {.table = STORE_DOMAINS,
					  .handle = handle("ex1"),
					  .address.domain = domain("relay.org")};

	return row_key_pending(&row);
}

static void damaged(void **state)
{
	(void)state;
	flip(DB_HANDLE, key_handle("none"), "1 none, ");
	flip(DB_DOMAIN, key_of("relay.org"), "1 relay.org, 13 ex1.relay.org, ");
	flip(DB_DOMAIN, row_key_text("192.0.2.1"), "1 192.0.2.1, ");
	flip(DB_BOX, key_box("ex1", 1), "1 ex1....., ");
	flip(DB_ADDRESS, key_address("joe@example.com"),
	     "1 example.com.joe, 7 ex1.....example.com.joe, ");
	flip(DB_JOURNAL, row_key_number(1), "1 ........, ");
	flip(DB_PARKED, key_gone(), "1 .gone.org.., ");
	flip(DB_BYOWNER, key_owned("relay.org"), "1 ex1.relay.org, ");
	flip(DB_META, row_key_text("id"), "1 id, ");
	/* Names of a key's bytes: what prints, and the others as dots. */
	tells((struct edit){.table = DB_HANDLE,
			    .key = row_key_text("\x1f !a~\x7f\x80"),
			    .row = {.len = 3, .bytes = "abc"}},
	      "1 ..!a~.., ");
	flip(DB_PENDING, key_pending(), "1 ex1..relay.org, ");
}

/* A row of a second table, whole, under a key that is none of it. */
static void stray(enum db_table table, const char *bytes, size_t len,
		  const char *expected)
{
	struct edit is = {.table = table, .key.len = len};

	memcpy(is.key.bytes, bytes, len);
	assert_int_equal(bybox_encode(&is.key, &is.row), ERR_OK);
	tells(is, expected);
}

static void strays(void **state)
{
	struct edit is = {.table = DB_JOURNAL, .key = row_key_text("\xff......")};
	uint64_t last;

	(void)state;
	stray(DB_BYOWNER, BYTES("ex1"), "1 ex1, ");
	stray(DB_BYOWNER, BYTES("ex1\0"), "1 ex1., ");
	stray(DB_BYOWNER, BYTES("ex1\0-a.org"), "1 ex1.-a.org, ");
	stray(DB_BYOWNER, BYTES("ex2\0relay.org"), "13 ex2.relay.org, ");
	stray(DB_BYBOX, BYTES("ex1"), "1 ex1, ");
	stray(DB_BYBOX, BYTES("ex1\0\0\0\0"), "1 ex1...., ");
	stray(DB_BYBOX, BYTES("ex1\0\0\0\0\1"), "1 ex1....., ");
	stray(DB_BYBOX, BYTES("ex1\0\0\0\0\1a.org"), "1 ex1.....a.org, ");
	stray(DB_BYBOX, BYTES("ex1\0\0\0\0\1a.org\0A b"),
	      "1 ex1.....a.org.A.b, ");
	/* Numbers of the journal have eight bytes. */
	assert_int_equal(bybox_encode(&is.key, &is.row), ERR_OK);
	assert_int_equal(change(edit, &is), ERR_OK);
	assert_int_equal(store_read(store, last_body, &last), ERR_DAMAGED);
}

static void domains(void **state)
{
	struct store_domain d = domain_of("example.com");

	(void)state;
	(void)snprintf(d.ip, sizeof d.ip, "192.0.2.1");
	put_domain(&d, "");
	d.handle = handle("other");
	put_domain(&d, "2 example.com, 13 example.com, 13 ex1.example.com, ");
	d = domain_of("alias.org");
	d.target = domain("no.org");
	put_domain(&d,
		   "3 alias.org, 13 alias.org, 13 .example.com.alias.org, ");
	d.target = domain("relay.org");
	put_domain(&d,
		   "3 alias.org, 13 alias.org, 13 .example.com.alias.org, ");
	drop(DB_DOMAIN, row_key_text("192.0.2.1"), "4 example.com, ");
	drop(DB_DOMAIN,
	     row_key_text("b\xc3\xbc"
			  "cher.de"),
	     "4 xn--bcher-kva.de, ");
	d = domain_of("example.com");
	put_domain(&d, "4 192.0.2.1, ");
	d = domain_of("xn--bcher-kva.de");
	d.utf8[0] = 0;
	put_domain(&d, "4 b..cher.de, ");
	drop(DB_ADDRESS, key_address("postmaster@example.com"),
	     "8 example.com, 7 ex1.....example.com.postmaster, ");
	d = domain_of("relay.org-x.net");
	put_domain(
		&d,
		"8 relay.org-x.net, 9 relay.org-x.net, 13 relay.org-x.net, ");
	drop(DB_DOMAIN, key_of("relay.org"), "13 ex1.relay.org, ");
}

static void boxes_and_addresses(void **state)
{
	struct store_account account = {.box.name = {handle("ex1"), 2}};
	struct edit is = {.table = DB_BOX, .key = key_box("ex1", 2)};
	struct store_address a = address_of("joe@example.com");

	(void)state;
	assert_int_equal(box_encode(&account, &is.row), ERR_OK);
	tells(is, "5 ex1-0002, ");
	account.box.name.handle = handle("other");
	is.key = key_box("other", 2);
	assert_int_equal(box_encode(&account, &is.row), ERR_OK);
	tells(is, "5 other-0002, ");
	a.has_box = false;
	put_address(&a, "6 joe@example.com, 7 ex1.....example.com.joe, ");
	a = address_of("joe@no.org");
	put_address(&a, "6 joe@no.org, 7 joe@no.org, ");
	a = address_of("joe@alias.org");
	put_address(&a, "6 joe@alias.org, 7 joe@alias.org, ");
}

static void numbers(void **state)
{
	struct store_pending row = {.table = STORE_DOMAINS,
				    .handle = handle("ex1"),
				    .address.domain = domain("relay.org"),
				    .what = STORE_PENDING_SAYS,
				    .first = 1};
	struct edit is = {.table = DB_PENDING, .key = key_pending()};

	(void)state;
	assert_int_equal(store_read(store, last_body, &row.last), ERR_OK);
	drop(DB_JOURNAL, row_key_number(3), "10 ........, ");
	assert_int_equal(pending_encode(&row, &is.key, &is.row), ERR_OK);
	tells(is, "");
	row.last++;
	assert_int_equal(pending_encode(&row, &is.key, &is.row), ERR_OK);
	tells(is, "10 ex1..relay.org, ");
	row.last--;
	row.tries = 1;
	row.tried = row.last + 1;
	assert_int_equal(pending_encode(&row, &is.key, &is.row), ERR_OK);
	tells(is, "10 ex1..relay.org, ");
	is = (struct edit){.table = DB_META, .key = row_key_text(upto_word)};
	assert_int_equal(number_encode(&is.key, row.last, &is.row), ERR_OK);
	tells(is, "");
	assert_int_equal(number_encode(&is.key, row.last + 1, &is.row), ERR_OK);
	tells(is, "10 meta, ");
	drop(DB_META, row_key_text("id"), "11 meta, ");
}

static void both(void **state)
{
	struct store_domain d = domain_of("gone.org");

	(void)state;
	put_domain(&d, "8 gone.org, 13 gone.org, 12 .gone.org.., ");
	d.kind = STORE_BACKUP;
	put_domain(&d, "13 gone.org, ");
}

static void owners(void **state)
{
	struct edit is = {.table = DB_BYOWNER, .key = key_owned("no.org")};

	(void)state;
	drop(DB_BYOWNER, key_owned("relay.org"), "13 relay.org, ");
	drop(DB_BYOWNER, key_alias("alias.org", "example.com"),
	     "13 alias.org, ");
	assert_int_equal(bybox_encode(&is.key, &is.row), ERR_OK);
	tells(is, "13 ex1.no.org, ");
	is.key = key_alias("relay.org", "example.com");
	assert_int_equal(bybox_encode(&is.key, &is.row), ERR_OK);
	tells(is, "13 .example.com.relay.org, ");
	drop(DB_META, row_key_text(owner_word), "13 meta, ");
}

int main(void)
{
#define WITH_STORE(sentence, function)                                         \
	{                                                                      \
		sentence, function, set_up, stored_end, NULL                   \
	}
	const struct CMUnitTest tests[] = {
		WITH_STORE("rule 1: a damaged row of each table is told",
			   damaged),
		WITH_STORE("rule 1: a whole row under a key that is none is told",
			   strays),
		WITH_STORE("rules 2 to 4, 8 and 9: what a domain lacks is told",
			   domains),
		WITH_STORE(
			"rules 5 and 6: a box or an address of nobody is told",
			boxes_and_addresses),
		WITH_STORE(
			"rules 10 and 11: gaps in the journal, and what meta "
			"lacks, are told",
			numbers),
		WITH_STORE(
			"rule 12: what is retained and there as well is told",
			both),
		WITH_STORE("rule 13: by-owner and domains that differ are told",
			   owners),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
