/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "popusr/mailroot.h"
#include "qmail/dotqmail.h"
#include "qmail/render.h"

static struct config config;

static void want(struct lines *lines, enum lines_file file,
		 const char *domain, const char *handle, bool subdomains)
{
	struct store_domain d = {.subdomains = subdomains};

	assert_null(name_domain_read(domain, strlen(domain), &d.name));
	assert_null(name_handle_read(handle, strlen(handle), &d.handle));
	assert_true(lines_add(lines, file, &config, &d, LINES_COME));
}

static unsigned long conflicts;

static void on_conflict(void *arg, unsigned long number, const char *line,
			size_t len, const char *wanted)
{
	(void)line;
	(void)len;
	(void)wanted;
	conflicts++;
	*(unsigned long *)arg = number;
}

/* What becomes of a file when example.com of ex1 is wanted in it. */
static void becomes(enum lines_file file, const char *before,
		    const char *after, unsigned long conflict_line)
{
	struct lines lines = {0};
	unsigned long line = 0;
	size_t len, again_len;
	char *text, *again;

	conflicts = 0;
	want(&lines, file, "example.com", "ex1", true);
	assert_true(render_file(file, before, strlen(before), &lines,
				on_conflict, &line, &text, &len));
	assert_string_equal(text, after);
	assert_int_equal(len, strlen(after));
	assert_int_equal(line, conflict_line);
	/* A second time changes nothing and finds nothing. */
	conflicts = 0;
	assert_true(render_file(file, text, len, &lines, on_conflict, &line,
				&again, &again_len));
	assert_string_equal(again, text);
	assert_int_equal(conflicts, 0);
	free(again);
	free(text);
	lines_free(&lines);
}

#define R "example.com\n.example.com\n"
#define V "example.com:example.com\n.example.com:example.com\n"
#define A "+example.com-:ex1:510:51:/home/popmail/e/ex1/DOMAINS/example.com:-::\n"

static void rcpthosts(void **state)
{
	(void)state;
	becomes(LINES_RCPTHOSTS, "", R, 0);
	becomes(LINES_RCPTHOSTS, "localhost\n", "localhost\n" R, 0);
	becomes(LINES_RCPTHOSTS, "localhost", "localhost\n" R, 0);
	becomes(LINES_RCPTHOSTS, "# example.com\n\nother.org \n",
		"# example.com\n\nother.org \n" R, 0);
	becomes(LINES_RCPTHOSTS, R "z.org\n", R "z.org\n", 0);
	becomes(LINES_RCPTHOSTS, ".example.com\nEXAMPLE.com \t\n",
		".example.com\nEXAMPLE.com \t\n", 0);
	becomes(LINES_RCPTHOSTS, "a\nexample.com\r\nb\r\n",
		"a\nexample.com\nb\r\n.example.com\n", 2);
	becomes(LINES_RCPTHOSTS, "notexample.com\nexample.com.de\n",
		"notexample.com\nexample.com.de\n" R, 0);
}

static void virtualdomains(void **state)
{
	(void)state;
	becomes(LINES_VIRTUALDOMAINS, "", V, 0);
	becomes(LINES_VIRTUALDOMAINS,
		"joe@example.com:alias-joe\nexample.com:alias-x\n:catch\n",
		"joe@example.com:alias-joe\nexample.com:example.com\n:catch\n"
		".example.com:example.com\n",
		2);
	becomes(LINES_VIRTUALDOMAINS, V "example.com:example.com\n", V, 0);
	becomes(LINES_VIRTUALDOMAINS, "example.com:example.com\r\n", V, 1);
	becomes(LINES_VIRTUALDOMAINS, "#example.com:x\nexample.com\n",
		"#example.com:x\nexample.com\n" V, 0);
}

static void assign(void **state)
{
	(void)state;
	becomes(LINES_ASSIGN, "", A ".\n", 0);
	becomes(LINES_ASSIGN, ".\n", A ".\n", 0);
	becomes(LINES_ASSIGN, "=joe:joe:1:1:/home/joe:::\n.\nbehind\n",
		"=joe:joe:1:1:/home/joe:::\n" A ".\nbehind\n", 0);
	becomes(LINES_ASSIGN, "+example.com-:ex1:1:1:/else:-::\n.\n", A ".\n",
		1);
	becomes(LINES_ASSIGN, "+example.com-joe:x:1:1:/x:-::\n.\n",
		"+example.com-joe:x:1:1:/x:-::\n" A ".\n", 0);
	assert_true(render_assign_ends("", 0));
	assert_true(render_assign_ends(BYTES("=a:b\n.\n")));
	assert_false(render_assign_ends(BYTES("=a:b\n")));
}

