/* SPDX-License-Identifier: MIT */
/* Rows whose checksum is right and whose content is not: of a program that was
 * wrong, or of somebody who can write the store. */
#include "named.h"

#include <unistd.h>

#include "checkpw/request.h"
#include "store/app.h"
#include "store/config.h"
#include "store/db/db_write.h"
#include "store/hash/pwhash.h"
#include "store/login.h"
#include "store/row.h"
#include "store/store_write.h"

/* What a reader of one kind of row says of these bytes. */
typedef enum err reads(struct db_bytes key, struct db_bytes row);

static enum err read_handle(struct db_bytes key, struct db_bytes row)
{
	struct store_handle got;
	enum err err = handle_decode(key, row, &got);

	if (err == ERR_OK)
		assert_true(got.state.delivery <= STORE_HOLD &&
			    strlen(got.title) < sizeof got.title);
	return err;
}

static enum err read_domain(struct db_bytes key, struct db_bytes row)
{
	struct store_domain got;
	struct name_domain again;
	struct name_handle owner;
	enum err err = domain_decode(key, row, &got);

	if (err == ERR_OK) {
		assert_true(got.kind <= STORE_DIALUP);
		assert_null(name_handle_read(got.handle.s,
					     strlen(got.handle.s), &owner));
		assert_true(!got.target.s[0] ||
			    !name_domain_read(got.target.s,
					      strlen(got.target.s), &again));
	}
	return err;
}

static enum err read_pointer(struct db_bytes key, struct db_bytes row)
{
	struct name_domain to, again;
	enum err err = domain_decode_pointer(key, row, &to);

	if (err == ERR_OK)
		assert_null(name_domain_read(to.s, strlen(to.s), &again));
	return err;
}

static enum err read_box(struct db_bytes key, struct db_bytes row)
{
	static const struct store_account zero;
	struct store_account got = zero;
	enum err err = box_decode(key, row, &got);

	if (err == ERR_OK)
		assert_true(strlen(got.hash) < sizeof got.hash);
	else /* nobody would wipe it */
		assert_memory_equal(got.hash, zero.hash, sizeof got.hash);
	return err;
}

static enum err read_address(struct db_bytes key, struct db_bytes row)
{
	static struct store_address got;
	struct name_handle owner;
	enum err err = address_decode(key, row, &got);

	if (err == ERR_OK) {
		assert_true(!got.has_box ||
			    !name_handle_read(got.box.handle.s,
					      strlen(got.box.handle.s),
					      &owner));
		assert_true(!got.forwards_len ||
			    !got.forwards[got.forwards_len - 1]);
	}
	return err;
}

static enum err reseal(uint8_t *bytes, size_t body, const struct row_key *key,
		       size_t *ret_len)
{
	uint8_t copy[STORE_ROW_MAX];
	struct record record = record_new(bytes, STORE_ROW_MAX, bytes[0]);

	memcpy(copy, bytes + 1, body);
	for (size_t i = 0; i < body; i++)
		record_put_u8(&record, copy[i]);
	return record_seal(&record, key->bytes, key->len, ret_len);
}

/* Every byte of the body changed to several others, every end of it. */
static void spoil(const char *what, reads *read, const struct row_key *key,
		  const struct row *good)
{
	const size_t body = good->len - RECORD_FRAME;
	const uint8_t others[] = {0, 1, 2, ' ', '.', 'A', 0x80, 0xff};
	unsigned damaged = 0, tried = 0;
	uint8_t bytes[STORE_ROW_MAX];
	size_t len;

	assert_int_equal(read(row_key_bytes(key), row_bytes(good)), ERR_OK);
	for (size_t i = 0; i < body * COUNT(others); i++) {
		enum err err;

		memcpy(bytes, good->bytes, good->len);
		bytes[1 + i / COUNT(others)] = others[i % COUNT(others)];
		assert_int_equal(reseal(bytes, body, key, &len), ERR_OK);
		err = read(row_key_bytes(key), (struct db_bytes){bytes, len});
		assert_true(err == ERR_OK || err == ERR_DAMAGED ||
			    err == ERR_NOTFOUND);
		damaged += err == ERR_DAMAGED;
		tried++;
	}
	for (size_t cut = 0; cut <= body + 1; cut++) {
		if (cut == body)
			continue;
		memcpy(bytes, good->bytes, good->len);
		bytes[1 + body] = 0;
		assert_int_equal(reseal(bytes, cut, key, &len), ERR_OK);
		assert_int_not_equal(read(row_key_bytes(key),
					  (struct db_bytes){bytes, len}),
				     ERR_OK);
	}
	print_message("# %s: %u of %u damaged, all %zu ends\n", what, damaged,
		      tried, body + 1);
	assert_true(damaged);
}

