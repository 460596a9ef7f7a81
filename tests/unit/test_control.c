/* SPDX-License-Identifier: MIT */
/* qmail's files as they are found, judged, shown and written. */
#include "named.h"

#include <errno.h>

#include "base/say.h"
#include "failing.h"
#include "qmail/control.h"
#include "qmaildir.h"

FAILING(int, renameat, (int from, const char *old, int to, const char *new),
	(from, old, to, new))
FAILING(int, fsync, (int fd), (fd))
FAILING(int, fstat, (int fd, struct stat *st), (fd, st))

static struct config config;
static struct lines lines;

static int set_up(void **state)
{
	(void)state;
	failing_call = NULL;
	config = (struct config){.uid = 510, .gid = 51, .rcpthosts_max = 2};
	if (qmaildir_start() != 0)
		return 1;
	(void)snprintf(config.qmail, sizeof config.qmail, "%s", top);
	(void)snprintf(config.home, sizeof config.home, "/h");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lines_free(&lines);
	return qmaildir_end();
}

static const struct {
	const char *name;
	const char *line; /* of x.org */
	const char *other;
} files[] = {
	[LINES_RCPTHOSTS] = {"control/rcpthosts", "x.org\n", "o.net\n"},
	[LINES_MORE] = {"control/morercpthosts", "x.org\n", "o.net\n"},
	[LINES_VIRTUALDOMAINS] = {"control/virtualdomains", "x.org:x.org\n",
				  "o.net:o\n"},
	[LINES_SMTPROUTES] = {"control/smtproutes", "x.org:mx.net\n",
			      "o.net:p\n"},
	[LINES_ASSIGN] = {"users/assign",
			  "+x.org-:ex1:510:51:/h/e/ex1/DOMAINS/x.org:-::\n.\n",
			  ".\n"},
};

/* The lines of a domain, or that they be gone. */
static void want(enum lines_file file, const char *name, unsigned what)
{
	struct store_domain d = {.name = domain(name), .handle = handle("ex1")};

	if (file == LINES_SMTPROUTES) {
		d.kind = STORE_RELAY;
		(void)snprintf(d.host, sizeof d.host, "mx.net");
	}
	assert_true(lines_add(&lines, file, &config, &d, what));
}

static void want_alone(enum lines_file file, const char *name, unsigned what)
{
	lines_free(&lines);
	lines = (struct lines){0};
	want(file, name, what);
}

static void fails(bool good, const char *part)
{
	said_end();
	if (good || !strstr(said, part))
		fail_msg("%s: '%s', not '%s'", good ? "done" : "failed", said,
			 part);
}

static void judged(enum lines_file file, int code, const char *part)
{
	int got;

	said_start();
	got = control_judge(&config, file, &lines);
	said_end();
	if (got != code || !strstr(said, part) || (!*part && *said))
		fail_msg("%s: %d '%s', not %d '%s'", files[file].name, got, said,
			 code, part);
}

static void writes(void **state)
{
	struct stat st;
	char path[200], text[300];

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		const enum lines_file file = (enum lines_file)i;

		want_alone(file, "x.org", LINES_COME);
		put(files[i].name, files[i].other, 0600);
		judged(file, CODE_DONE, "");
		said_start();
		assert_true(control_show(&config, file, &lines));
		said_end();
		(void)snprintf(text, sizeof text, "%s/%s: + %.*s\n", top,
			       files[i].name, (int)strcspn(files[i].line, "\n"),
			       files[i].line);
		assert_string_equal(said, text);
		assert_string_equal(text_of(files[i].name), files[i].other);
		assert_true(control_write(&config, file, &lines));
		assert_non_null(strstr(text_of(files[i].name), files[i].line));
		assert_non_null(strstr(text_of(files[i].name), files[i].other));
		place(files[i].name, path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		/* It says it all: nothing is written or shown, and it is known to
		 * be on the disk. */
		failing_start("renameat", 1, EIO);
		assert_true(control_write(&config, file, &lines));
		assert_string_equal(failing_made, "fstat fsync ");
		assert_false(failing_end());
		said_start();
		assert_true(control_show(&config, file, &lines));
		said_end();
		assert_string_equal(said, "");
		want_alone(file, "x.org", LINES_ALL_GO);
		said_start();
		assert_true(control_show(&config, file, &lines));
		said_end();
		(void)snprintf(text, sizeof text, "%s/%s: - %.*s\n", top,
			       files[i].name, (int)strcspn(files[i].line, "\n"),
			       files[i].line);
		assert_string_equal(said, text);
		assert_true(control_write(&config, file, &lines));
		assert_string_equal(text_of(files[i].name), files[i].other);
	}
}

