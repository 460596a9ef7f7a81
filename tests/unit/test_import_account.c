/* SPDX-License-Identifier: MIT */
/* What an import reads: the pure rooms. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "base/strtab.h"
#include "transfer/csvfile.h"
#include "transfer/fmt_csv.h"
#include "transfer/fmt_dotqmail.h"
#include "transfer/fmt_passwd.h"
#include "transfer/fmt_vmailmgr.h"
#include "transfer/fmt_vpopmail.h"
#include "transfer/import_table.h"

/* A csv file with these bytes. */
static struct input input_of(const char *bytes, size_t len)
{
	char path[] = "/tmp/popbox-unit.XXXXXX";
	struct input input;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	(void)close(fd);
	assert_true(input_open(&input, path));
	(void)unlink(path);
	return input;
}

/* Fields of all records with | between and / at the end of each; ! for a refused
 * one. */
static void read_all(const char *bytes, char *ret_text)
{
	struct input input = input_of(bytes, strlen(bytes));
	struct csvfile csv;

	assert_true(csvfile_open(&csv, &input, 0));
	*ret_text = 0;
	while (csvfile_next(&csv) == INPUT_LINE) {
		for (size_t i = 0; !csv.why && i < csv.count; i++)
			(void)sprintf(ret_text + strlen(ret_text), "%s%s",
				      i ? "|" : "", csvfile_field(&csv, i));
		(void)sprintf(ret_text + strlen(ret_text), "%s",
			      csv.why ? "!" : "/");
	}
	csvfile_close(&csv);
	input_close(&input);
}

static void csv_takes_fields_as_they_are(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a,b\n c ,\n", "a|b/ c |/"},
		{"a;b\r\nc;d\r\n", "a|b/c|d/"},
		{"a\tb\nc,c\td\n", "a|b/c,c|d/"},
		{"a,b\n\"x\ny\",\"q\"\"q\"\n", "a|b/x\ny|q\"q/"},
		{"a,b\n\n\nc,d", "a|b/c|d/"},
		{"a,b\n\"c\"d,e\nf,g\n", "a|b/!f|g/"},
		{"a,b\nc\"c,d\nf,g\n", "a|b/!f|g/"},
		{"a,b\n\"c", "a|b/!"},
		{"a\n\"\"\nb\n", "a//b/"},
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		read_all(cases[i].in, text);
		assert_string_equal(text, cases[i].out);
	}
}

static void what_is_written_is_read_back(void **state)
{
	static const char *const fields[] = {"", "a", " a ", "a,b", "a;b",
					     "a\tb", "\"", "a\"b\"", "\xc3\xa4",
					     "x\ny", "'"};
	struct text out = {0};
	char text[1024], wanted[1024] = "h|h/";

	(void)state;
	assert_true(text_put(&out, "h,h\n", 4));
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		assert_true(csvfile_put(&out, fields[i], true));
		assert_true(csvfile_put(&out, fields[i], false));
		assert_true(text_put(&out, "\n", 1));
		(void)sprintf(wanted + strlen(wanted), "%s|%s/", fields[i],
			      fields[i]);
	}
	read_all(out.bytes, text);
	assert_string_equal(text, wanted);
	free(out.bytes);
}

static void take_address(struct import_account *account, const char *text)
{
	import_account_wipe(account);
	assert_null(import_account_address(account, text));
}