/* An end before 1970, a service that there is not, and a row of the later version
 * that says nothing that needs it. */
static void unlimited(const struct row_key *key, struct store_account *box)
{
	struct row row;

	box->box.state.expires = -1;
	assert_int_equal(box_encode(box, &row), ERR_OK);
	assert_int_equal(read_box(row_key_bytes(key), row_bytes(&row)),
			 ERR_DAMAGED);
	box->box.state.expires = 0;
	box->box.state.off = STORE_SERVICES + 1;
	assert_int_equal(box_encode(box, &row), ERR_OK);
	assert_int_equal(read_box(row_key_bytes(key), row_bytes(&row)),
			 ERR_DAMAGED);
	box->box.state.off = 0;
	assert_int_equal(box_encode(box, &row), ERR_OK);
	assert_int_equal(read_box(row_key_bytes(key), row_bytes(&row)), ERR_OK);
	memset(row.bytes + row.len - RECORD_SUM - 8, 0, 8);
	assert_int_equal(reseal(row.bytes, row.len - RECORD_FRAME, key,
				&row.len),
			 ERR_OK);
	assert_int_equal(read_box(row_key_bytes(key), row_bytes(&row)),
			 ERR_DAMAGED);
}

/* One that is answered; and a reply that ends before it begins, or without a text. */
static void answered(const struct row_key *key, struct store_account *box)
{
	struct row row;

	memcpy(box->box.vacation, "Away.", 6);
	box->box.vacation_from = 1000;
	box->box.vacation_until = 2000;
	assert_int_equal(box_encode(box, &row), ERR_OK);
	assert_int_equal(row.bytes[0], ROW_VERSION_VACATION);
	spoil("answered box", read_box, key, &row);
	box->box.vacation_until = 1000;
	assert_int_equal(box_encode(box, &row), ERR_OK);
	assert_int_equal(read_box(row_key_bytes(key), row_bytes(&row)),
			 ERR_DAMAGED);
	box->box.vacation_until = 0;
	assert_int_equal(box_encode(box, &row), ERR_OK);
	row.len -= RECORD_SUM + 5;
	row.bytes[row.len - 2] = 0;
	assert_int_equal(reseal(row.bytes, row.len - 1, key, &row.len), ERR_OK);
	assert_int_equal(read_box(row_key_bytes(key), row_bytes(&row)),
			 ERR_DAMAGED);
	memset(box->box.vacation, 'x', STORE_VACATION_MAX);
	memset(box->hash, 'x', STORE_HASH_MAX);
	memset(box->box.title, 'x', STORE_TITLE_MAX);
	memset(box->box.state.reason, 'x', STORE_REASON_MAX);
	assert_int_equal(box_encode(box, &row), ERR_OK);
	assert_in_range(row.len, STORE_VACATION_MAX, STORE_ROW_MAX - 64);
	assert_int_equal(read_box(row_key_bytes(key), row_bytes(&row)), ERR_OK);
}

static void handle_contents(void **state)
{
	struct store_handle h = {.name = handle("ex1"), .next_box = 7,
				 .title = "Example"};
	const struct row_key key = row_key_handle(&h.name);
	struct row row;

	(void)state;
	assert_int_equal(handle_encode(&h, &row), ERR_OK);
	spoil("handle", read_handle, &key, &row);
	assert_int_equal(row.bytes[0], ROW_VERSION);
	h.max_domains = 3;
	h.quota.messages = STORE_UNLIMITED;
	h.state.expires = 1234567;
	assert_int_equal(handle_encode(&h, &row), ERR_OK);
	spoil("limited handle", read_handle, &key, &row);
	assert_int_equal(row.bytes[0], ROW_VERSION_LIMITED);
}