static void absent(void **state)
{
	struct stat st;
	char path[200];

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		const enum lines_file file = (enum lines_file)i;

		want_alone(file, "x.org", LINES_COME);
		if (i == LINES_RCPTHOSTS) {
			judged(file, CODE_REFUSED, "rcpthosts' is missing: without");
			said_start();
			fails(control_write(&config, file, &lines), "is missing");
			continue;
		}
		judged(file, CODE_DONE, "");
		assert_true(control_write(&config, file, &lines));
		assert_string_equal(text_of(files[i].name), files[i].line);
		place(files[i].name, path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0644);
	}
}

static void odd(void **state)
{
	char path[200];

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		const enum lines_file file = (enum lines_file)i;

		want_alone(file, "x.org", LINES_COME);
		make_dir(files[i].name);
		judged(file, CODE_REFUSED, "it is not a regular file");
		said_start();
		fails(control_write(&config, file, &lines), "cannot read '");
		place(files[i].name, path);
		assert_int_equal(rmdir(path), 0);
		put(files[i].name, files[i].other, 0644);
		failing_start("fstat", 1, EIO);
		judged(file, CODE_LATER, "Input/output error");
		failing_start("fstat", 1, ENOMEM);
		judged(file, CODE_LATER, "Cannot allocate memory");
		failing_start("fstat", 1, EACCES);
		judged(file, CODE_REFUSED, "cannot read '");
		for (int call = 1; call <= 2; call++) {
			failing_start("fsync", call, ENOSPC);
			said_start();
			fails(control_write(&config, file, &lines),
			      "cannot write '");
			assert_true(failing_end());
			put(files[i].name, files[i].other, 0644);
		}
		failing_start("renameat", 1, EROFS);
		said_start();
		fails(control_write(&config, file, &lines),
		      "Read-only file system");
		assert_true(failing_end());
		assert_string_equal(text_of(files[i].name), files[i].other);
		/* Of a file that says it all. */
		assert_true(control_write(&config, file, &lines));
		failing_start("fsync", 1, EIO);
		said_start();
		fails(control_write(&config, file, &lines), "cannot write '");
		assert_true(failing_end());
	}
	(void)snprintf(config.qmail, sizeof config.qmail, "/no/such");
	judged(LINES_SMTPROUTES, CODE_REFUSED, "(is qmail there?");
}

static void conflicts(void **state)
{
	(void)state;
	want_alone(LINES_SMTPROUTES, "x.org", LINES_COME);
	put("control/smtproutes", "o.net:p\nX.org:other\n", 0644);
	judged(LINES_SMTPROUTES, CODE_REFUSED,
	       "line 2 says 'X.org:other' where popbox would write "
	       "'x.org:mx.net' (remove or correct that line)");
	want_alone(LINES_ASSIGN, "x.org", LINES_COME);
	put("users/assign", "+y-:a\n.\n", 0644);
	judged(LINES_ASSIGN, CODE_REFUSED, "/users/assign' line 1 ");
	said_start();
	fails(control_write(&config, LINES_ASSIGN, &lines), "qmail-newu rejects");
	put("users/assign", "=y:a:1:1:/a:::\n", 0644);
	judged(LINES_ASSIGN, CODE_REFUSED, "which must end it");
	want_alone(LINES_LOCALS, "x.org", LINES_ALL_GO);
	put("control/me", "x.org\nsecond\n", 0644);
	judged(LINES_LOCALS, CODE_REFUSED, "says 'x.org': qmail would keep");
	put("control/me", "o.net\nx.org\n", 0644);
	judged(LINES_LOCALS, CODE_DONE, "");
	put("control/locals", "o.net\nx.org\n", 0644);
	judged(LINES_LOCALS, CODE_REFUSED, "line 2 says 'x.org' where popbox would "
	       "write nothing (qmail would keep delivering it locally");
	assert_true(control_write(&config, LINES_LOCALS, &lines));
	assert_string_equal(text_of("control/locals"), "o.net\n");
}

static bool accept(bool anew, bool *ret_more)
{
	return control_accept(control_write, &config, &lines, anew, ret_more);
}

static void halves(const char *first, const char *more)
{
	assert_string_equal(text_of("control/rcpthosts"), first);
	assert_string_equal(text_of("control/morercpthosts"), more);
}