static void a_table_gives_back_what_it_got(void **state)
{
	struct import_table table = {0};
	struct import_account in, out;
	unsigned long other;
	char text[64];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(text, sizeof text, "u%d@d%d.org", i, i % 7);
		take_address(&in, text);
		in.line = (unsigned long)i + 2;
		if (i % 2)
			assert_null(import_account_password(&in, "some words"));
		if (i % 3)
			assert_null(import_account_title(&in, "A Name"));
		if (i % 5)
			assert_null(import_account_quota(&in, "5M", 1));
		if (i % 7)
			assert_null(import_account_forward(&in, "a@b.org"));
		if (i % 11)
			assert_null(import_account_login(&in, "off"));
		(void)snprintf(text, sizeof text, "ex1-%04d", i);
		assert_null(import_account_box(&in, text));
		assert_int_equal(import_table_add(&table, &in, &other),
				 IMPORT_TABLE_ADDED);
		import_table_get(&table, (size_t)i, &out);
		assert_memory_equal(&in, &out,
				    offsetof(struct import_account, maildir));
		assert_string_equal(in.maildir, out.maildir);
		assert_memory_equal(in.forwards, out.forwards,
				    in.forwards_len);
	}
	/* The same once more, and another of the same address. */
	assert_int_equal(import_table_add(&table, &in, &other),
			 IMPORT_TABLE_AGAIN);
	assert_int_equal(other, 3001);
	assert_null(import_account_title(&in, "Another Name"));
	assert_int_equal(import_table_add(&table, &in, &other),
			 IMPORT_TABLE_OTHER);
	assert_int_equal(table.count, 3000);
	assert_true(import_table_has(&table, &in.address));
	take_address(&in, "nobody@d1.org");
	assert_false(import_table_has(&table, &in.address));
	/* The same box with another password. */
	assert_null(import_account_box(&in, "ex1-0001"));
	assert_null(import_account_password(&in, "other words"));
	assert_int_equal(import_table_add(&table, &in, &other),
			 IMPORT_TABLE_OTHER);
	assert_int_equal(other, 3);
	import_table_free(&table);
}

static void names_are_numbered_once(void **state)
{
	struct strtab names = {0};
	char text[16];
	size_t number;

	(void)state;
	assert_false(strtab_has(&names, "n0"));
	for (size_t i = 0; i < 20000; i++) {
		(void)snprintf(text, sizeof text, "n%zu", i % 10000);
		assert_true(strtab_add(&names, text, &number));
		assert_int_equal(number, i % 10000);
	}
	assert_int_equal(names.count, 10000);
	assert_true(strtab_has(&names, "n0") && strtab_has(&names, "n9999"));
	assert_false(strtab_has(&names, "n10000"));
	strtab_free(&names);
}

/* Cut anywhere an entry is refused, or is another whole one; never read past. */
static void a_cut_entry_of_vmailmgr_is_refused(void **state)
{
	static const char value[] = "\2\x08\1\0hash\0./users/joe\0a@b.org\0"
				    "ann\0\0Joe\0" "1000\0-\0-\0-\0" "1\0-";
	static const struct fmt_vmailmgr_site site = {"d.org", "/base", ""};
	struct import_account account;
	const char *left;

	(void)state;
	for (size_t len = 0; len < sizeof value; len++) {
		char *copy = malloc(len + 1); /* so that a sanitizer sees */

		assert_non_null(copy);
		memcpy(copy, value, len);
		import_account_wipe(&account);
		(void)!fmt_vmailmgr("joe", 3, copy, len, &site, &account,
				    &left);
		free(copy);
	}
	import_account_wipe(&account);
	assert_string_equal(
		fmt_vmailmgr("joe", 3, value, 20, &site, &account, &left),
		"its entry is cut");
}