static void domain_contents(void **state)
{
	struct store_domain d = {.name = domain("example.com"),
				 .handle = handle("ex1"), .subdomains = true};
	struct row_key key = row_key_domain(&d.name);
	struct row row;

	(void)state;
	assert_int_equal(domain_encode(&d, &row), ERR_OK);
	spoil("domain", read_domain, &key, &row);
	assert_int_equal(row.bytes[0], ROW_VERSION);
	d.extension = '+';
	assert_int_equal(domain_encode(&d, &row), ERR_OK);
	spoil("extension", read_domain, &key, &row);
	assert_int_equal(row.bytes[0], ROW_VERSION_MORE);
	d.from = handle("ex2");
	assert_int_equal(domain_encode(&d, &row), ERR_OK);
	spoil("moved and extension", read_domain, &key, &row);
	assert_int_equal(row.bytes[0], ROW_VERSION_MOVED);
	d.extension = 0;
	assert_int_equal(domain_encode(&d, &row), ERR_OK);
	spoil("moved", read_domain, &key, &row);
	d.quota.bytes = 100;
	assert_int_equal(domain_encode(&d, &row), ERR_OK);
	spoil("moved and limited", read_domain, &key, &row);
	assert_int_equal(row.bytes[0], ROW_VERSION_LIMITED);
	d.from = (struct name_handle){""};
	assert_int_equal(domain_encode(&d, &row), ERR_OK);
	spoil("limited", read_domain, &key, &row);
	d.quota.bytes = 0;
	d.kind = STORE_ALIAS;
	d.target = domain("example.org");
	assert_int_equal(domain_encode(&d, &row), ERR_OK);
	spoil("alias", read_domain, &key, &row);
	key = row_key_text("192.0.2.1");
	assert_int_equal(domain_encode_pointer("192.0.2.1", &d.name, &row),
			 ERR_OK);
	spoil("pointer", read_pointer, &key, &row);
}

static void box_contents(void **state)
{
	const struct store_apps phone = {
		.count = 1,
		.app = {{.name = "phone", .number = 20,
			 .services = STORE_SERVICES}}};
	struct store_account box = {.box.name = {handle("ex1"), 3},
				    .hash = "$5$salt$sum"};
	struct row_key key = row_key_box(&box.box.name);
	struct row row;

	(void)state;
	assert_int_equal(box_encode(&box, &row), ERR_OK);
	spoil("box", read_box, &key, &row);
	assert_int_equal(row.bytes[0], ROW_VERSION);
	box.box.other = (struct name_box){handle("ex2"), 9};
	assert_int_equal(box_encode(&box, &row), ERR_OK);
	spoil("moved box", read_box, &key, &row);
	assert_int_equal(row.bytes[0], ROW_VERSION_MORE);
	box.box.state.off = STORE_SERVICE_SMTP;
	assert_int_equal(box_encode(&box, &row), ERR_OK);
	spoil("moved and limited box", read_box, &key, &row);
	assert_int_equal(row.bytes[0], ROW_VERSION_LIMITED);
	box.box.other = (struct name_box){.number = 0};
	box.box.state.off = 0;
	box.box.quota.messages = 1;
	assert_int_equal(box_encode(&box, &row), ERR_OK);
	spoil("limited box", read_box, &key, &row);
	store_apps_pack(&phone, &box.apps);
	assert_int_equal(box_encode(&box, &row), ERR_OK);
	spoil("box with an app password", read_box, &key, &row);
	assert_int_equal(row.bytes[0], ROW_VERSION_APPS);
	box.apps.count = 0;
	box.apps.len = 0;
	unlimited(&key, &box);
	answered(&key, &box);
}

