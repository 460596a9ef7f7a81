/* SPDX-License-Identifier: MIT */
/* What is on the disk, byte by byte, as popbox-store(5) has it: a store that
 * another popbox wrote has to be read. */
#include "named.h"
#include "store/app.h"

#include <sodium.h>

#include "store/pending.h"
#include "store/secret.h"

/* The checksum, from the page alone: BLAKE2b of the key's length, key, bytes. */
static size_t with_sum(uint8_t *bytes, size_t len, const void *key,
		       size_t key_len)
{
	const uint8_t size[2] = {(uint8_t)key_len, (uint8_t)(key_len >> 8)};
	crypto_generichash_state state;
	uint8_t sum[16];

	crypto_generichash_init(&state, NULL, 0, sizeof sum);
	crypto_generichash_update(&state, size, sizeof size);
	crypto_generichash_update(&state, key, key_len);
	crypto_generichash_update(&state, bytes, len);
	crypto_generichash_final(&state, sum, sizeof sum);
	memcpy(bytes + len, sum, 8);
	return len + 8;
}

static void same(const void *got, size_t got_len, const void *want,
		 size_t want_len)
{
	assert_int_equal(got_len, want_len);
	assert_memory_equal(got, want, want_len);
}

static void is_key(struct row_key key, const void *want, size_t len)
{
	same(key.bytes, key.len, want, len);
}

static void is_row(const uint8_t *bytes, size_t len, struct row_key key,
		   const void *want, size_t want_len)
{
	uint8_t whole[STORE_ROW_MAX];

	memcpy(whole, want, want_len);
	same(bytes, len, whole, with_sum(whole, want_len, key.bytes, key.len));
}

#define KEY(key, text) is_key(key, BYTES(text))
#define ROW(row, key, text) is_row((row).bytes, (row).len, key, BYTES(text))
/* The numbers of a state, and as they are written. */
#define CREATED .created = 0x0102030405060708, .changed = 0x1112131415161718
#define TIMES "\x08\x07\x06\x05\x04\x03\x02\x01"                              \
	      "\x18\x17\x16\x15\x14\x13\x12\x11"

static void keys(void **state)
{
	const struct name_handle ex1 = handle("ex1");
	const struct name_domain org = domain("a.org"), net = domain("b.net");
	const struct name_box box = {ex1, 0x01020304};
	const struct name_address joe = address("joe@a.org");
	const struct row_key key = row_key_box(&box);

	(void)state;
	KEY(row_key_handle(&ex1), "ex1");
	KEY(row_key_domain(&org), "a.org");
	KEY(row_key_was(&org, STORE_DIALUP), "a.org\0\4");
	KEY(key, "ex1\0\1\2\3\4");
	KEY(row_key_address(&joe), "a.org\0joe");
	KEY(row_key_bybox(&box, &joe), "ex1\0\1\2\3\4" "a.org\0joe");
	KEY(row_key_owned(&ex1, &org), "ex1\0a.org");
	KEY(row_key_alias(&org, &net), "\0a.org\0b.net");
	KEY(row_key_number(0x0102030405060708), "\1\2\3\4\5\6\7\10");
	KEY(row_key_parked(STORE_BOXES, &key), "\2ex1\0\1\2\3\4");
}

