/* SPDX-License-Identifier: MIT */
/* Below the mail root: whatever call fails, it is told, or all is as it should be. */
#include "named.h"

#include <fcntl.h>
#include <limits.h>
#include <time.h>

#include "failing.h"
#include "popusr/mailroot.h"
#include "qmaildir.h"

FAILING(int, mkdirat, (int dir, const char *name, mode_t mode),
	(dir, name, mode))
FAILING(int, fchmod, (int fd, mode_t mode), (fd, mode))
FAILING(int, fstat, (int fd, struct stat *st), (fd, st))
FAILING(int, unlinkat, (int dir, const char *name, int flags),
	(dir, name, flags))
FAILING(int, rmdir, (const char *path), (path))
FAILING(int, linkat,
	(int from, const char *old, int to, const char *new, int flags),
	(from, old, to, new, flags))
FAILING(int, renameat, (int from, const char *old, int to, const char *new),
	(from, old, to, new))

/* Not on the disk: there is no power cut here. */
int fsync(int fd)
{
	(void)fd;
	return failing_now("fsync") ? -1 : 0;
}

int openat(int dir, const char *name, int flags, ...)
{
	return failing_now("openat") ? -1
				     : FAILING_REAL(openat)(dir, name, flags, 0600);
}

int open(const char *path, int flags, ...)
{
	return failing_now("open") ? -1 : FAILING_REAL(open)(path, flags, 0600);
}

static char home[200], path[PATH_MAX], text[MAILROOT_QMAIL_MAX];
static size_t len;

#define EX1 (&(struct name_handle){"ex1"})
#define BOX (&(struct name_box){{"ex1"}, 1})
#define DOMAIN (&(struct name_domain){"a.org"})
#define JOE (&(struct name_address){{"joe.doe"}, {"a.org"}})

static int box(void)
{
	return mailroot_box(home, BOX, path);
}

static int a_domain(void)
{
	return mailroot_domain(home, EX1, DOMAIN, path);
}

static int file(void)
{
	return mailroot_qmail(home, EX1, JOE, BYTES("./x/\n"), 0644, path);
}

static int other_file(void)
{
	return mailroot_qmail(home, EX1, JOE, BYTES("./y/\n"), 0744, path);
}

static int adopt(void)
{
	return mailroot_adopt(home, EX1, JOE, path);
}

static int file_gone(void)
{
	return mailroot_remove_qmail(home, EX1, JOE, path);
}

static int domain_gone(void)
{
	return mailroot_remove_domain(home, EX1, DOMAIN, path);
}

static int box_gone(void)
{
	return mailroot_remove_box(home, BOX, path);
}

static int dialup(void)
{
	static const struct mailroot_dialup files = {"mx.org\n", "./Maildir/\n"};

	return mailroot_dialup(home, DOMAIN, &files, path);
}

static int dialup_gone(void)
{
	return mailroot_remove_dialup(home, DOMAIN, path);
}

static int peek(void)
{
	return mailroot_peek(home, EX1, JOE, text, &len, path);
}

static int dialup_peek(void)
{
	static struct mailroot_dialup files;
	int rc = mailroot_dialup_peek(home, DOMAIN, &files, path);

	if (rc == 0)
		len = (size_t)snprintf(text, sizeof text, "%s%s", files.relayhost,
				       files.qmail);
	return rc;
}

static int list(void)
{
	return mailroot_list(home, EX1, DOMAIN, true, text, &len, path);
}

/* Mail, and a directory that its owner has shut. */
static int mail(void)
{
	static const char *const dirs[] = {"home/e/ex1/POP/ex1-0001/new/d",
					   "home/e/ex1/POP/ex1-0001/new/d/e"};

	for (size_t i = 0; i < COUNT(dirs); i++)
		make_dir(dirs[i]);
	put("home/e/ex1/POP/ex1-0001/new/d/e/1", "mail\n", 0600);
	put("home/e/ex1/POP/ex1-0001/cur/2", "mail\n", 0600);
	place(dirs[0], path);
	return chmod(path, 0);
}

