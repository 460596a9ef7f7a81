/* SPDX-License-Identifier: MIT */
#include "named.h"

#include <time.h>

#include "store/login.h"
#include "stored.h"

/* A login in a store that lost one row, or has one that is none. */

static enum err give_ip(struct store_txn *txn, const char *ip)
{
	const struct name_domain example = domain("example.com");
	struct store_domain is;
	enum err err = store_domain_get(txn, &example, &is);

	if (err != ERR_OK)
		return err;
	memcpy(is.ip, ip, strlen(ip) + 1);
	return store_domain_set(txn, &is);
}

static enum err fill(struct store_txn *txn, void *arg)
{
	const struct name_box box = {handle("ex1"), 0};
	struct store_domain domains[] = {
		{.name = domain("example.com"), .handle = box.handle},
		{.name = domain("xn--bcher-kva.de"), .handle = box.handle,
		 .utf8 = "b\xc3\xbc" "cher.de"},
		{.name = domain("b.org"), .handle = handle("b2")},
		{.name = domain("new.example"), .handle = box.handle,
		 .kind = STORE_ALIAS, .target = domain("example.com")},
	};
	struct store_address a = {.has_box = true, .box = box};
	enum err err = store_handle_add(txn, &box.handle);

	(void)arg;
	if (err == ERR_OK)
		err = store_handle_add(txn, &domains[2].handle);
	if (err == ERR_OK)
		err = store_box_add(txn, &(struct store_box){.name = box});
	for (size_t i = 0; err == ERR_OK && i < COUNT(domains); i++) {
		err = store_domain_add(txn, &domains[i]);
		a.name = (struct name_address){{"joe"}, domains[i].name};
		if (err == ERR_OK && domains[i].kind == STORE_POP)
			err = store_address_add(txn, &a);
	}
	a = (struct store_address){.name = address("far@example.com"),
				   .forwards_len = 8, .forwards = "a@b.org"};
	if (err == ERR_OK)
		err = store_address_add(txn, &a);
	return err == ERR_OK ? give_ip(txn, "192.0.2.1") : err;
}

static int set_up(void **state)
{
	(void)state;
	return stored_start(fill);
}

static enum err look_by(const char *name, const char *ip, unsigned service,
			struct login *ret_login)
{
	static const char settings[] = "argon2_kib = 64\nargon2_passes = 1\n";
	static struct config config;
	struct config_fault fault;
	struct store *reader = NULL;
	enum err err;

	assert_int_equal(config_parse(BYTES(settings), &config, &fault),
			 ERR_OK);
	assert_int_equal(store_open_login(dir, &reader), ERR_OK);
	err = login_find(reader, &config, name, strlen(name), ip, service,
			 ret_login);
	store_close(&reader);
	return err;
}

static enum err look(const char *name, const char *ip, struct login *ret_login)
{
	return look_by(name, ip, STORE_SERVICE_POP, ret_login);
}

/* One row of one table: taken away, or with other bytes, or back as it was. */
struct one {
	enum db_table table;
	struct row_key key;
	struct row was;
	const char *bytes;
};

static enum err spoil_body(struct store_txn *txn, void *arg)
{
	struct one *one = arg;
	struct db_bytes key = row_key_bytes(&one->key), row;
	enum err err = db_get(txn->db, one->table, key, &row);

	if (err != ERR_OK)
		return err;
	memcpy(one->was.bytes, row.at, row.len);
	one->was.len = row.len;
	if (!one->bytes)
		return db_del(txn->db, one->table, key);
	row = (struct db_bytes){one->bytes, strlen(one->bytes)};
	return db_put(txn->db, one->table, key, row);
}

static enum err mend_body(struct store_txn *txn, void *arg)
{
	const struct one *one = arg;

	return db_put(txn->db, one->table, row_key_bytes(&one->key),
		      row_bytes(&one->was));
}

/* Whatever is lost or spoilt on the way of a login, it never looks like a
 * stranger's. */
static void lost(const char *name, const char *ip, enum db_table table,
		 struct row_key key)
{
	static const char *const spoilt[] = {NULL, "", "nothing of ours"};
	struct login login;

	assert_int_equal(look(name, ip, &login), ERR_OK);
	assert_string_equal(login.reason, "no-password");
	for (size_t i = 0; i < COUNT(spoilt); i++) {
		struct one one = {.table = table, .key = key,
				  .bytes = spoilt[i]};

		assert_int_equal(change(spoil_body, &one), ERR_OK);
		if (look(name, ip, &login) != ERR_DAMAGED)
			fail_msg("%s: table %d, spoilt %zu", name, table, i);
		assert_int_equal(change(mend_body, &one), ERR_OK);
	}
}