static void handles(void **state)
{
	struct store_handle is = {
		.name = handle("ex1"), .next_box = 0x01020304, .title = "Ann",
		.state = {true, STORE_HOLD, "why", CREATED}};
	struct store_handle got;
	struct row row;

	(void)state;
	assert_int_equal(handle_encode(&is, &row), ERR_OK);
	ROW(row, row_key_handle(&is.name),
	    "\1\4\3\2\1\3\0Ann" "\1\2\3\0why" TIMES);
	assert_int_equal(handle_decode((struct db_bytes){"ex1", 3},
				       row_bytes(&row), &got),
			 ERR_OK);
	assert_int_equal(got.next_box, is.next_box);
	assert_string_equal(got.title, "Ann");
	assert_int_equal(got.state.delivery, STORE_HOLD);
	assert_string_equal(got.state.reason, "why");
	assert_int_equal(got.state.created, is.state.created);
	assert_int_equal(got.state.changed, is.state.changed);
	assert_true(got.state.login);
	assert_true(!got.state.expires && !got.state.off && !got.quota.bytes);
	/* One with limits, of the fourth version. */
	is.state.expires = 0x0908070605040302;
	is.state.off = STORE_SERVICE_SMTP | STORE_SERVICE_WEBMAIL;
	is.quota = (struct store_quota){0x2122232425262728, STORE_UNLIMITED};
	is.max_boxes = 1;
	is.max_addresses = 2;
	is.max_domains = 3;
	assert_int_equal(handle_encode(&is, &row), ERR_OK);
	ROW(row, row_key_handle(&is.name),
	    "\4\4\3\2\1\3\0Ann" "\1\2\3\0why" TIMES
	    "\2\3\4\5\6\7\10\11\12\0"
	    "\x28\x27\x26\x25\x24\x23\x22\x21"
	    "\xff\xff\xff\xff\xff\xff\xff\xff"
	    "\1\0\0\0\2\0\0\0\3\0\0\0");
	assert_int_equal(handle_decode((struct db_bytes){"ex1", 3},
				       row_bytes(&row), &got),
			 ERR_OK);
	assert_memory_equal(&got.quota, &is.quota, sizeof is.quota);
	assert_int_equal(got.state.expires, is.state.expires);
	assert_int_equal(got.state.off, is.state.off);
	assert_int_equal(got.max_boxes, 1);
	assert_int_equal(got.max_addresses, 2);
	assert_int_equal(got.max_domains, 3);
}

static void domains(void **state)
{
	struct store_domain is = {
		.name = domain("xn--bcher-kva.de"), .handle = handle("ex1"),
		.utf8 = "b\xc3\xbc" "cher.de", .kind = STORE_RELAY,
		.host = "mx.net", .port = 0x0102, .ip = "192.0.2.1",
		.subdomains = true, .state = {false, STORE_BOUNCE, "", CREATED}};
	struct store_domain got;
	struct row row;

	(void)state;
	assert_int_equal(domain_encode(&is, &row), ERR_OK);
	ROW(row, row_key_domain(&is.name),
	    "\1\2\3\0ex1\12\0b\xc3\xbc" "cher.de\0\0\6\0mx.net\2\1"
	    "\11\0" "192.0.2.1\1\0\1\0\0" TIMES);
	assert_int_equal(domain_decode((struct db_bytes){is.name.s, 16},
				       row_bytes(&row), &got),
			 ERR_OK);
	assert_int_equal(got.kind, STORE_RELAY);
	assert_int_equal(got.port, 0x0102);
	assert_string_equal(got.host, "mx.net");
	assert_string_equal(got.ip, "192.0.2.1");
	assert_true(got.subdomains && !got.state.login);
	assert_int_equal(got.state.delivery, STORE_BOUNCE);
}

