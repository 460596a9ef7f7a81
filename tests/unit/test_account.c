/* SPDX-License-Identifier: MIT */
/* Whose mail a local part is, beside users and directories of this test's own:
 * what the system says of both is said here. */
#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qmail/account.h"
#include "unit.h"

enum { JOE = 1000, MOE, QMAILP = 77, NOBODYS = 1 };

static struct passwd users[8];
static size_t user_count;
static int user_errno; /* instead of any user; 0: none */

static struct place {
	const char *path; /* NULL: the last */
	uid_t uid;
	gid_t gid;
	mode_t mode;
	int error;
} places[8];

static uid_t me;

static void user(const char *name, uid_t uid, const char *home)
{
	users[user_count++] = (struct passwd){.pw_name = (char *)(uintptr_t)name,
					      .pw_dir = (char *)(uintptr_t)home,
					      .pw_uid = uid,
					      .pw_gid = uid};
}

struct passwd *getpwnam(const char *name)
{
	if (user_errno) {
		errno = user_errno;
		return NULL;
	}
	for (size_t i = 0; i < user_count; i++) {
		if (strcmp(users[i].pw_name, name) == 0)
			return &users[i];
	}
	return NULL;
}

uid_t geteuid(void)
{
	return me;
}

int stat(const char *path, struct stat *ret_st)
{
	for (const struct place *at = places; at->path; at++) {
		if (strcmp(at->path, path) != 0)
			continue;
		errno = at->error;
		*ret_st = (struct stat){.st_uid = at->uid,
					.st_gid = at->gid,
					.st_mode = at->mode};
		return at->error ? -1 : 0;
	}
	errno = ENOENT;
	return -1;
}

/* Joe with a home of his own, who is reached; and alias. */
static int start(void **state)
{
	(void)state;
	user_count = 0;
	user_errno = 0;
	me = 0;
	memset(users, 0, sizeof users);
	memset(places, 0, sizeof places);
	user("joe", JOE, "/h/joe");
	user("alias", 3, "/alias");
	user("qmailp", QMAILP, "/");
	places[0] = (struct place){"/h/joe", JOE, JOE, 0700, 0};
	places[1] = (struct place){"/", NOBODYS, NOBODYS, 0711, 0};
	places[2] = (struct place){"/h/", NOBODYS, NOBODYS, 0711, 0};
	return 0;
}

static void is_joe(const char *local, const char *dash, const char *ext)
{
	struct route_user found;

	assert_int_equal(account_find(local, &found), ACCOUNT_USER);
	assert_string_equal(found.field[ROUTE_USER], "joe");
	assert_string_equal(found.field[ROUTE_UID], "1000");
	assert_string_equal(found.field[ROUTE_GID], "1000");
	assert_string_equal(found.field[ROUTE_HOME], "/h/joe");
	assert_string_equal(found.field[ROUTE_DASH], dash);
	assert_string_equal(found.field[ROUTE_EXT], ext);
}

static void is_alias(const char *local)
{
	struct route_user found;

	assert_int_equal(account_find(local, &found), ACCOUNT_ALIAS);
	assert_string_equal(found.field[ROUTE_USER], "alias");
	assert_string_equal(found.field[ROUTE_DASH], "-");
	assert_string_equal(found.field[ROUTE_EXT], local);
}

static enum account answer(const char *local)
{
	struct route_user found;

	return account_find(local, &found);
}

static void names(void **state)
{
	(void)state;
	is_joe("joe", "", "");
	is_joe("JOE", "", "");
	is_joe("joe-", "-", "");
	is_joe("joe-Lists-a", "-", "Lists-a");
	is_alias("joes");
	is_alias("jo");
	is_alias("");
	is_alias("-joe");
	user("joe-z", MOE, "/h/moe");
	places[3] = (struct place){"/h/moe", MOE, MOE, 0700, 0};
	is_joe("joe-a", "-", "a");
	assert_int_equal(answer("JOE-Z"), ACCOUNT_USER);
	is_joe("joe-zz", "-", "zz"); /* and not of joe-z */
	user("{@[", MOE, "/h/moe");  /* beside the letters */
	assert_int_equal(answer("{@["), ACCOUNT_USER);
	is_alias("[@{");
}