static void address_contents(void **state)
{
	static struct store_address a;
	struct row_key key;
	struct row row;

	(void)state;
	a.name = address("joe@example.com");
	a.has_box = true;
	a.box = (struct name_box){handle("ex1"), 3};
	memcpy(a.forwards, "a@b.org", 8);
	a.forwards_len = 8;
	key = row_key_address(&a.name);
	a.expires = 1234567;
	assert_int_equal(address_encode(&a, &row), ERR_OK);
	spoil("end", read_address, &key, &row);
	a.expires = -1;
	assert_int_equal(address_encode(&a, &row), ERR_OK);
	assert_int_equal(read_address(row_key_bytes(&key),
				      row_bytes(&row)),
			 ERR_DAMAGED);
	a.expires = 1234567;
	assert_int_equal(row.bytes[0], ROW_VERSION_MORE);
	a.delivery = STORE_BOUNCE;
	a.off_since = 1234;
	memcpy(a.reason, "why", 4);
	assert_int_equal(address_encode(&a, &row), ERR_OK);
	spoil("suspended", read_address, &key, &row);
	a.delivery = STORE_DELIVER;
	a.expires = 0;
	assert_int_equal(address_encode(&a, &row), ERR_OK);
	assert_int_equal(row.bytes[0], ROW_VERSION);
	spoil("address", read_address, &key, &row);
}

static void keys(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{"", 0}, {"ex1", 3}, {"ex1\0" "123", 7}, {"EX 1\0" "1234", 9},
		{"ex1\0" "12345", 9}, {"\0" "1234", 5},
	}, bad_address[] = {
		{"", 0}, {"example.com", 11}, {"example.com\0", 12},
		{"example.com\0a b", 15}, {"-\0joe", 5},
		{"example.com\0.joe", 16},
	};
	struct name_address name;
	struct name_box box;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct db_bytes key = {bad[i].bytes, bad[i].len};

		assert_int_equal(row_name_box(key, &box), ERR_DAMAGED);
		if (key.len != 9 || i == 3) /* a box, then an address */
			assert_int_equal(row_name_bybox(key, &box, &name),
					 ERR_DAMAGED);
	}
	for (size_t i = 0; i < COUNT(bad_address); i++)
		assert_int_equal(row_name_address(
					 (struct db_bytes){bad_address[i].bytes,
							   bad_address[i].len},
					 &name),
				 ERR_DAMAGED);
}

/* A whole row, sealed under a key that is none of its table. */
static void misplaced(reads *read, const struct row *good, const char *bytes,
		      size_t len)
{
	struct row_key key = {.len = len};
	uint8_t copy[STORE_ROW_MAX];
	size_t sealed;

	memcpy(key.bytes, bytes, len);
	memcpy(copy, good->bytes, good->len);
	assert_int_equal(reseal(copy, good->len - RECORD_FRAME, &key, &sealed),
			 ERR_OK);
	assert_int_equal(read(row_key_bytes(&key),
			      (struct db_bytes){copy, sealed}),
			 ERR_DAMAGED);
}

static void places(void **state)
{
	const struct store_handle h = {.name = handle("ex1")};
	const struct store_domain d = {.name = domain("example.com"),
				       .handle = h.name};
	const struct store_account box = {.box.name = {h.name, 3}, .hash = "*"};
	static struct store_address a;
	struct row row;

	(void)state;
	assert_int_equal(handle_encode(&h, &row), ERR_OK);
	misplaced(read_handle, &row, "9z", 2);
	assert_int_equal(domain_encode(&d, &row), ERR_OK);
	misplaced(read_domain, &row, "example..com", 12);
	misplaced(read_domain, &row, "192.0.2.1", 9);
	assert_int_equal(box_encode(&box, &row), ERR_OK);
	misplaced(read_box, &row, "ex1\0" "12345", 9);
	a.name = address("joe@example.com");
	a.forwards_len = 8;
	memcpy(a.forwards, "a@b.org", 8);
	assert_int_equal(address_encode(&a, &row), ERR_OK);
	misplaced(read_address, &row, "example.com\0.joe", 16);
}

/* A row that another one names is gone. */
struct gone {
	enum db_table table;
	struct row_key key;
};

static enum err take_away(struct db_txn *txn, void *arg)
{
	const struct gone *gone = arg;

	return db_del(txn, gone->table, row_key_bytes(&gone->key));
}