static void domain_versions(void **state)
{
	struct store_domain is, got;
	struct row row;

	(void)state;
	/* An alias; and one with an extension, of the second version. */
	is = (struct store_domain){.name = domain("a.org"),
				   .handle = handle("ex1"),
				   .kind = STORE_ALIAS,
				   .target = domain("b.net")};
	assert_int_equal(domain_encode(&is, &row), ERR_OK);
	ROW(row, row_key_domain(&is.name),
	    "\1\1\3\0ex1\0\0\5\0b.net\0\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	is = (struct store_domain){.name = domain("a.org"),
				   .handle = handle("ex1"), .extension = '+'};
	assert_int_equal(domain_encode(&is, &row), ERR_OK);
	ROW(row, row_key_domain(&is.name),
	    "\2\0\3\0ex1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0+");
	/* One that moved, of the third. */
	is.extension = 0;
	is.from = handle("ex2");
	assert_int_equal(domain_encode(&is, &row), ERR_OK);
	ROW(row, row_key_domain(&is.name),
	    "\3\0\3\0ex1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3\0ex2");
	assert_int_equal(domain_decode((struct db_bytes){is.name.s, 5},
				       row_bytes(&row), &got),
			 ERR_OK);
	assert_string_equal(got.from.s, "ex2");
	/* One with limits, of the fourth. */
	is.state.off = STORE_SERVICE_POP;
	is.quota.messages = 5;
	assert_int_equal(domain_encode(&is, &row), ERR_OK);
	ROW(row, row_key_domain(&is.name),
	    "\4\0\3\0ex1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3\0ex2"
	    "\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0");
	assert_int_equal(domain_decode((struct db_bytes){is.name.s, 5},
				       row_bytes(&row), &got),
			 ERR_OK);
	assert_int_equal(got.state.off, STORE_SERVICE_POP);
	assert_int_equal(got.quota.messages, 5);
	assert_string_equal(got.from.s, "ex2");
}

static void domain_pointers(void **state)
{
	const struct name_domain is = domain("a.org");
	struct name_domain to;
	struct row row;

	(void)state;
	assert_int_equal(domain_encode_pointer("192.0.2.1", &is, &row),
			 ERR_OK);
	ROW(row, row_key_text("192.0.2.1"), "\1\xff\5\0a.org");
	assert_int_equal(domain_decode_pointer(
				 (struct db_bytes){"192.0.2.1", 9},
				 row_bytes(&row), &to),
			 ERR_OK);
	assert_string_equal(to.s, "a.org");
}

static void boxes(void **state)
{
	struct store_account is = {
		.box = {.name = {handle("ex1"), 7}, .title = "Joe",
			.quota.bytes = 0x2122232425262728, .has_password = true,
			.password_changed = 0x3132333435363738,
			.state = {true, STORE_DELIVER, "r", CREATED}},
		.hash = "$x$"};
	struct store_account got;
	struct row row;

	(void)state;
	assert_int_equal(box_encode(&is, &row), ERR_OK);
	ROW(row, row_key_box(&is.box.name),
	    "\1\3\0$x$\3\0Joe\x28\x27\x26\x25\x24\x23\x22\x21\1"
	    "\x38\x37\x36\x35\x34\x33\x32\x31\1\0\1\0r" TIMES);
	assert_int_equal(box_decode((struct db_bytes){"ex1\0\0\0\0\7", 8},
				    row_bytes(&row), &got),
			 ERR_OK);
	assert_int_equal(got.box.name.number, 7);
	assert_int_equal(got.box.quota.bytes, is.box.quota.bytes);
	assert_int_equal(got.box.password_changed, is.box.password_changed);
	assert_string_equal(got.box.title, "Joe");
	assert_string_equal(got.hash, "$x$");
	assert_string_equal(got.box.other.handle.s, "");
	/* One that moved, of the second version. */
	is.box.other = (struct name_box){handle("ex2"), 9};
	assert_int_equal(box_encode(&is, &row), ERR_OK);
	ROW(row, row_key_box(&is.box.name),
	    "\2\3\0$x$\3\0Joe\x28\x27\x26\x25\x24\x23\x22\x21\1"
	    "\x38\x37\x36\x35\x34\x33\x32\x31\1\0\1\0r" TIMES
	    "\3\0ex2\11\0\0\0");
	assert_int_equal(box_decode((struct db_bytes){"ex1\0\0\0\0\7", 8},
				    row_bytes(&row), &got),
			 ERR_OK);
	assert_string_equal(got.box.other.handle.s, "ex2");
	assert_int_equal(got.box.other.number, 9);
	/* One with limits, of the fourth. */
	is.box.other = (struct name_box){.number = 0};
	is.box.quota.messages = 7;
	is.box.state.expires = 8;
	assert_int_equal(box_encode(&is, &row), ERR_OK);
	ROW(row, row_key_box(&is.box.name),
	    "\4\3\0$x$\3\0Joe\x28\x27\x26\x25\x24\x23\x22\x21\1"
	    "\x38\x37\x36\x35\x34\x33\x32\x31\1\0\1\0r" TIMES
	    "\0\0\0\0\0\0\10\0\0\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0");
	assert_int_equal(box_decode((struct db_bytes){"ex1\0\0\0\0\7", 8},
				    row_bytes(&row), &got),
			 ERR_OK);
	assert_int_equal(got.box.quota.messages, 7);
	assert_int_equal(got.box.state.expires, 8);
	assert_string_equal(got.box.other.handle.s, "");
	assert_false(got.box.apps_only || got.box.apps);
}