static void many(void **state)
{
	struct lines lines = {0};
	char name[32], *text;
	size_t len;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(name, sizeof name, "d%d.org", 2999 - i);
		want(&lines, LINES_RCPTHOSTS, name, "ex1", false);
	}
	assert_true(render_file(LINES_RCPTHOSTS, BYTES("d17.org\nx\n"), &lines,
				NULL, NULL, &text, &len));
	assert_ptr_equal(strstr(text, "d17.org\n"), text);
	assert_null(strstr(text + 1, "\nd17.org\n"));
	assert_non_null(strstr(text, "\nd2999.org\nd2998.org\n"));
	free(text);
	lines_free(&lines);
}

static const struct store_quota none = {0, 0};

#define ON STORE_DELIVER
#define OFF STORE_BOUNCE
#define HOLD STORE_HOLD

#define BOX "/home/popmail/e/ex1/POP/ex1-0001/\n"
#define BOUNCE                                                                \
	"|/var/qmail/bin/bouncesaying 'This address does not take mail. "    \
	"(#5.2.1)'\n"
#define QUOTA                                                                 \
	"|/usr/sbin/popbox-quota -g 3600 -w 90 "                              \
	"/home/popmail/e/ex1/POP/ex1-0001"

static void switched(void **state)
{
	static const struct {
		enum store_delivery all, box;
		bool has_box, forwards;
		const char *text;
		mode_t mode;
		struct store_quota quota;
	} cases[] = {
		{OFF, ON, true, false, BOUNCE, 0644, {0, 0}},
		{OFF, HOLD, true, true, BOUNCE, 0644, {0, 0}},
		{ON, OFF, true, false, BOUNCE, 0644, {0, 0}},
		{HOLD, OFF, true, false, BOUNCE, 0644, {0, 0}},
		{ON, OFF, true, true, "&a@b.c\n", 0744, {0, 0}},
		{HOLD, OFF, true, true, "\n&a@b.c\n", 0744, {0, 0}},
		{HOLD, ON, true, false, "\n" BOX, 0644, {0, 0}},
		{ON, HOLD, true, true, "\n" BOX "&a@b.c\n", 0644, {0, 0}},
		{HOLD, ON, false, true, "\n&a@b.c\n", 0744, {0, 0}},
		{OFF, ON, false, true, BOUNCE, 0644, {0, 0}},
		{ON, ON, true, false, QUOTA " 500S\n" BOX, 0644, {500, 0}},
		{ON, HOLD, true, true, "\n" QUOTA " 5S,7C\n" BOX "&a@b.c\n",
		 0644, {5, 7}},
		{ON, ON, false, true, "&a@b.c\n", 0744, {500, 0}},
		{ON, OFF, true, true, "&a@b.c\n", 0744, {500, 0}},
		{ON, ON, true, false, QUOTA " 4611686018427387903C\n" BOX, 0644,
		 {0, STORE_UNLIMITED - 1}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct store_address address = {
			.name = {{"joe"}, {"example.com"}},
			.has_box = cases[i].has_box,
			.box = {{"ex1"}, 1},
			.forwards_len = cases[i].forwards ? 6 : 0,
			.forwards = "a@b.c",
		};
		mode_t mode;
		size_t len;
		char *text;

		assert_true(dotqmail_address(&config, &address, cases[i].all,
					 cases[i].box, &cases[i].quota, false, &text,
				 &len, &mode));
		assert_string_equal(text, cases[i].text);
		assert_int_equal(mode, cases[i].mode);
		free(text);
	}
}

#define EXTENSION                                                             \
	"|/var/qmail/bin/condredirect \"${EXT%%+*}@$HOST\" test "               \
	"\"${EXT#[!+]*+}\" != \"$EXT\"\n"

static void extension(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{BOX, EXTENSION BOX},
		{"\n" BOX, EXTENSION "|exit 111\n" BOX},
		{NULL, EXTENSION "|/var/qmail/bin/bouncesaying 'Sorry, no "
				 "mailbox here by that name. (#5.1.1)'\n"},
	};
	static const struct {
		const char *local;
		size_t base;
	} names[] = {{"joe+tag", 3}, {"joe+a+b", 3}, {"j+", 1}, {"+joe", 0},
		     {"+joe+x", 0},  {"joe", 0},     {"", 0}};
	char line[] = EXTENSION;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *before = cases[i].before;
		char *text = before ? strdup(before) : NULL;
		size_t len = before ? strlen(before) : 0;
		mode_t mode = 0744;

		assert_true(dotqmail_extension(&config, &text, &len, &mode));
		assert_int_equal(len, strlen(cases[i].after));
		assert_memory_equal(text, cases[i].after, len);
		assert_int_equal(mode, 0644);
		free(text);
	}
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(dotqmail_base(names[i].local,
					       strlen(names[i].local)),
				 names[i].base);
	line[strlen(line) - 1] = 0;
	assert_true(dotqmail_is_extension(&config, line));
	line[strlen(line) - 1] = 0;
	assert_false(dotqmail_is_extension(&config, line));
	assert_true(dotqmail_is_hold("|exit 111"));
	assert_false(dotqmail_is_hold("|exit 1111"));
}

