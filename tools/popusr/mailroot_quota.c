/* SPDX-License-Identifier: MIT */
/* mailroot_quota.c: the file maildirsize of a box. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "maildir/usage.h"
#include "mailroot_private.h"
#include "store/path.h"

static int open_box(const char *home, const struct name_box *box, int *ret_dir,
		    char ret_path[PATH_MAX])
{
	path_box(home, box, ret_path);
	*ret_dir = open(ret_path,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	mailroot_add_name(ret_path, USAGE_FILE);
	return *ret_dir < 0 ? errno : 0;
}

static int recount(int dir, const struct maildirsize *limit, bool durable)
{
	struct usage usage = {.fd = -1};
	int why = 0, rc = usage_recount(dir, limit, durable, &usage, &why);

	usage_close(&usage);
	return rc ? rc : why;
}

static int set_limit(int dir, const char *text, bool durable)
{
	struct maildirsize limit;
	struct usage usage;
	int rc;

	if (!maildirsize_limit_read(text, strlen(text), &limit))
		return EINVAL;
	rc = usage_open(dir, &usage);
	if (rc != 0)
		return rc;
	usage_close(&usage);
	if (usage.good && usage.limit.bytes == limit.bytes &&
	    usage.limit.messages == limit.messages)
		return durable && fsync(dir) != 0 ? errno : 0;
	rc = recount(dir, &limit, durable);
	/* A directory that a customer's program made there. */
	if (rc == EISDIR)
		rc = mailroot_remove_tree(dir, USAGE_FILE);
	else
		return rc;
	return rc == 0 ? recount(dir, &limit, durable) : rc;
}

static int unset(int dir, bool durable)
{
	if (unlinkat(dir, USAGE_FILE, 0) != 0 && errno != ENOENT &&
	    errno != EISDIR)
		return errno;
	return durable && fsync(dir) != 0 ? errno : 0;
}

int mailroot_quota(const char *home, const struct name_box *box,
		   const char *limit, bool durable, char ret_path[PATH_MAX])
{
	int dir, rc = open_box(home, box, &dir, ret_path);

	if (rc != 0)
		return rc;
	rc = limit[0] ? set_limit(dir, limit, durable) : unset(dir, durable);
	(void)close(dir); /* a directory, read only */
	return rc;
}

int mailroot_usage(const char *home, const struct name_box *box, bool count,
		   struct maildirsize *ret_used, char ret_path[PATH_MAX])
{
	int dir, rc = open_box(home, box, &dir, ret_path);
	struct usage usage;

	if (rc != 0)
		return rc;
	rc = usage_open(dir, &usage);
	if (rc == 0 &&
	    (!usage.good || (count && !usage_is_fresh(dir, &usage))))
		rc = usage_count(dir, &usage.used);
	if (rc == 0) {
		usage_close(&usage);
		*ret_used = usage.used;
	}
	(void)close(dir); /* a directory, read only */
	return rc;
}