/* One with app passwords, of the sixth version. */
static void box_apps(void **state)
{
	struct store_account is = {
		.box = {.name = {handle("ex1"), 7}, .title = "Joe",
			.quota = {.bytes = 0x2122232425262728, .messages = 7},
			.has_password = true, .apps_only = true,
			.password_changed = 0x3132333435363738,
			.state = {true, STORE_DELIVER, "r", CREATED}},
		.hash = "$x$"};
	struct store_apps apps = {
		.count = 2,
		.app = {{.name = "pad", .number = 2,
			 .services = STORE_SERVICES, .created = 0x0102030405},
			{.name = "phone.2", .number = 1,
			 .services = STORE_SERVICE_SMTP, .created = 6,
			 .expires = 7}}};
	struct store_account got;
	struct row row;

	(void)state;
	is.box.state.expires = 8;
	memset(apps.salt, 's', sizeof apps.salt);
	memset(apps.app[0].digest, 'd', STORE_APP_DIGEST);
	memset(apps.app[1].digest, 'e', STORE_APP_DIGEST);
	store_apps_pack(&apps, &is.apps);
	assert_int_equal(box_encode(&is, &row), ERR_OK);
	ROW(row, row_key_box(&is.box.name),
	    "\6\3\0$x$\3\0Joe\x28\x27\x26\x25\x24\x23\x22\x21\1"
	    "\x38\x37\x36\x35\x34\x33\x32\x31\1\0\1\0r" TIMES
	    "\0\0\0\0\0\0\10\0\0\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
	    "\40\0ssssssssssssssssssssssssssssssss"
	    "\40\0ddddddddddddddddeeeeeeeeeeeeeeee\44\0"
	    "\3\2\17\5\4\3\2\1\0\0\0\0\0pad"
	    "\7\1\2\6\0\0\0\0\7\0\0\0\0phone.2");
	assert_int_equal(box_decode((struct db_bytes){"ex1\0\0\0\0\7", 8},
				    row_bytes(&row), &got),
			 ERR_OK);
	assert_true(got.box.apps_only && got.box.apps == 2);
	assert_true(store_apps_unpack(&got.apps, &apps));
	assert_int_equal(apps.app[0].created, 0x0102030405);
	assert_string_equal(apps.app[1].name, "phone.2");
	assert_int_equal(apps.app[1].services, STORE_SERVICE_SMTP);
	assert_int_equal(apps.app[1].expires, 7);
	assert_memory_equal(apps.app[1].digest, "eeeeeeeeeeeeeeee", 16);
}

static void addresses(void **state)
{
	static struct store_address is, got;
	struct row row;

	(void)state;
	is = (struct store_address){.name = address("joe@a.org"),
				    .has_box = true,
				    .box = {handle("ex1"), 0x01020304},
				    .forwards_len = 8,
				    .forwards = "a@b.org"};
	assert_int_equal(address_encode(&is, &row), ERR_OK);
	ROW(row, row_key_address(&is.name),
	    "\1\1\3\0ex1\4\3\2\1\10\0a@b.org\0");
	assert_int_equal(address_decode((struct db_bytes){"a.org\0joe", 9},
					row_bytes(&row), &got),
			 ERR_OK);
	assert_int_equal(got.box.number, 0x01020304);
	assert_int_equal(got.forwards_len, 8);
	is.has_box = false;
	assert_int_equal(address_encode(&is, &row), ERR_OK);
	ROW(row, row_key_address(&is.name), "\1\0\10\0a@b.org\0");
}

