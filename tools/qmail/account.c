/* SPDX-License-Identifier: MIT */
#include "account.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/resource_error.h"

enum { NAME_ROOM = 32 }; /* qmail-getpw looks up no longer name */

/* Errors that qmail takes for temporary, but for those of resource_error.h, of
 * which we ask first. */
static bool is_temporary(int number)
{
	return number == EINTR || number == ETXTBSY || number == EIO ||
	       number == ETIMEDOUT || number == EAGAIN || number == EDEADLK ||
	       number == EBUSY || number == ESTALE;
}

static void fill(struct route_user *user, const struct passwd *pw,
		 const char *dash, const char *ext)
{
	*user = (struct route_user){0};
	(void)snprintf(user->field[ROUTE_USER], ROUTE_FIELD_MAX, "%s",
		       pw->pw_name);
	(void)snprintf(user->field[ROUTE_UID], ROUTE_FIELD_MAX, "%u",
		       pw->pw_uid);
	(void)snprintf(user->field[ROUTE_GID], ROUTE_FIELD_MAX, "%u",
		       pw->pw_gid);
	(void)snprintf(user->field[ROUTE_HOME], ROUTE_FIELD_MAX, "%s",
		       pw->pw_dir);
	(void)snprintf(user->field[ROUTE_DASH], ROUTE_FIELD_MAX, "%s", dash);
	(void)snprintf(user->field[ROUTE_EXT], ROUTE_FIELD_MAX, "%s", ext);
}

/* Can qmail-getpw, which runs as qmailp, come as far as the home? */
static bool is_reached(const char *home)
{
	const struct passwd *pw = getpwnam("qmailp");
	char path[PATH_MAX];
	struct stat st;
	int shift;

	for (const char *at = strchr(home, '/'); pw && geteuid() == 0 && at;
	     at = strchr(at + 1, '/')) {
		(void)snprintf(path, sizeof path, "%.*s/", (int)(at - home),
			       home);
		if (stat(path, &st) != 0)
			return true; /* the home itself says why */
		shift = st.st_uid == pw->pw_uid   ? 6
			: st.st_gid == pw->pw_gid ? 3
						  : 0;
		if (!((st.st_mode >> shift) & S_IXOTH))
			return false;
	}
	return true;
}

/* Root, and a user who does not own his home, get no mail. NONE: go on. */
static enum account judge(const struct passwd *pw)
{
	struct stat st;

	if (!pw)
		return resource_error(errno) ? ACCOUNT_LATER : ACCOUNT_NONE;
	if (pw->pw_uid == 0)
		return ACCOUNT_NONE;
	if (stat(pw->pw_dir, &st) != 0) {
		if (resource_error(errno))
			return ACCOUNT_LATER;
		return is_temporary(errno) ? ACCOUNT_WAITS : ACCOUNT_NONE;
	}
	return st.st_uid == pw->pw_uid ? ACCOUNT_USER : ACCOUNT_NONE;
}

/* The user whose name is the first len bytes, in lower case. */
static enum account try_name(const char *local, size_t len,
			     struct route_user *user)
{
	const bool whole = local[len] == 0;
	const struct passwd *pw;
	char name[NAME_ROOM];
	enum account found;

	for (size_t i = 0; i < len; i++)
		name[i] = local[i] >= 'A' && local[i] <= 'Z'
				  ? (char)(local[i] + 32)
				  : local[i];
	name[len] = 0;
	errno = 0;
	pw = getpwnam(name);
	found = judge(pw);
	if (found != ACCOUNT_USER)
		return found;
	fill(user, pw, whole ? "" : "-", whole ? "" : local + len + 1);
	return is_reached(user->field[ROUTE_HOME]) ? found : ACCOUNT_NONE;
}

enum account account_find(const char *local, struct route_user *ret_user)
{
	const struct passwd *pw;

	for (size_t len = strlen(local) + 1; len-- > 0;) {
		enum account found;

		if (len >= NAME_ROOM || (local[len] && local[len] != '-'))
			continue;
		found = try_name(local, len, ret_user);
		if (found != ACCOUNT_NONE)
			return found;
	}
	errno = 0;
	pw = getpwnam("alias");
	if (!pw)
		return resource_error(errno) ? ACCOUNT_LATER : ACCOUNT_NONE;
	fill(ret_user, pw, "-", local);
	return ACCOUNT_ALIAS;
}