static void ways(void **state)
{
	const struct name_domain example = domain("example.com");
	const struct name_domain idn = domain("xn--bcher-kva.de");
	const struct name_handle ex1 = handle("ex1"), b2 = handle("b2");
	const struct name_box box = {ex1, 0};

	(void)state;
	lost("joe@example.com", NULL, DB_HANDLE, row_key_handle(&ex1));
	lost("joe@example.com", NULL, DB_BOX, row_key_box(&box));
	/* By an alias, another's domain, second keys, and the box's name. */
	lost("joe@new.example", NULL, DB_DOMAIN, row_key_domain(&example));
	lost("joe@b.org", NULL, DB_HANDLE, row_key_handle(&b2));
	lost("joe@b\xc3\xbc" "cher.de", NULL, DB_DOMAIN, row_key_domain(&idn));
	lost("joe", "192.0.2.1", DB_DOMAIN, row_key_domain(&example));
	lost("ex1-0000", NULL, DB_BOX, row_key_box(&box));
}

/* What may be there or not is damage only when it is there and is none. */
static void spoilt(const char *name, const char *ip, enum db_table table,
		   struct row_key key)
{
	struct one one = {.table = table, .key = key, .bytes = "no row"};
	struct login login;

	assert_int_equal(change(spoil_body, &one), ERR_OK);
	assert_int_equal(look(name, ip, &login), ERR_DAMAGED);
	assert_int_equal(change(mend_body, &one), ERR_OK);
	assert_int_equal(look(name, ip, &login), ERR_OK);
}

static void rows(void **state)
{
	const struct name_domain example = domain("example.com");
	const struct name_domain b_org = domain("b.org");
	const struct name_address joe = address("joe@example.com");
	const struct name_address first = address("joe@b.org");
	const struct name_box box = {handle("ex1"), 0};

	(void)state;
	spoilt("joe@example.com", NULL, DB_DOMAIN, row_key_domain(&example));
	spoilt("joe@example.com", NULL, DB_ADDRESS, row_key_address(&joe));
	spoilt("joe@new.example", NULL, DB_DOMAIN,
	       row_key_text("new.example"));
	spoilt("joe@b\xc3\xbc" "cher.de", NULL, DB_DOMAIN,
	       row_key_text("b\xc3\xbc" "cher.de"));
	spoilt("joe", "192.0.2.1", DB_DOMAIN, row_key_text("192.0.2.1"));
	spoilt("ex1-0000", NULL, DB_BYBOX, row_key_bybox(&box, &first));
	spoilt("ex1-0000", NULL, DB_DOMAIN, row_key_domain(&b_org));
}

/* The first address is lost with its domain; the next one counts no more. */
static void first_domain(void **state)
{
	struct one one = {.table = DB_DOMAIN, .key = row_key_text("b.org")};
	struct login login;

	(void)state;
	assert_int_equal(change(spoil_body, &one), ERR_OK);
	assert_int_equal(look("ex1-0000", NULL, &login), ERR_DAMAGED);
	/* Nobody can know that there was one. */
	assert_int_equal(look("joe@b.org", NULL, &login), ERR_OK);
	assert_string_equal(login.reason, "unknown");
}

static void format(void **state)
{
	struct one one = {.table = DB_META, .key = row_key_text("format")};
	struct login login;

	(void)state;
	assert_int_equal(change(spoil_body, &one), ERR_OK);
	assert_int_equal(look("joe@example.com", NULL, &login), ERR_DAMAGED);
	assert_int_equal(look("ann@example.com", NULL, &login), ERR_DAMAGED);
}

static void strangers(void **state)
{
	static const char *const names[] = {
		"far@example.com", "far@new.example", "Ann@example.com",
		"joe@c.org", "ex1-0001", "ex2-0000", "joe", "@", "*@b.org"};
	struct login login;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(look(names[i], "192.0.2.7", &login), ERR_OK);
		assert_false(login.found);
		assert_string_equal(login.reason, "unknown");
		assert_string_equal(login.user, "");
		assert_int_equal(strncmp(login.hash, "$argon2id$", 10), 0);
	}
}

struct switched {
	const char *handle; /* or */
	const char *domain;
	bool on;
};

static enum err switch_body(struct store_txn *txn, void *arg)
{
	const struct switched *s = arg;
	const struct name_handle h = handle(s->handle ? s->handle : "ex1");
	const struct name_domain d = domain(s->domain ? s->domain : "b.org");
	struct store_handle owner;
	struct store_domain is;
	enum err err;

	if (s->handle) {
		err = store_handle_get(txn, &h, &owner);
		owner.state.login = s->on;
		return err == ERR_OK ? store_handle_set(txn, &owner) : err;
	}
	err = store_domain_get(txn, &d, &is);
	is.state.login = s->on;
	return err == ERR_OK ? store_domain_set(txn, &is) : err;
}