static void works(void **state)
{
	struct store_pending is = {.table = STORE_BOXES,
				   .handle = {"ex1"},
				   .box = {{"ex1"}, 2},
				   .what = STORE_PENDING_SAYS,
				   .stays = true,
				   .first = 5,
				   .last = 6,
				   .since = 0x0102030405060708};
	static struct store_pending got;
	const struct row_key key = row_key_pending(&is);
	struct row row;

	(void)state;
	KEY(key, "ex1\0\1ex1\0\0\0\0\2");
	assert_int_equal(pending_encode(&is, &key, &row), ERR_OK);
	ROW(row, key, "\1\11\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0"
		      "\x08\x07\x06\x05\x04\x03\x02\x01");
	is.tries = 2;
	is.tried = 9;
	is.tried_at = 3;
	memcpy(is.why, "full", 5);
	memcpy(is.actor, "ann", 4);
	memcpy(is.command, "sync", 5);
	assert_int_equal(pending_encode(&is, &key, &row), ERR_OK);
	ROW(row, key, "\1\31\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0"
		      "\x08\x07\x06\x05\x04\x03\x02\x01"
		      "\11\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0"
		      "\2\0\0\0\4\0full\3\0ann\4\0sync");
	assert_int_equal(pending_decode(row_key_bytes(&key), row_bytes(&row),
					&got),
			 ERR_OK);
	assert_memory_equal(&got, &is, sizeof is);
}

static void others(void **state)
{
	static struct store_entry entry = {
		.number = 5, .group = 4, .time = 0x0102030405060708,
		.uid = 0x21222324, .actor = "ann", .command = "box add",
		.op = STORE_PURGE, .table = STORE_ADDRESSES, .key = "k\0k",
		.key_len = 3, .before = "was", .before_len = 3,
		.after = "is", .after_len = 2};
	static uint8_t bytes[ROW_ENTRY_MAX];
	static struct parked parked = {.since = 0x0102030405060708, .group = 9,
				       .fate = 1, .row = {"row", 3}};
	const struct row_key key = row_key_text("format");
	struct row row;
	size_t len;

	(void)state;
	assert_int_equal(entry_encode(&entry, bytes, &len), ERR_OK);
	is_row(bytes, len, row_key_number(5),
	       BYTES("\1\4\0\0\0\0\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01"
		     "\x24\x23\x22\x21\3\0ann\7\0box add\5\3\3\0k\0k"
		     "\3\0was\2\0is"));
	assert_int_equal(parked_encode(&key, &parked, &row), ERR_OK);
	ROW(row, key, "\1\x08\x07\x06\x05\x04\x03\x02\x01\11\0\0\0\0\0\0\0\1"
		      "\3\0row");
	assert_int_equal(number_encode(&key, 0x0102030405060708, &row), ERR_OK);
	ROW(row, key, "\1\x08\x07\x06\x05\x04\x03\x02\x01");
	assert_int_equal(bybox_encode(&key, &row), ERR_OK);
	ROW(row, key, "\1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("each key is what the page says", keys),
		SAYS("the row of a handle is", handles),
		SAYS("that of a domain is", domains),
		SAYS("so is that of each later version", domain_versions),
		SAYS("that of a domain's second key is", domain_pointers),
		SAYS("that of a box is", boxes),
		SAYS("that of a box with app passwords is", box_apps),
		SAYS("that of an address is", addresses),
		SAYS("that of pending work is", works),
		SAYS("those of the journal, of what was deleted, of numbers and "
		     "of second tables are",
		     others),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