static void split(void **state)
{
	bool more;

	(void)state;
	put("control/rcpthosts", "o.net\n", 0644);
	want_alone(LINES_RCPTHOSTS, "a.org", LINES_COME);
	want(LINES_RCPTHOSTS, "b.org", LINES_COME);
	assert_true(accept(false, &more));
	assert_true(more);
	halves("o.net\na.org\n", "b.org\n");
	want_alone(LINES_RCPTHOSTS, "a.org", LINES_COME);
	assert_true(accept(false, &more));
	assert_false(more); /* it stays where it is */
	want_alone(LINES_RCPTHOSTS, "b.org", LINES_COME);
	config.rcpthosts_max = 9;
	assert_true(accept(false, &more));
	assert_true(more);
	halves("o.net\na.org\n", "b.org\n");
	/* All anew: it is in both, until it is in one. */
	want(LINES_RCPTHOSTS, "a.org", LINES_COME);
	assert_true(accept(true, &more));
	assert_false(more);
	halves("o.net\na.org\nb.org\n", "b.org\n");
	assert_true(control_accept_once(control_write, &config, &lines, &more));
	assert_true(more);
	halves("o.net\na.org\nb.org\n", "");
	want_alone(LINES_RCPTHOSTS, "a.org", LINES_COME);
	want(LINES_RCPTHOSTS, "b.org", LINES_COME);
	config.rcpthosts_max = 2;
	assert_true(accept(true, &more));
	assert_true(more);
	halves("o.net\na.org\nb.org\n", "b.org\n");
	assert_true(control_accept_once(control_write, &config, &lines, &more));
	halves("o.net\na.org\n", "b.org\n");
	/* What goes, goes from both. */
	want_alone(LINES_RCPTHOSTS, "a.org", LINES_ALL_GO);
	want(LINES_RCPTHOSTS, "b.org", LINES_ALL_GO);
	assert_true(accept(false, &more));
	assert_true(more);
	halves("o.net\n", "");
}

static void split_fails(void **state)
{
	bool more = false;

	(void)state;
	config.rcpthosts_max = 1;
	put("control/rcpthosts", "o.net\n", 0644);
	want_alone(LINES_RCPTHOSTS, "a.org", LINES_COME);
	make_dir("control/morercpthosts");
	said_start();
	fails(accept(false, &more), "morercpthosts': it is not a regular file");
	said_start();
	fails(control_accept_once(control_write, &config, &lines, &more),
	      "morercpthosts': it is not a regular file");
	assert_false(more);
	want_alone(LINES_RCPTHOSTS, "o.net", LINES_ALL_GO);
	said_start();
	fails(accept(false, &more), "morercpthosts': it is not a regular file");
	halves("", "");
}

static void lifetime(void **state)
{
	static const struct {
		const char *text;
		unsigned long want;
	} cases[] = {{"3600\n", 3600},	     {"0", 0},
		     {"", 604800},	     {"week\n", 604800},
		     {"-1\n", 604800},	     {"9\n", 9},
		     {"12345678901", 123456789}, {"60s\n", 60}};

	(void)state;
	assert_int_equal(control_queuelifetime(&config), 604800);
	for (size_t i = 0; i < COUNT(cases); i++) {
		put("control/queuelifetime", cases[i].text, 0644);
		assert_int_equal(control_queuelifetime(&config), cases[i].want);
	}
	(void)snprintf(config.qmail, sizeof config.qmail, "/no/such");
	assert_int_equal(control_queuelifetime(&config), 604800);
}

int main(void)
{
#define WITH_QMAIL(sentence, function)                                         \
	{                                                                      \
		sentence, function, set_up, tear_down, NULL                    \
	}
	const struct CMUnitTest tests[] = {
		WITH_QMAIL("lines go into each file and out of it, its mode stays, "
			   "and what would change is shown",
			   writes),
		WITH_QMAIL("a file that is absent is made, but for those whose "
			   "absence means something",
			   absent),
		WITH_QMAIL("what is no file, cannot be read, written or synced is "
			   "told of, and by its code",
			   odd),
		WITH_QMAIL("a line that contradicts is told of with its number",
			   conflicts),
		WITH_QMAIL("rcpthosts and morercpthosts hold each line once, and "
			   "while it changes its place twice",
			   split),
		WITH_QMAIL("where one of the two cannot be written that is told",
			   split_fails),
		WITH_QMAIL("the queue's lifetime is a number, or a week",
			   lifetime),
	};

	return RUN(tests);
}