static enum err unlock_body(struct store_txn *txn, void *arg)
{
	const struct name_box box = {handle("ex1"), 0};

	(void)arg;
	return store_box_password(txn, &box,
				  "$5$salt$xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				  "xxxxxxxxxxx.");
}

static bool is_off(const char *name)
{
	struct login login;

	assert_int_equal(look(name, NULL, &login), ERR_OK);
	return !login.found;
}

/* Whatever a login's name goes through: one that is off is enough. */
static void switches(void **state)
{
	static const struct {
		const char *name, *handle, *domain;
		bool off;
	} cases[] = {
		{"joe@example.com", "ex1", NULL, true},
		{"joe@example.com", NULL, "example.com", true},
		{"joe@example.com", NULL, "new.example", false},
		{"joe@new.example", NULL, "new.example", true},
		{"joe@new.example", NULL, "example.com", true},
		{"joe@b.org", "b2", NULL, true},
		{"joe@b.org", "ex1", NULL, true},
		{"joe@example.com", "b2", NULL, false},
	};

	(void)state;
	assert_int_equal(change(unlock_body, NULL), ERR_OK);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct switched one = {cases[i].handle, cases[i].domain, false};

		assert_false(is_off(cases[i].name));
		assert_int_equal(change(switch_body, &one), ERR_OK);
		if (is_off(cases[i].name) != cases[i].off)
			fail_msg("case %zu", i);
		one.on = true;
		assert_int_equal(change(switch_body, &one), ERR_OK);
	}
}

/* What one level says of ends and services. */
struct said {
	const char *handle, *domain; /* or the box */
	int64_t expires;
	unsigned off;
};

static enum err say_body(struct store_txn *txn, void *arg)
{
	const struct said *s = arg;
	const struct name_handle h = handle(s->handle ? s->handle : "ex1");
	const struct name_domain d = domain(s->domain ? s->domain : "b.org");
	const struct name_box name = {handle("ex1"), 0};
	struct store_handle owner;
	struct store_domain is;
	struct store_box box;

	assert_int_equal(store_handle_get(txn, &h, &owner), ERR_OK);
	assert_int_equal(store_domain_get(txn, &d, &is), ERR_OK);
	assert_int_equal(store_box_get(txn, &name, &box), ERR_OK);
	owner.state.expires = is.state.expires = box.state.expires = s->expires;
	owner.state.off = is.state.off = box.state.off = s->off;
	return s->handle   ? store_handle_set(txn, &owner)
	       : s->domain ? store_domain_set(txn, &is)
			   : store_box_set(txn, &box);
}

static const char *reason_by(const char *name, unsigned service)
{
	struct login login;

	assert_int_equal(look_by(name, NULL, service, &login), ERR_OK);
	return login.reason ? login.reason : "";
}

static void say(const char *h, const char *d, int64_t expires, unsigned off)
{
	struct said said = {h, d, expires, off};

	assert_int_equal(change(say_body, &said), ERR_OK);
}

/* An end counts from its second on, at each level; so does a service that is off. */
static void terms(void **state)
{
	static const struct {
		const char *handle, *domain;
		bool joe, alias, other; /* concerned: by which names */
	} levels[] = {
		{NULL, NULL, true, true, true},
		{"ex1", NULL, true, true, true},
		{"b2", NULL, false, false, true},
		{NULL, "example.com", true, true, false},
		{NULL, "new.example", false, true, false},
		{NULL, "b.org", false, false, true},
	};
	static const char *const names[] = {"joe@example.com",
					    "joe@new.example", "joe@b.org"};
	const int64_t now = time(NULL);

	(void)state;
	assert_int_equal(change(unlock_body, NULL), ERR_OK);
	for (size_t i = 0; i < COUNT(levels); i++) {
		const bool hit[] = {levels[i].joe, levels[i].alias,
				    levels[i].other};

		for (size_t n = 0; n < COUNT(names); n++) {
			const char *h = levels[i].handle, *d = levels[i].domain;

			say(h, d, now, 0);
			assert_string_equal(
				reason_by(names[n], STORE_SERVICE_POP),
				hit[n] ? "expired" : "");
			say(h, d, now + 1000, STORE_SERVICE_SMTP);
			assert_string_equal(
				reason_by(names[n], STORE_SERVICE_POP), "");
			assert_string_equal(reason_by(names[n], 0), "");
			assert_string_equal(
				reason_by(names[n], STORE_SERVICE_SMTP),
				hit[n] ? "service-off" : "");
			say(h, d, 0, STORE_SERVICES);
			assert_string_equal(reason_by(names[n], 0),
					    hit[n] ? "service-off" : "");
			say(h, d, 0, 0);
		}
	}
	/* By the box's own name, as long as one of its addresses may. */
	say(NULL, "b.org", now, 0);
	assert_string_equal(reason_by("ex1-0000", STORE_SERVICE_POP), "");
	say(NULL, "example.com", now + 9, STORE_SERVICE_POP);
	say(NULL, "xn--bcher-kva.de", now, 0);
	assert_string_equal(reason_by("ex1-0000", STORE_SERVICE_SMTP), "");
	assert_string_equal(reason_by("ex1-0000", STORE_SERVICE_POP), "expired");
}