typedef int step(void);

static const struct {
	const char *what;
	step *before[4];
	step *does;
} cases[] = {
	{"box", {NULL}, box},
	{"box, again", {box}, box},
	{"box beside one", {a_domain}, box},
	{"domain", {NULL}, a_domain},
	{"domain, again", {a_domain}, a_domain},
	{"file", {a_domain}, file},
	{"file, again", {a_domain, file}, file},
	{"file, another", {a_domain, file}, other_file},
	{"adopt", {a_domain, file}, adopt},
	{"adopt, again", {a_domain, file, adopt}, adopt},
	{"adopt another", {a_domain, file, adopt, other_file}, adopt},
	{"file gone", {a_domain, file}, file_gone},
	{"file gone, again", {a_domain}, file_gone},
	{"file gone, with its domain", {box}, file_gone},
	{"domain gone", {a_domain}, domain_gone},
	{"domain gone, again", {box}, domain_gone},
	{"box gone", {box}, box_gone},
	{"box with mail gone", {box, mail}, box_gone},
	{"box gone, again", {a_domain}, box_gone},
	{"dial-up", {NULL}, dialup},
	{"dial-up, again", {dialup}, dialup},
	{"dial-up gone", {dialup}, dialup_gone},
	{"dial-up gone, again", {NULL}, dialup_gone},
	{"peek", {a_domain, file}, peek},
	{"peek at a dial-up", {dialup}, dialup_peek},
	{"list", {a_domain, file}, list},
};

static int set_up(void **state)
{
	(void)state;
	failing_call = NULL;
	if (qmaildir_start() != 0)
		return 1;
	place("home", home);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	failing_call = NULL;
	return qmaildir_end();
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* All that is there, with its mode and size. */
static void describe(char *ret_text, size_t room)
{
	char *const paths[] = {home, NULL};
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	const FTSENT *at;
	size_t done = 0;

	assert_non_null(tree);
	ret_text[0] = 0;
	while ((at = fts_read(tree)) != NULL) {
		const bool is_file = at->fts_info == FTS_F;

		if (at->fts_info == FTS_DP)
			continue;
		done += (size_t)snprintf(ret_text + done, room - done,
					 "%s %o %ld\n",
					 at->fts_path + strlen(home),
					 (unsigned)at->fts_statp->st_mode,
					 is_file ? (long)at->fts_statp->st_size
						 : 0L);
		assert_true(done < room);
	}
	fts_close(tree);
}

static void begin(size_t i)
{
	if (access(home, F_OK) == 0)
		assert_int_equal(remove_all(home), 0);
	assert_int_equal(mkdir(home, 0755), 0);
	for (size_t n = 0; n < 4 && cases[i].before[n]; n++)
		assert_int_equal(cases[i].before[n](), 0);
	len = 0;
}

/* These may fail where something else serves as well. */
static bool may_fail(const char *call)
{
	return strcmp(call, "fsync") != 0 && strcmp(call, "mkdirat") != 0;
}

static void fails(size_t i, const char *call, const char *want)
{
	static char got[4000];
	size_t whole = len;
	int rc, number = 0;

	do {
		begin(i);
		failing_start(call, ++number, EIO);
		rc = cases[i].does();
		if (!failing_end())
			break;
		describe(got, sizeof got);
		if (rc != EIO &&
		    (rc != 0 || !may_fail(call) || strcmp(got, want) != 0))
			fail_msg("%s: %s %d: %d, and\n%s", cases[i].what, call,
				 number, rc, got);
		/* Once more, and all is well. */
		assert_int_equal(cases[i].does(), 0);
		describe(got, sizeof got);
		if (strcmp(cases[i].what, "adopt another") != 0)
			assert_string_equal(got, want);
	} while (number < 100);
	assert_int_equal(rc, 0);
	assert_int_equal(len, whole);
}

static void each(void **state)
{
	static const char *const calls[] = {"mkdirat", "fsync",	   "fchmod",
					    "fstat",   "unlinkat", "rmdir",
					    "linkat",  "renameat", "openat",
					    "open"};
	static char want[4000];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t n = 0; n < COUNT(calls); n++) {
			begin(i);
			assert_int_equal(cases[i].does(), 0);
			describe(want, sizeof want);
			fails(i, calls[n], want);
		}
	}
}