static enum err fill(struct store_txn *txn, void *arg)
{
	struct store_domain d = {.name = domain("example.com"),
				 .handle = handle("ex1")};
	struct store_domain alias = {.name = domain("example.org"),
				     .handle = d.handle, .kind = STORE_ALIAS,
				     .target = d.name};
	struct store_box box = {.name = {d.handle, 0}};
	struct store_box joe = {.name = {handle("ex2"), 0}};
	static struct store_address a, b;
	enum err err = store_handle_add(txn, &d.handle);

	(void)arg;
	a.name = address("postmaster@example.com");
	b.name = address("joe@example.com");
	a.has_box = b.has_box = true;
	a.box = box.name;
	b.box = joe.name;
	if (err == ERR_OK)
		err = store_handle_add(txn, &joe.name.handle);
	if (err == ERR_OK)
		err = store_box_add(txn, &box);
	if (err == ERR_OK)
		err = store_box_add(txn, &joe);
	if (err == ERR_OK)
		err = store_domain_add(txn, &d);
	if (err == ERR_OK)
		err = store_domain_add(txn, &alias);
	if (err == ERR_OK)
		err = store_address_add(txn, &a);
	return err == ERR_OK ? store_address_add(txn, &b) : err;
}

static enum err find(const char *dir, const char *name)
{
	static struct config config;
	struct config_fault fault;
	struct store *reader = NULL;
	struct login login;
	enum err err;

	assert_int_equal(config_parse(BYTES("argon2_kib = 64\n"), &config,
				      &fault),
			 ERR_OK);
	assert_int_equal(store_open_login(dir, &reader), ERR_OK);
	err = login_find(reader, &config, name, strlen(name), NULL, STORE_SERVICE_POP, &login);
	store_close(&reader);
	return err;
}

static void dangle(const char *login, enum db_table table, struct row_key key)
{
	static const struct store_actor actor = {0, "unit", "test"};
	char dir[] = "/tmp/popbox-unit.XXXXXX", path[64];
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	struct gone gone = {table, key};
	struct store *store;
	uint64_t last;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(store_create(dir), ERR_OK);
	assert_int_equal(store_open_write(dir, &store), ERR_OK);
	assert_int_equal(store_write(store, &actor, fill, NULL, true, &last),
			 ERR_OK);
	assert_int_equal(find(dir, login), ERR_OK);
	assert_int_equal(db_write(store->db, take_away, &gone, true), ERR_OK);
	assert_int_equal(find(dir, login), ERR_DAMAGED);
	store_close(&store);
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void dangling(void **state)
{
	const struct name_handle ex1 = handle("ex1"), ex2 = handle("ex2");
	const struct name_domain com = domain("example.com");
	const struct name_box joe = {ex2, 0};

	(void)state;
	dangle("joe@example.com", DB_BOX, row_key_box(&joe));
	dangle("joe@example.com", DB_HANDLE, row_key_handle(&ex2));
	dangle("ex2-0000", DB_HANDLE, row_key_handle(&ex2));
	dangle("joe@example.com", DB_HANDLE, row_key_handle(&ex1));
	dangle("joe@example.org", DB_DOMAIN, row_key_domain(&com));
	dangle("ex2-0000", DB_DOMAIN, row_key_domain(&com));
}

static void texts(void **state)
{
	(void)state;
	for (int i = ERR_OK; i <= ERR_SYSTEM + 1; i++)
		assert_true(*err_text((enum err)i));
	for (int i = PWHASH_OK; i <= PWHASH_MALFORMED + 1; i++)
		assert_true(*pwhash_text((enum pwhash)i));
	for (int i = REQUEST_OK + 1; i <= REQUEST_UNREADABLE + 1; i++)
		assert_true(*request_text((enum request_answer)i));
	assert_string_equal(request_text(REQUEST_OK), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("the row of a handle with a right checksum is what its "
		     "form allows, or damaged", handle_contents),
		SAYS("that of a domain is", domain_contents),
		SAYS("that of a box is", box_contents),
		SAYS("that of an address is", address_contents),
		SAYS("keys are names, or damaged", keys),
		SAYS("a row under a key that is none of its table is damaged",
		     places),
		SAYS("what another row names and is not there is damage, never "
		     "unknown", dangling),
		SAYS("every answer has its words", texts),
	};

	return RUN(tests);
}