struct terms_of {
	int64_t expires;
	unsigned off;
};

static enum err terms_body(struct store_txn *txn, void *arg)
{
	const struct terms_of *want = arg;
	const struct name_box name = {handle("ex1"), 0};
	struct login_terms got;
	struct store_box box;
	enum err err = store_box_get(txn, &name, &box);

	if (err == ERR_OK)
		err = login_terms(txn, &box, NULL, &got);
	assert_int_equal(got.expires, want->expires);
	assert_int_equal(got.off, want->off);
	return err;
}

static void is_terms(int64_t expires, unsigned off)
{
	struct terms_of want = {expires, off};

	assert_int_equal(store_read(store, terms_body, &want), ERR_OK);
}

/* Until the last of its addresses ends; off is what is off for all. */
static void longest(void **state)
{
	(void)state;
	is_terms(0, 0);
	say(NULL, "b.org", 50, STORE_SERVICE_POP);
	say(NULL, "example.com", 70, STORE_SERVICE_POP | STORE_SERVICE_SMTP);
	is_terms(0, 0);
	say(NULL, "xn--bcher-kva.de", 60, STORE_SERVICE_POP);
	is_terms(70, STORE_SERVICE_POP);
	say("ex1", NULL, 65, STORE_SERVICE_IMAP);
	is_terms(65, STORE_SERVICE_POP | STORE_SERVICE_IMAP);
	say(NULL, NULL, 40, 0);
	is_terms(40, STORE_SERVICE_POP | STORE_SERVICE_IMAP);
	say(NULL, "example.com", 0, 0);
	say(NULL, NULL, 0, 0);
	is_terms(65, STORE_SERVICE_IMAP);
}

static void named_services(void **state)
{
	(void)state;
	assert_int_equal(login_service("pop3"), STORE_SERVICE_POP);
	assert_int_equal(login_service("submission"), STORE_SERVICE_SMTP);
	assert_int_equal(login_service("imap"), STORE_SERVICE_IMAP);
	assert_int_equal(login_service("webmail"), STORE_SERVICE_WEBMAIL);
	assert_int_equal(login_service("ftp"), 0);
	assert_int_equal(login_service(""), 0);
}

static enum err box_body(struct store_txn *txn, void *arg)
{
	return store_box_add(txn, arg);
}

/* A box to which no address leads is judged by its own switches and its
 * handle's. */
static void alone(void **state)
{
	struct store_box box = {.name = {handle("ex1"), 1}};
	struct switched one = {"ex1", NULL, false};
	struct login login;

	(void)state;
	box.state.login = true;
	assert_int_equal(change(box_body, &box), ERR_OK);
	assert_int_equal(look("ex1-0001", NULL, &login), ERR_OK);
	assert_string_equal(login.reason, "no-password");
	assert_string_equal(login.user, "ex1-0001");
	assert_string_equal(login.domain.s, "");
	assert_int_equal(login.box.number, 1);
	assert_int_equal(change(switch_body, &one), ERR_OK);
	assert_int_equal(look("ex1-0001", NULL, &login), ERR_OK);
	assert_string_equal(login.reason, "handle-suspended");
}

int main(void)
{
#define WITH_STORE(sentence, function)                                        \
	{                                                                     \
		sentence, function, set_up, stored_end, NULL                   \
	}
	const struct CMUnitTest tests[] = {
		WITH_STORE("a row that must be there and is not, or is none, is "
			   "damage and no stranger", ways),
		WITH_STORE("a row that is none is damage", rows),
		WITH_STORE("a box whose first address has lost its domain is "
			   "damaged", first_domain),
		WITH_STORE("a login is off where its domain, its alias or a "
			   "handle is", switches),
		WITH_STORE("a box without an address is judged without a domain",
			   alone),
		WITH_STORE("an end and a service that is off count at each "
			   "level, for the names that it concerns",
			   terms),
		WITH_STORE("by its own name a box ends with the last of its "
			   "addresses",
			   longest),
		WITH_STORE("services are known by their names", named_services),
		WITH_STORE("a store without a format answers nobody", format),
		WITH_STORE("who is unknown gets a decoy and nothing else",
			   strangers),
	};

	return RUN(tests);
}
