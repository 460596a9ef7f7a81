/* SPDX-License-Identifier: MIT */
/* mailroot_tree.c: a directory goes with all that is in it, whatever popusr's
 * other processes made there: as deep as they like, without the right to read or
 * write it, and more of it meanwhile.
 *
 * Two descriptors do for any depth: what a directory below the top has of
 * directories is moved up into the top, then it is empty and goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "mailroot_private.h"

/* Seconds; more is left to the next time, so that nobody who makes files as fast
 * as they go keeps everybody else waiting. */
#ifndef MAILROOT_TREE_LIMIT
#define MAILROOT_TREE_LIMIT 60
#endif

struct tree {
	int top;
	time_t end;
	unsigned long moved;
	unsigned long found; /* in this pass */
};

static time_t now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time); /* always there */
	return time.tv_sec;
}

/* The directory itself, never what a link in its place leads to; with the rights
 * that its owner took from himself. NULL: errno. */
static DIR *open_own(int dir, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(dir, name, flags), rc;
	struct stat st;
	DIR *list = NULL;

	if (fd < 0 && errno == EACCES &&
	    fchmodat(dir, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(dir, name, flags);
	if (fd >= 0 && fstat(fd, &st) == 0 &&
	    ((st.st_mode & 0700) == 0700 || fchmod(fd, 0700) == 0))
		list = fdopendir(fd);
	rc = errno;
	if (!list && fd >= 0)
		(void)close(fd); /* a directory, read only */
	errno = rc;
	return list;
}

/* Up into the top, under a name that nothing has there. */
static int move_up(struct tree *tree, int dir, const char *name)
{
	char fresh[48];
	int rc;

	do {
		(void)snprintf(fresh, sizeof fresh, "popbox-gone-%lu",
			       tree->moved++);
		rc = renameat(dir, name, tree->top, fresh) == 0 ? 0 : errno;
		/* It has a name for the directory above it, to be changed. */
		if (rc == EACCES && fchmodat(dir, name, 0700,
					     AT_SYMLINK_NOFOLLOW) == 0)
			rc = renameat(dir, name, tree->top, fresh) == 0
				     ? 0
				     : errno;
	} while ((rc == EEXIST || rc == ENOTEMPTY || rc == ENOTDIR) &&
		 now() < tree->end);
	return rc == ENOENT ? 0 : rc;
}

typedef int on_directory(struct tree *tree, int dir, const char *name);

/* All in a directory: what is none goes, what is one is for the caller. */
static int each(struct tree *tree, DIR *list, on_directory *below)
{
	const struct dirent *entry;
	int rc = 0;

	while (rc == 0 && (entry = dir_next(list, &rc)) != NULL) {
		tree->found++;
		if (now() >= tree->end)
			rc = ETIMEDOUT;
		else if (unlinkat(dirfd(list), entry->d_name, 0) != 0 &&
			 errno != ENOENT)
			rc = errno == EISDIR ? below(tree, dirfd(list),
						     entry->d_name)
					     : errno;
	}
	return rc;
}

static int empty(struct tree *tree, int dir, const char *name)
{
	DIR *list = open_own(dir, name);
	int rc;

	if (!list)
		return errno == ENOENT ? 0 : errno;
	rc = each(tree, list, move_up);
	(void)closedir(list); /* read only */
	if (rc == 0 && unlinkat(dir, name, AT_REMOVEDIR) != 0 &&
	    errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
		rc = errno;
	return rc;
}

int mailroot_remove_tree(int dir, const char *name)
{
	struct tree tree = {.end = now() + MAILROOT_TREE_LIMIT};
	DIR *list;
	int rc;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return errno;
	list = open_own(dir, name);
	if (!list)
		return errno;
	tree.top = dirfd(list);
	/* What was moved up during a pass may be in the next one alone. */
	do {
		tree.found = 0;
		rewinddir(list);
		rc = each(&tree, list, empty);
		if (rc == 0 && unlinkat(dir, name, AT_REMOVEDIR) != 0)
			rc = errno == EEXIST ? ENOTEMPTY : errno;
	} while (rc == ENOTEMPTY && now() < tree.end);
	(void)closedir(list); /* read only */
	return rc == ENOENT ? 0 : rc == ENOTEMPTY ? ETIMEDOUT : rc;
}