static void quota_line(void **state)
{
	static const struct {
		const char *line;
		uint64_t bytes, messages; /* both 0: it is none */
	} cases[] = {
		{QUOTA " 5S,7C", 5, 7},
		{"|/a/popbox-quota /b 5S", 5, 0},
		{"|/a/popbox-quota /b 5", 0, 0},
		{"|/a/popbox-quota", 0, 0},
		{"|/a/popbox-quota ", 0, 0},
		{"|popbox-quota /b 5S", 0, 0},
		{"|/a/other-popbox-quota /b 5S", 0, 0},
		{"|/a/true /a/popbox-quota /b 5S", 0, 0},
		{"/a/popbox-quota /b 5S", 0, 0},
		{"", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct maildirsize limit = {0, 0};

		assert_int_equal(dotqmail_is_quota(cases[i].line, &limit),
				 cases[i].bytes || cases[i].messages);
		assert_int_equal(limit.bytes, cases[i].bytes);
		assert_int_equal(limit.messages, cases[i].messages);
	}
}

/* Behind the Maildir, with the shell's word for what fails; not where the box is off,
 * nor in forwards alone. */
static void vacation_line(void **state)
{
	static struct store_address address = {
		.name = {{"joe"}, {"example.com"}},
		.has_box = true,
		.box = {{"ex1"}, 1},
		.forwards = "a@b.c",
		.forwards_len = 6};
	static const char line[] =
		"|/usr/sbin/popbox-vacation /home/popmail/e/ex1/POP/ex1-0001 "
		"/var/qmail/bin/qmail-queue || exit 0";
	char *text, want[512];
	size_t len;
	mode_t mode;

	(void)state;
	(void)snprintf(want, sizeof want,
		       "/home/popmail/e/ex1/POP/ex1-0001/\n%s\n&a@b.c\n", line);
	assert_true(dotqmail_address(&config, &address, ON, ON, &none, true,
				     &text, &len, &mode));
	assert_string_equal(text, want);
	assert_int_equal(mode, 0644);
	free(text);
	assert_true(dotqmail_address(&config, &address, ON, OFF, &none, true,
				     &text, &len, &mode));
	assert_string_equal(text, "&a@b.c\n");
	free(text);
	address.has_box = false;
	assert_true(dotqmail_address(&config, &address, ON, ON, &none, true,
				     &text, &len, &mode));
	assert_string_equal(text, "&a@b.c\n");
	free(text);
	assert_true(dotqmail_is_vacation(line));
	assert_true(dotqmail_is_vacation("|/a/popbox-vacation /b c"));
	assert_false(dotqmail_is_vacation("|/a/popbox-vacation"));
	assert_false(dotqmail_is_vacation("|popbox-vacation /b c"));
	assert_false(dotqmail_is_vacation("|/a/true /a/popbox-vacation /b c"));
	assert_false(dotqmail_is_vacation("/a/popbox-vacation /b c"));
}

static void unwanted(void **state)
{
	const struct store_domain d = {.name = {"example.com"}};
	static const struct {
		enum lines_file file;
		const char *before, *after;
	} cases[] = {
		{LINES_RCPTHOSTS, "a\n" R "Example.COM\nb", "a\nb"},
		{LINES_VIRTUALDOMAINS, "# x\n" V "z:z\n", "# x\nz:z\n"},
		{LINES_ASSIGN, "=x:y\n" A ".\n", "=x:y\n.\n"},
		{LINES_ASSIGN, ".\n" A, ".\n" A},
		{LINES_RCPTHOSTS, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct lines lines = {0};
		size_t len;
		char *text;

		assert_true(lines_add(&lines, cases[i].file, &config, &d,
				      LINES_ALL_GO));
		assert_true(render_file(cases[i].file, cases[i].before,
					strlen(cases[i].before), &lines, NULL,
					NULL, &text, &len));
		assert_string_equal(text, cases[i].after);
		free(text);
		lines_free(&lines);
	}
}

static void qmail(void **state)
{
	struct store_address address = {
		.name = {{"joe"}, {"example.com"}},
		.has_box = true,
		.box = {{"ex1"}, 1},
	};
	mode_t mode;
	size_t len;
	char *text;

	(void)state;
	assert_true(dotqmail_address(&config, &address, ON, ON, &none, false, &text, &len,
				 &mode));
	assert_string_equal(text, "/home/popmail/e/ex1/POP/ex1-0001/\n");
	assert_int_equal(mode, 0644);
	free(text);
	memcpy(address.forwards, BYTES("a@b.c\0d@e.f"));
	address.forwards_len = 12;
	assert_true(dotqmail_address(&config, &address, ON, ON, &none, false, &text, &len,
				 &mode));
	assert_string_equal(text, "/home/popmail/e/ex1/POP/ex1-0001/\n"
				  "&a@b.c\n&d@e.f\n");
	free(text);
	address.has_box = false;
	assert_true(dotqmail_address(&config, &address, ON, ON, &none, false, &text, &len,
				 &mode));
	assert_string_equal(text, "&a@b.c\n&d@e.f\n");
	assert_int_equal(mode, 0744);
	free(text);
	address.forwards_len = 0;
	assert_false(dotqmail_address(&config, &address, ON, ON, &none, false, &text, &len,
				 &mode));
}

static void with_nul(void **state)
{
	static const char text[] = "example.com\0x\n";
	struct lines lines = {0};
	size_t len;
	char *out;

	(void)state;
	want(&lines, LINES_RCPTHOSTS, "example.com", "ex1", false);
	assert_true(render_file(LINES_RCPTHOSTS, BYTES(text), &lines, NULL,
				NULL, &out, &len));
	assert_int_equal(len, sizeof text - 1 + sizeof "example.com\n" - 1);
	assert_memory_equal(out, text, sizeof text - 1);
	free(out);
	lines_free(&lines);
}

static void file_names(void **state)
{
	char name[MAILROOT_QMAIL_NAME];

	(void)state;
	mailroot_qmail_name(&(struct name_local){"joe.doe"}, name);
	assert_string_equal(name, ".qmail-joe:doe");
	mailroot_qmail_name(&(struct name_local){"*"}, name);
	assert_string_equal(name, ".qmail-default");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("rcpthosts keeps what is not ours byte for byte",
		     rcpthosts),
		SAYS("virtualdomains has each of our keys once",
		     virtualdomains),
		SAYS("users/assign gets our line before its end", assign),
		SAYS("thousands of domains go in at once", many),
		SAYS("a .qmail file is a Maildir, forwards, or both", qmail),
		SAYS("off bounces, hold defers, each for what it is said of",
		     switched),
		SAYS("an extension is a line before the catch-all's own",
		     extension),
		SAYS("a quota is a line before the Maildir's", quota_line),
		SAYS("lines of a domain that is gone go, all others stay",
		     unwanted),
		SAYS("a box that answers has a line behind that of its Maildir",
		     vacation_line),
		SAYS("a line with a NUL in it is never ours", with_nul),
		SAYS("a dot in a local part is a colon in its file's name",
		     file_names),
	};
	struct config_fault fault;

	if (config_parse("", 0, &config, &fault) != ERR_OK)
		return 99;
	memcpy(config.quota_path, BYTES("/usr/sbin/popbox-quota"));
	memcpy(config.vacation_path, BYTES("/usr/sbin/popbox-vacation"));
	config.quota_grace = 3600;
	return RUN(tests);
}
