/* SPDX-License-Identifier: MIT */
#include "safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

struct walk {
	int fd; /* where we are */
	char rest[PATH_MAX];
	unsigned links;
};

static bool is_ours(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) &&
	       (!S_ISDIR(st->st_mode) || !(st->st_mode & 022) ||
		(st->st_mode & S_ISVTX));
}

static void go_to(struct walk *walk, int fd)
{
	int saved = errno;

	if (walk->fd >= 0)
		(void)close(walk->fd); /* a path, read only */
	walk->fd = fd;
	errno = saved;
}

/* Puts where a link leads before what is left. */
static bool follow(struct walk *walk, int link)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t len = readlinkat(link, "", target, sizeof target - 1);
	int whole;

	if (len <= 0)
		return false;
	target[len] = 0;
	memcpy(rest, walk->rest, sizeof rest);
	whole = snprintf(walk->rest, sizeof walk->rest, "%s/%s", target, rest);
	errno = ENAMETOOLONG;
	if (whole < 0 || (size_t)whole >= sizeof walk->rest)
		return false;
	errno = ELOOP;
	if (++walk->links > LINKS_MAX)
		return false;
	if (target[0] == '/')
		go_to(walk, open("/", O_PATH | O_CLOEXEC));
	return walk->fd >= 0;
}

/* One name further. */
static bool step(struct walk *walk, const char *name)
{
	int fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	bool good;
	int saved;

	if (fd < 0)
		return false;
	good = fstat(fd, &st) == 0;
	if (good && !is_ours(&st)) {
		errno = EPERM;
		good = false;
	}
	if (good && !S_ISLNK(st.st_mode)) {
		go_to(walk, fd);
		return true;
	}
	good = good && follow(walk, fd);
	saved = errno;
	(void)close(fd); /* a path, read only */
	errno = saved;
	return good;
}

/* From the root on, since what is above the working directory counts too. */
static bool start(struct walk *walk, const char *dir)
{
	char here[PATH_MAX] = "";
	int len;

	if (dir[0] != '/' && !getcwd(here, sizeof here))
		return false;
	len = snprintf(walk->rest, sizeof walk->rest, "%s/%s", here, dir);
	errno = ENAMETOOLONG;
	if (len < 0 || (size_t)len >= sizeof walk->rest)
		return false;
	walk->fd = open("/", O_PATH | O_CLOEXEC);
	return walk->fd >= 0;
}

int safe_open_dir(const char *dir)
{
	struct walk walk = {.fd = -1};
	bool good = start(&walk, dir);

	while (good && walk.rest[0]) {
		char name[NAME_MAX + 1];
		size_t len = strcspn(walk.rest, "/");
		size_t next = len + strspn(walk.rest + len, "/");

		errno = ENAMETOOLONG;
		good = len <= NAME_MAX;
		if (!good)
			break;
		memcpy(name, walk.rest, len);
		name[len] = 0;
		memmove(walk.rest, walk.rest + next, strlen(walk.rest + next) + 1);
		good = !len || step(&walk, name);
	}
	go_to(&walk, good ? openat(walk.fd, ".", O_RDONLY | O_DIRECTORY |
						       O_CLOEXEC)
			 : -1);
	return walk.fd;
}

int safe_open_below(const char *top, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (unsigned)(flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK |
				    O_NOCTTY),
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	const size_t len = strlen(top);
	int dir = AT_FDCWD, fd, saved;

	if (len && strncmp(path, top, len) != 0) {
		errno = EINVAL;
		return -1;
	}
	if (len) {
		dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return -1;
		path += len;
		path += strspn(path, "/");
	}
	fd = (int)syscall(SYS_openat2, dir, *path ? path : ".", &how,
			  sizeof how);
	saved = errno;
	if (len)
		(void)close(dir); /* a directory, read only */
	errno = saved;
	return fd;
}