/* What an entry of the first version leads to. */
static void an_old_entry_of_vmailmgr_is_a_box_or_forwards(void **state)
{
	static const struct fmt_vmailmgr_site site = {"d.org", "/base",
						      "me.org"};
	static const struct {
		const char *value, *maildir, *forwards, *hash;
		bool leads;
	} cases[] = {
		{":3fc5e038d38a57032085441e7fe7010b0:./users/joe",
		 "/base/users/joe", "",
		 "{PLAIN-MD5}fc5e038d38a57032085441e7fe7010b0", true},
		{":*:/users/joe", "/users/joe", "", "", true},
		{":*:&ann,b@x.org", "", "ann@d.org|b@x.org|", "", true},
		{":*:&ann@,b", "", "ann@me.org|b@d.org|", "", true},
		{":*:,&ann,", "", "ann@d.org|", "", true},
		{":*:", "", "", "", false},
	};
	const char *left;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct import_account account = {.line = 0};
		char forwards[200] = "";

		import_account_wipe(&account);
		assert_null(fmt_vmailmgr("joe", 3, cases[i].value,
					 strlen(cases[i].value), &site,
					 &account, &left));
		assert_int_equal(!left, cases[i].leads);
		assert_string_equal(account.maildir, cases[i].maildir);
		assert_string_equal(account.hash, cases[i].hash);
		for (size_t at = 0; at < account.forwards_len;
		     at += strlen(account.forwards + at) + 1)
			(void)sprintf(forwards + strlen(forwards), "%s|",
				      account.forwards + at);
		assert_string_equal(forwards, cases[i].forwards);
	}
}

static void where(const char *line, enum fmt_vpopmail_where want,
		  const char *target)
{
	char got[PATH_MAX] = "";

	assert_int_equal(fmt_vpopmail_line(line, strlen(line), got), want);
	if (target)
		assert_string_equal(got, target);
}

static void vdelivermail_and_its_maildirs_are_known(void **state)
{
	char address[NAME_ADDRESS_TEXT];
	struct fmt_vpopmail_limits limits;
	static const char text[] = "# disable_smtp\nmaxaliases: -1\nquota 0\n"
				   "disable_pop\nmaxforwards 7\ndisable_imap";

	(void)state;
	where("| /v/bin/vdelivermail '' bounce-no-mailbox", FMT_VPOPMAIL_BOUNCE,
	      NULL);
	where("|/v/bin/vdelivermail \"\" delete", FMT_VPOPMAIL_DELETE, NULL);
	where("|preline /v/bin/vdelivermail '' 'a@b.org' ",
	      FMT_VPOPMAIL_FORWARD, "a@b.org");
	where("| vdelivermail '' /d/joe", FMT_VPOPMAIL_DIR, "/d/joe");
	where("| vdelivermail '' /d/joe; rm x", FMT_VPOPMAIL_NONE, NULL);
	where("| vdelivermail ''", FMT_VPOPMAIL_NONE, NULL);
	where("|xvdelivermail '' delete", FMT_VPOPMAIL_NONE, NULL);
	where("vdelivermail '' delete", FMT_VPOPMAIL_NONE, NULL);
	where("", FMT_VPOPMAIL_NONE, NULL);
	assert_true(fmt_vpopmail_owner("/d/b.org/0/j.doe/Maildir/", "x.org",
				       address));
	assert_string_equal(address, "j.doe@b.org");
	assert_true(fmt_vpopmail_owner("joe/Maildir//", "x.org", address));
	assert_string_equal(address, "joe@x.org");
	assert_false(fmt_vpopmail_owner("/d/b.org/joe/", "x.org", address));
	assert_false(
		fmt_vpopmail_owner("/home/joe/Maildir/", "x.org", address));
	assert_false(fmt_vpopmail_owner("/Maildir/", "x.org", address));
	fmt_vpopmail_limits(text, sizeof text - 1, &limits);
	assert_int_equal(limits.off, STORE_SERVICE_POP | STORE_SERVICE_IMAP);
	assert_string_equal(limits.others, "maxforwards");
}

