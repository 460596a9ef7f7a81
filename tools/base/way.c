#include "way.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

struct way {
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

static void go_to(struct way *way, int fd)
{
	int saved = errno;

	if (way->fd >= 0)
		(void)close(way->fd); /* a path, read only */
	way->fd = fd;
	errno = saved;
}

/* Puts where a link leads before what is left. */
static bool follow(struct way *way, int link)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t len = readlinkat(link, "", target, sizeof target - 1);
	int whole;

	if (len <= 0)
		return false;
	target[len] = 0;
	memcpy(rest, way->rest, sizeof rest);
	whole = snprintf(way->rest, sizeof way->rest, "%s/%s", target, rest);
	errno = ENAMETOOLONG;
	if (whole < 0 || (size_t)whole >= sizeof way->rest)
		return false;
	errno = ELOOP;
	if (++way->links > LINKS_MAX)
		return false;
	if (target[0] == '/')
		go_to(way, open("/", O_PATH | O_CLOEXEC));
	return way->fd >= 0;
}

/* One name further. */
static bool step(struct way *way, const char *name)
{
	int fd = openat(way->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
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
		go_to(way, fd);
		return true;
	}
	good = good && follow(way, fd);
	saved = errno;
	(void)close(fd); /* a path, read only */
	errno = saved;
	return good;
}

/* From the root on, since what is above the working directory counts too. */
static bool start(struct way *way, const char *dir)
{
	char here[PATH_MAX] = "";
	int len;

	if (dir[0] != '/' && !getcwd(here, sizeof here))
		return false;
	len = snprintf(way->rest, sizeof way->rest, "%s/%s", here, dir);
	errno = ENAMETOOLONG;
	if (len < 0 || (size_t)len >= sizeof way->rest)
		return false;
	way->fd = open("/", O_PATH | O_CLOEXEC);
	return way->fd >= 0;
}

int way_open(const char *dir)
{
	struct way way = {.fd = -1};
	bool good = start(&way, dir);

	while (good && way.rest[0]) {
		char name[NAME_MAX + 1];
		size_t len = strcspn(way.rest, "/");
		size_t next = len + strspn(way.rest + len, "/");

		errno = ENAMETOOLONG;
		good = len <= NAME_MAX;
		if (!good)
			break;
		memcpy(name, way.rest, len);
		name[len] = 0;
		memmove(way.rest, way.rest + next, strlen(way.rest + next) + 1);
		good = !len || step(&way, name);
	}
	go_to(&way, good ? openat(way.fd, ".", O_RDONLY | O_DIRECTORY |
						       O_CLOEXEC)
			 : -1);
	return way.fd;
}
