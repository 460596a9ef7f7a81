/* SPDX-License-Identifier: MIT */
#include "mail_roots.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mountpoint.h"
#include "base/replace.h"
#include "base/say.h"
#include "site.h"

/* Whoever could rename the root could put another in its place. */
static int judge_parent(const char *path)
{
	char parent[PATH_MAX];
	struct stat st;

	(void)snprintf(parent, sizeof parent, "%s", path);
	*strrchr(parent, '/') = 0; /* the setting is absolute */
	if (stat(parent[0] ? parent : "/", &st) != 0)
		return say_error(CODE_REFUSED, "cannot access '%s': %s",
				 parent, strerror(errno));
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    ((st.st_mode & 022) && !(st.st_mode & S_ISVTX)))
		return say_error(CODE_REFUSED,
				 "'%s' could be replaced by others than root: "
				 "they may write to '%s' (chown it to root and "
				 "chmod go-w it)",
				 path, parent);
	return CODE_DONE;
}

static int give(const char *path, const struct config *config)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int code = CODE_DONE;

	if (fd < 0 || fchown(fd, config->uid, config->gid) != 0 ||
	    fchmod(fd, 0755) != 0 || fsync(fd) != 0)
		code = say_error(CODE_LATER, "cannot give '%s' to popusr: %s",
				 path, strerror(errno));
	if (fd >= 0)
		(void)close(fd); /* a directory, read only */
	return code;
}

/* A file system that was made and mounted for this belongs to root, and has
 * nothing in it yet. */
static bool is_new_disk(const char *path)
{
	static const char *const none[] = {NULL};
	bool empty = false;

	return mountpoint_is(path) &&
	       mountpoint_is_empty(path, none, &empty) == 0 && empty;
}

/* One of the two roots: made for popusr, or popusr's already. */
static int find_root(const char *path, const struct config *config)
{
	int code = judge_parent(path);
	struct stat st;

	if (code != CODE_DONE)
		return code;
	if (mkdir(path, 0755) == 0)
		return give(path, config);
	if (errno != EEXIST)
		return say_error(CODE_REFUSED, "cannot make '%s': %s%s", path,
				 strerror(errno), site_as_root(errno));
	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return say_error(CODE_REFUSED, "'%s' is not a directory "
					       "(choose another with --home "
					       "or --serialmail)",
				 path);
	if (st.st_uid != config->uid && is_new_disk(path))
		return give(path, config);
	if (st.st_uid != config->uid || (st.st_mode & 022))
		return say_error(CODE_REFUSED,
				 "'%s' belongs to uid %u with mode %04o, not to "
				 "popusr (uid %u) alone (chown and chmod it, "
				 "or choose another directory)",
				 path, st.st_uid, st.st_mode & 07777,
				 config->uid);
	return CODE_DONE;
}

/* Its name is on the disk as well: what comes into it is promised to stay. */
static int make_root(const char *path, const struct config *config)
{
	int code = find_root(path, config);
	int rc = code == CODE_DONE ? replace_sync_parent(path) : 0;

	return rc == 0 ? code
		       : say_error(CODE_LATER, "cannot sync '%s': %s", path,
				   strerror(rc));
}

int mail_roots_make(const struct config *config)
{
	int code = make_root(config->home, config);

	return code == CODE_DONE ? make_root(config->serialmail, config) : code;
}