static void a_dotqmail_is_read_and_never_run(void **state)
{
	static const char text[] = "# a comment\n\n&a@b.org \n c@d.org\n";
	static const char mixed[] = "/home/x/\n|prog\n./Maildir/\nplain@x.org";
	struct fmt_dotqmail row;
	struct name_local local;
	struct import_account account;

	(void)state;
	import_account_wipe(&account);
	assert_non_null(fmt_dotqmail(text, sizeof text - 1, &account, &row));
	import_account_wipe(&account);
	assert_null(fmt_dotqmail(mixed, sizeof mixed - 1, &account, &row));
	assert_true(row.foreign);
	assert_int_equal(row.boxes, 2);
	assert_string_equal(row.box[0], "/home/x/");
	assert_string_equal(account.forwards, "plain@x.org");
	import_account_wipe(&account);
	assert_null(fmt_dotqmail("+list\n&a@b.org\n", 15, &account, &row));
	assert_string_equal(account.forwards, "a@b.org");
	assert_false(row.foreign);
	assert_non_null(fmt_dotqmail("a\0b", 3, &account, &row));
	assert_null(fmt_dotqmail("\n&a@b.org\n", 10, &account, &row));
	assert_true(row.held);
	assert_true(fmt_dotqmail_name(".qmail-joe:doe", &local));
	assert_string_equal(local.s, "joe.doe");
	assert_true(fmt_dotqmail_name(".qmail-default", &local));
	assert_string_equal(local.s, "*");
	assert_false(fmt_dotqmail_name(".qmail-Joe", &local));
	assert_false(fmt_dotqmail_name(".qmail-joe.doe", &local));
	assert_false(fmt_dotqmail_name(".qmail", &local));
}

static void secrets_are_judged_by_their_form(void **state)
{
	struct import_account account;

	(void)state;
	import_account_wipe(&account);
	assert_non_null(import_account_password(&account, "$6$salt$x"));
	assert_non_null(import_account_password(&account, " leading"));
	assert_null(import_account_hash(&account, "{PLAIN}some words"));
	assert_int_equal(account.secret, IMPORT_ACCOUNT_PASSWORD);
	assert_null(import_account_hash(&account, "*"));
	assert_int_equal(account.secret, IMPORT_ACCOUNT_LOCKED);
	assert_false(account.has_login);
	assert_null(import_account_hash(&account, "!!"));
	assert_true(account.has_login && !account.login);
	assert_null(account.unusable);
	assert_null(import_account_hash(
		&account, "{LANMAN}e52cac67419a9a224a3b108f3fa6cb6d"));
	assert_non_null(account.unusable);
	assert_non_null(import_account_hash(&account, "hello"));
	assert_non_null(import_account_maildir(&account, "/a/../b"));
	assert_non_null(import_account_maildir(&account, ".."));
	assert_null(import_account_maildir(&account, "/a/..b/c.."));
	assert_non_null(import_account_quota(&account, "5X", 1));
	assert_null(import_account_quota(&account, "2", 1 << 20));
	assert_int_equal(account.quota, 2 << 20);
	assert_null(import_account_quota(&account, "10MB", 1));
	assert_int_equal(account.quota, 10 << 20);
	assert_non_null(import_account_quota(&account, "99999999999T", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("csv takes fields as they are, and goes on behind a bad "
		     "record",
		     csv_takes_fields_as_they_are),
		SAYS("what is written is read back",
		     what_is_written_is_read_back),
		SAYS("a table gives back what it got, and each address once",
		     a_table_gives_back_what_it_got),
		SAYS("names are numbered once", names_are_numbered_once),
		SAYS("a cut entry of vmailmgr is refused, and never read past",
		     a_cut_entry_of_vmailmgr_is_refused),
		SAYS("an entry of vmailmgr's first version is a box, forwards, "
		     "or "
		     "leads nowhere",
		     an_old_entry_of_vmailmgr_is_a_box_or_forwards),
		SAYS("lines of vdelivermail, Maildirs and limits are known",
		     vdelivermail_and_its_maildirs_are_known),
		SAYS("a .qmail file is read, never run",
		     a_dotqmail_is_read_and_never_run),
		SAYS("passwords, hashes, quotas and paths are judged by their "
		     "form",
		     secrets_are_judged_by_their_form),
	};

	return RUN(tests);
}
