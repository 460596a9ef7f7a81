/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "store/name.h"

static void handles(void **state)
{
	static const char *const good[] = {"a", "ex1", "abcdefghijklmno"};
	static const char *const bad[] = {"", "1ex", "ex-1", "ex_1", "../x",
					  "e x", "abcdefghijklmnop", "\xc3\xa9"};
	struct name_handle name;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(name_handle_read(good[i], strlen(good[i]), &name));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(name_handle_read(bad[i], strlen(bad[i]), &name));
	assert_non_null(name_handle_read(BYTES("ex\0"), &name));
	assert_null(name_handle_read(BYTES("EX1"), &name));
	assert_string_equal(name.s, "ex1");
}

static void domains(void **state)
{
	static const char *const good[] = {"a", "example.com", "xn--bcher-kva.de",
					   "1.example", "a-b.c", "host.4u.net"};
	static const char *const bad[] = {
		"", ".", ".example.com", "example.com.", "a..b", "-a.com",
		"a-.com", "a_b.com", "exam ple.com", "a:b", "#a", "a/b", "../a",
		"192.0.2.1", ("b\xc3\xbc" "cher.de"), "a\nb", "a@b", "*.com"};
	struct name_domain name;
	char label[70], whole[300];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(name_domain_read(good[i], strlen(good[i]), &name));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(name_domain_read(bad[i], strlen(bad[i]), &name));
	memset(label, 'a', sizeof label);
	assert_null(name_domain_read(label, 63, &name));
	assert_non_null(name_domain_read(label, 64, &name));
	for (size_t i = 0; i < sizeof whole; i++)
		whole[i] = i % 50 == 49 ? '.' : 'a';
	assert_null(name_domain_read(whole, 253, &name));
	assert_int_equal(strlen(name.s), 253);
	assert_non_null(name_domain_read(whole, 254, &name));
	assert_null(name_domain_read(BYTES("Example.COM"), &name));
	assert_string_equal(name.s, "example.com");
}

static void locals(void **state)
{
	static const char *const good[] = {"joe", "joe.doe", "a", "o'hara",
					   "x+y", "ownership", "defaults",
					   "!#$%&'+-=?^_`{|}~", "-owner1"};
	static const char *const bad[] = {
		"", ".joe", "joe.", "joe..doe", "joe doe", "a/b", "a:b", "a*b",
		"default", "owner", "list-owner", "a-default", "Default",
		"x-OWNER", "a@b", "a\"b", ("j\xc3\xb6" "e"), "a\tb", "*", "a,b",
		"(a)", "<a>", "a\\b", "a[b]"};
	struct name_local name;
	char text[65];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(name_local_read(good[i], strlen(good[i]), &name));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(name_local_read(bad[i], strlen(bad[i]), &name));
	memset(text, 'a', sizeof text);
	assert_null(name_local_read(text, 64, &name));
	assert_non_null(name_local_read(text, 65, &name));
	assert_null(name_local_or_catchall(BYTES("*"), &name));
	assert_non_null(name_local_or_catchall(BYTES("**"), &name));
	assert_non_null(name_local_read(BYTES("a\0b"), &name));
}

static void addresses(void **state)
{
	struct name_address name;
	char text[NAME_ADDRESS_TEXT];

	(void)state;
	assert_null(name_address_read(BYTES("Joe@Example.com"), &name));
	name_address_text(&name, text);
	assert_string_equal(text, "joe@example.com");
	assert_non_null(name_address_read(BYTES("joe"), &name));
	assert_non_null(name_address_read(BYTES("@example.com"), &name));
	assert_non_null(name_address_read(BYTES("joe@"), &name));
	assert_non_null(name_address_read(BYTES("a@b@example.com"), &name));
	assert_non_null(name_address_read("", 0, &name));
}

static void boxes(void **state)
{
	static const char *const good[] = {"ex1-0000", "ex1-0001", "ex1-9999",
					   "ex1-10000", "a-4294967295"};
	static const char *const bad[] = {"ex1", "ex1-", "ex1-1", "ex1-00001",
					  "ex1-4294967296", "-0001",
					  "ex1-00a1", "ex1-0001 ", "1-0001",
					  "ex1-99999999999"};
	struct name_box name;
	char text[NAME_BOX_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_null(name_box_read(good[i], strlen(good[i]), &name));
		name_box_text(&name, text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(name_box_read(bad[i], strlen(bad[i]), &name));
}

/* Somewhere else, where more is allowed than in one of ours. */
static void foreign_locals(void **state)
{
	static const char *const good[] = {"a", "JOE", "a.b", "o'hara", "a+b=c",
					   "{x}", "-"};
	static const char *const bad[] = {"", ".a", "a.", "a..b", "a b", "a@b",
					  "a\"b", "\xc3\xa4", "a\n", "a:b"};
	char lengthy[NAME_LOCAL_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(name_foreign_local(good[i], strlen(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(name_foreign_local(bad[i], strlen(bad[i])));
	assert_non_null(name_foreign_local(BYTES("a\0b")));
	memset(lengthy, 'a', sizeof lengthy);
	assert_null(name_foreign_local(lengthy, NAME_LOCAL_MAX));
	assert_non_null(name_foreign_local(lengthy, NAME_LOCAL_MAX + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("a handle is a letter, letters and digits", handles),
		SAYS("a domain has labels of letters, digits, hyphens", domains),
		SAYS("a local part leads to one file and nowhere else", locals),
		SAYS("a local part of somebody else's has more signs, but no "
		     "empty part", foreign_locals),
		SAYS("an address is split at its one at-sign", addresses),
		SAYS("a box has exactly one name", boxes),
	};

	return RUN(tests);
}