/* 31 characters at most, of a longer one its shorter parts. */
static void lengths(void **state)
{
	static const char longest[] = "abcdefghijklmnopqrstuvwxyz-1234";
	char longer[80];

	(void)state;
	assert_int_equal(sizeof longest - 1, 31);
	user(longest, JOE, "/h/joe");
	assert_int_equal(answer(longest), ACCOUNT_USER);
	(void)snprintf(longer, sizeof longer, "%s5", longest);
	user(longer, JOE, "/h/joe");
	is_alias(longer);
	is_joe("joe-abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "-",
	       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
}

/* Root, and whoever does not own his home. */
static void owners(void **state)
{
	(void)state;
	user("toor", 0, "/h/joe");
	user("moe", MOE, "/h/joe");
	places[3] = (struct place){"/r", 0, 0, 0755, 0};
	user("root", 0, "/r");
	is_alias("toor");
	is_alias("moe");
	is_alias("root-a");
}

static void homes(void **state)
{
	static const struct {
		int error;
		enum account answer;
	} rows[] = {
		{ENOENT, ACCOUNT_ALIAS},   {EACCES, ACCOUNT_ALIAS},
		{ENOTDIR, ACCOUNT_ALIAS},  {EPERM, ACCOUNT_ALIAS},
		{EINTR, ACCOUNT_WAITS},	   {ETXTBSY, ACCOUNT_WAITS},
		{EIO, ACCOUNT_WAITS},	   {ETIMEDOUT, ACCOUNT_WAITS},
		{EAGAIN, ACCOUNT_WAITS},   {EDEADLK, ACCOUNT_WAITS},
		{EBUSY, ACCOUNT_WAITS},	   {ESTALE, ACCOUNT_WAITS},
		{ENOMEM, ACCOUNT_LATER},   {EMFILE, ACCOUNT_LATER},
		{ENFILE, ACCOUNT_LATER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		places[0].error = rows[i].error;
		assert_int_equal(answer("joe"), rows[i].answer);
		assert_int_equal(answer("joe-x"), rows[i].answer);
	}
}

/* Where qmail-getpw, which is qmailp, cannot come as far as the home, that user is
 * none: as owner, as group, or as another. */
static void reached(void **state)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t mode;
		bool is;
	} rows[] = {
		{QMAILP, QMAILP, 0100, true}, {QMAILP, QMAILP, 0077, false},
		{NOBODYS, QMAILP, 0010, true}, {NOBODYS, QMAILP, 0707, false},
		{NOBODYS, NOBODYS, 0001, true}, {NOBODYS, NOBODYS, 0770, false},
		{NOBODYS, NOBODYS, 0776, false},
	};

	(void)state;
	for (size_t at = 1; at <= 2; at++) { /* either directory on the way */
		for (size_t i = 0; i < COUNT(rows); i++) {
			const struct place before = places[at];

			places[at].uid = rows[i].uid;
			places[at].gid = rows[i].gid;
			places[at].mode = rows[i].mode;
			if (rows[i].is)
				is_joe("joe", "", "");
			else
				is_alias("joe");
			places[at] = before;
		}
	}
	places[2].mode = 0;
	is_alias("joe");
	places[2].error = EIO; /* the home itself says why */
	is_joe("joe", "", "");
	places[2].error = 0;
	me = JOE; /* nobody but root can tell for another */
	is_joe("joe", "", "");
	me = 0;
	user_count--; /* without a qmailp there is nothing to ask */
	is_joe("joe", "", "");
}

static void nobody(void **state)
{
	(void)state;
	user_errno = ENOMEM;
	assert_int_equal(answer("joe"), ACCOUNT_LATER);
	user_errno = EMFILE;
	assert_int_equal(answer(""), ACCOUNT_LATER);
	user_errno = ENOENT;
	assert_int_equal(answer("joe"), ACCOUNT_NONE);
	errno = ENOMEM; /* of an earlier call */
	user_errno = 0;
	user_count = 0;
	assert_int_equal(answer("joe"), ACCOUNT_NONE);
}

#define ANEW(sentence, function)                                              \
	{                                                                     \
		sentence, function, start, NULL, NULL                         \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ANEW("the user of the name in lower case, then of each part of it "
		     "up to a hyphen, then alias",
		     names),
		ANEW("a name of more than 31 characters is nobody's", lengths),
		ANEW("root and whoever does not own his home get no mail", owners),
		ANEW("a home that cannot be looked at: gone, later, or for lack of "
		     "memory",
		     homes),
		ANEW("a home that qmailp cannot reach is none", reached),
		ANEW("without a user alias nobody gets it; where users cannot be "
		     "told, that is said",
		     nobody),
	};

	return RUN(tests);
}