static void there(const char *name, mode_t mode)
{
	struct stat st;
	char at[300];

	(void)snprintf(at, sizeof at, "%s/%s", home, name);
	if (lstat(at, &st) != 0 || (st.st_mode & 07777) != mode)
		fail_msg("%s: %s", name, strerror(errno));
}

static void modes(void **state)
{
	mode_t mask = umask(0);

	(void)state;
	begin(0);
	assert_int_equal(box(), 0);
	assert_int_equal(a_domain(), 0);
	assert_int_equal(file(), 0);
	there("e", 0755);
	there("e/ex1", 0755);
	there("e/ex1/POP", 0700);
	there("e/ex1/POP/ex1-0001", 0700);
	there("e/ex1/POP/ex1-0001/tmp", 0700);
	there("e/ex1/POP/ex1-0001/new", 0700);
	there("e/ex1/POP/ex1-0001/cur", 0700);
	there("e/ex1/DOMAINS", 0755);
	there("e/ex1/DOMAINS/a.org", 0755);
	there("e/ex1/DOMAINS/a.org/.qmail-joe:doe", 0644);
	assert_int_equal(other_file(), 0);
	there("e/ex1/DOMAINS/a.org/.qmail-joe:doe", 0744);
	assert_int_equal(dialup(), 0);
	there("a.org", 0755);
	there("a.org/Maildir", 0700);
	there("a.org/Maildir/new", 0700);
	there("a.org/RELAYHOST", 0644);
	there("a.org/.qmail-default", 0644);
	umask(mask);
	assert_int_equal(peek(), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(text, "./y/\n", 5);
	assert_int_equal(dialup_peek(), 0);
	assert_string_equal(text, "mx.org\n./Maildir/\n");
	assert_int_equal(list(), 0);
	assert_int_equal(len, sizeof ".qmail-joe:doe");
	assert_string_equal(text, ".qmail-joe:doe");
}

/* What is in the way of it stays, and is told of. */
static void in_the_way(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(file(), ENOENT); /* its directory is not made */
	assert_int_equal(peek(), ENOENT);
	assert_int_equal(adopt(), ENOENT);
	assert_int_equal(dialup_peek(), ENOENT);
	assert_int_equal(a_domain(), 0);
	assert_int_equal(peek(), ENOENT);
	assert_int_equal(adopt(), ENOENT);
	put("home/e/ex1/DOMAINS/a.org/x", "", 0644);
	assert_int_equal(domain_gone(), ENOTEMPTY);
	put("home/e/ex1/POP", "", 0644);
	assert_int_equal(box(), ENOTDIR);
	place("home/e/ex1/POP", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("DOMAINS", path), 0);
	assert_int_equal(box(), 0); /* the administrator's */
	place("home/e/ex1/DOMAINS/ex1-0001", path);
	assert_int_equal(rename(path, home) == 0, 0);
	assert_int_equal(box_gone(), 0);
	assert_int_equal(symlink("a.org", path), 0);
	assert_int_not_equal(box(), 0); /* nobody's */
	assert_int_equal(box_gone(), 0); /* the link alone */
	assert_int_not_equal(access(path, F_OK), 0);
	there("e/ex1/DOMAINS/a.org/x", 0644);
	assert_int_equal(dialup(), 0);
	put("home/a.org/Maildir/new/1", "mail\n", 0600);
	assert_int_equal(dialup_gone(), ENOTEMPTY);
	there("a.org/Maildir/new/1", 0600);
	place("home/a.org/.qmail-default", path);
	assert_int_not_equal(access(path, F_OK), 0);
	place("home/a.org/Maildir/new/1", path);
	assert_int_equal(unlink(path), 0);
	put("home/a.org/Maildir/cur/1", "mail\n", 0600);
	assert_int_equal(dialup_gone(), ENOTEMPTY);
	place("home/a.org/Maildir/cur/1", path);
	assert_int_equal(unlink(path), 0);
	put("home/a.org/Maildir/tmp/1", "half\n", 0600);
	assert_int_equal(dialup_gone(), 0);
}

static void copies(void **state)
{
	char name[40];

	(void)state;
	begin(0);
	assert_int_equal(a_domain(), 0);
	for (int i = 1; i <= 99; i++) {
		assert_int_equal(i % 2 ? file() : other_file(), 0);
		assert_int_equal(adopt(), 0);
		(void)snprintf(name, sizeof name, i > 1 ? "joe:doe.%d.by-hand"
							: "joe:doe.by-hand",
			       i);
		assert_non_null(strstr(path, name));
	}
	assert_int_equal(other_file(), 0);
	assert_int_equal(adopt(), EEXIST);
}

static void last_login(void **state)
{
	char ip[MAILROOT_IP_MAX + 1], long_ip[100];
	const time_t now = time(NULL);
	int64_t when = 0;

	(void)state;
	begin(0);
	assert_int_equal(box(), 0);
	assert_int_equal(mailroot_lastlogin(home, BOX, 0, &when, ip, path), ENOENT);
	put("home/e/ex1/POP/ex1-0001/.lastlogin", "192.0.2.7\n", 0600);
	assert_int_equal(mailroot_lastlogin(home, BOX, 0, &when, ip, path), 0);
	assert_string_equal(ip, "192.0.2.7");
	assert_in_range(when, now - 9, now + 99);
	memset(long_ip, '1', sizeof long_ip);
	long_ip[sizeof long_ip - 1] = 0;
	put("home/e/ex1/POP/ex1-0001/.lastlogin", long_ip, 0600);
	assert_int_equal(mailroot_lastlogin(home, BOX, 0, &when, ip, path), 0);
	assert_int_equal(strlen(ip), MAILROOT_IP_MAX);
	put("home/e/ex1/POP/ex1-0001/.lastlogin", "::1\033[2J", 0600);
	assert_int_equal(mailroot_lastlogin(home, BOX, 0, &when, ip, path), 0);
	assert_string_equal(ip, "::1");
	place("home/e/ex1/POP/ex1-0001/.lastlogin", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mailroot_lastlogin(home, BOX, 0, &when, ip, path), EINVAL);
}

static void regained(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(box(), 0);
	assert_int_equal(a_domain(), 0);
	for (int i = 0; i < 2; i++) {
		const char *last = i ? "home/e/ex1/DOMAINS/a.org"
				     : "home/e/ex1/POP/ex1-0001";

		place(last, path);
		assert_int_equal(chmod(path, 0055), 0);
		place("home/e/ex1", path);
		assert_int_equal(chmod(path, 01055), 0);
		mailroot_regain(home, EX1, i ? NULL : BOX, i ? DOMAIN : NULL);
		there("e/ex1", 01755);
		there(last + 5, 0755);
		place("home/e/ex1", path);
		assert_int_equal(chmod(path, 0755), 0);
	}
}

int main(void)
{
#define WITH_ROOT(sentence, function)                                          \
	{                                                                      \
		sentence, function, set_up, tear_down, NULL                    \
	}
	const struct CMUnitTest tests[] = {
		WITH_ROOT("whatever call fails, that is the answer, or all is "
			  "done; and the next time it is",
			  each),
		WITH_ROOT("each file and directory has its mode and says what it "
			  "should",
			  modes),
		WITH_ROOT("what somebody else put there stays, and is told of",
			  in_the_way),
		WITH_ROOT("no copy of a file that was made by hand is replaced",
			  copies),
		WITH_ROOT("the last login is when and from where, whatever stands "
			  "there",
			  last_login),
		WITH_ROOT("rights that their owner took from himself come back",
			  regained),
	};

	return RUN(tests);
}
