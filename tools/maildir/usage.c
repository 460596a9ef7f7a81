/* SPDX-License-Identifier: MIT */
#include "usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"

enum {
	COUNTS_MAX = 5, /* where the directories change meanwhile */
	NAMES_MAX = 10, /* tried for the new file */
};

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* What makes a count: the directories' mail, or their times alone. */
struct counting {
	struct maildirsize used;
	struct timespec newest;
	bool times_only;
};

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec
				      : a->tv_nsec > b->tv_nsec;
}

static void add(uint64_t *sum, uint64_t more)
{
	if (__builtin_add_overflow(*sum, more, sum))
		*sum = UINT64_MAX;
}

/* One that somebody fetches meanwhile is gone, that is all. */
static void count_file(int dir, const char *name, struct counting *c)
{
	uint64_t bytes;
	struct stat st;

	if (!maildirsize_of_name(name, &bytes)) {
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			return;
		bytes = (uint64_t)st.st_size;
	}
	add(&c->used.bytes, bytes);
	add(&c->used.messages, 1);
}

/* Is it the answer of a thing that is no directory, or gone? All else is for the
 * caller: nobody can tell. */
static bool is_none(int rc)
{
	return rc == ENOENT || rc == ENOTDIR || rc == ELOOP || rc == EACCES;
}

/* new or cur of a folder. */
static int count_part(int dir, const char *part, struct counting *c)
{
	const int fd = openat(dir, part, OPEN_DIR);
	const struct dirent *entry;
	struct stat st;
	DIR *list;
	int rc = 0;

	if (fd < 0)
		return is_none(errno) ? 0 : errno;
	if (fstat(fd, &st) == 0 && is_later(&st.st_mtim, &c->newest))
		c->newest = st.st_mtim;
	list = c->times_only ? NULL : fdopendir(fd);
	if (!list) {
		rc = c->times_only ? 0 : errno;
		(void)close(fd); /* a directory, read only */
		return rc;
	}
	while ((entry = dir_next(list, &rc)) != NULL) {
		if (entry->d_name[0] != '.')
			count_file(fd, entry->d_name, c);
	}
	(void)closedir(list); /* read only */
	return rc;
}

static int count_parts(int dir, struct counting *c)
{
	int rc = count_part(dir, "new", c);

	return rc == 0 ? count_part(dir, "cur", c) : rc;
}

/* A folder is a directory whose name begins with one dot. Trash does not count. */
static int count_folder(int dir, const struct dirent *entry, struct counting *c)
{
	const char *name = entry->d_name;
	int fd, rc;

	if (name[0] != '.' || name[1] == '.' || strcmp(name, ".Trash") == 0 ||
	    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
		return 0;
	fd = openat(dir, name, OPEN_DIR);
	if (fd < 0)
		return is_none(errno) ? 0 : errno;
	rc = count_parts(fd, c);
	(void)close(fd); /* a directory, read only */
	return rc;
}

static int count(int dir, struct counting *c)
{
	int rc = count_parts(dir, c), fd;
	const struct dirent *entry;
	DIR *list;

	if (rc != 0)
		return rc;
	fd = openat(dir, ".", OPEN_DIR); /* its position is its own */
	list = fd < 0 ? NULL : fdopendir(fd);
	if (!list) {
		rc = errno;
		if (fd >= 0)
			(void)close(fd); /* a directory, read only */
		return rc;
	}
	while (rc == 0 && (entry = dir_next(list, &rc)) != NULL)
		rc = count_folder(dir, entry, c);
	(void)closedir(list); /* read only */
	return rc;
}

int usage_count(int dir, struct maildirsize *ret_used)
{
	struct counting c = {.times_only = false};
	const int rc = count(dir, &c);

	*ret_used = c.used;
	return rc;
}

/* A regular file that has this name alone: a link to somebody's message is not
 * written to. */
static bool is_ours(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	       st->st_uid == geteuid();
}

static int read_file(struct usage *usage, const struct stat *st)
{
	char text[MAILDIRSIZE_MAX];
	ssize_t len;

	usage->changed = st->st_mtim;
	if (!is_ours(st))
		return 0;
	len = read(usage->fd, text, sizeof text);
	if (len < 0)
		return errno;
	usage->good = maildirsize_read(text, (size_t)len, &usage->limit,
				       &usage->used, &usage->lines) &&
		      len < MAILDIRSIZE_MAX;
	return 0;
}

int usage_open(int dir, struct usage *ret_usage)
{
	struct usage usage = {.fd = openat(dir, USAGE_FILE,
					   O_RDWR | O_APPEND | O_NOFOLLOW |
						   O_NONBLOCK | O_NOCTTY |
						   O_CLOEXEC)};
	struct stat st;
	int rc = 0;

	/* Whatever it is, another can take its place. */
	if (usage.fd < 0)
		rc = is_none(errno) || errno == EISDIR || errno == ENXIO
			     ? 0
			     : errno;
	else
		rc = fstat(usage.fd, &st) == 0 ? read_file(&usage, &st) : errno;
	if (!usage.good)
		usage_close(&usage);
	if (rc == 0)
		*ret_usage = usage;
	return rc;
}

void usage_close(struct usage *usage)
{
	if (usage->fd >= 0)
		(void)close(usage->fd); /* an append that failed was told */
	usage->fd = -1;
}

/* A new file in tmp, as every message begins: its name in ret_name. */
static int make_new(int tmp, char ret_name[64], int *ret_fd)
{
	for (int i = 0; i < NAMES_MAX; i++) {
		struct timespec now;

		(void)clock_gettime(CLOCK_REALTIME, &now); /* always there */
		(void)snprintf(ret_name, 64, "%lld.M%ldP%ldQ%d.%s",
			       (long long)now.tv_sec, now.tv_nsec / 1000,
			       (long)getpid(), i, USAGE_FILE);
		*ret_fd = openat(tmp, ret_name,
				 O_RDWR | O_APPEND | O_CREAT | O_EXCL |
					 O_NOFOLLOW | O_CLOEXEC,
				 0600);
		if (*ret_fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return errno;
}

static int write_new(int fd, const struct maildirsize *limit,
		     const struct maildirsize *used, bool durable)
{
	char text[2 * MAILDIRSIZE_LINE], *at = text;

	maildirsize_limit_text(limit, text);
	at += strlen(text);
	*at++ = '\n';
	at += maildirsize_line(used, at);
	if (write(fd, text, (size_t)(at - text)) != at - text)
		return errno ? errno : ENOSPC;
	return durable && fsync(fd) != 0 ? errno : 0;
}

/* Puts a new file in the place of what there is. */
static int replace(int dir, const struct maildirsize *limit, bool durable,
		   struct usage *usage)
{
	const int tmp = openat(dir, "tmp", OPEN_DIR);
	int fd = -1, rc = tmp < 0 ? errno : 0;
	struct stat st = {.st_nlink = 0};
	char name[64];

	if (rc == 0)
		rc = make_new(tmp, name, &fd);
	errno = 0;
	if (rc == 0)
		rc = write_new(fd, limit, &usage->used, durable);
	if (rc == 0 && (fstat(fd, &st) != 0 ||
			renameat(tmp, name, dir, USAGE_FILE) != 0))
		rc = errno;
	if (rc == 0 && durable && fsync(dir) != 0)
		rc = errno;
	if (rc != 0 && fd >= 0) {
		(void)unlinkat(tmp, name, 0); /* old ones in tmp are removed */
		(void)close(fd);
	}
	if (tmp >= 0)
		(void)close(tmp); /* a directory, read only */
	usage_close(usage);
	if (rc == 0)
		usage->fd = fd;
	usage->changed = st.st_mtim;
	return rc;
}

int usage_recount(int dir, const struct maildirsize *limit, bool durable,
		  struct usage *usage, int *ret_why)
{
	int rc = 0, why = 0;

	for (int i = 0; i < COUNTS_MAX; i++) {
		struct counting c = {.times_only = false};
		struct counting then = {.times_only = true};

		rc = count(dir, &c);
		if (rc != 0)
			break;
		usage->used = c.used;
		why = replace(dir, limit, durable, usage);
		rc = count(dir, &then);
		if (rc != 0 || !is_later(&then.newest, &c.newest))
			break;
	}
	usage->good = usage->counted = rc == 0;
	usage->limit = *limit;
	usage->lines = 1;
	if (ret_why)
		*ret_why = why;
	return rc;
}

bool usage_is_fresh(int dir, const struct usage *usage)
{
	struct counting c = {.times_only = true};
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* always there */
	if (!usage->good || usage->lines != 1 ||
	    now.tv_sec >= usage->changed.tv_sec + USAGE_FRESH ||
	    now.tv_sec < usage->changed.tv_sec)
		return false;
	return count(dir, &c) == 0 && is_later(&usage->changed, &c.newest);
}

int usage_add(struct usage *usage, const struct maildirsize *more)
{
	char line[MAILDIRSIZE_LINE];
	const size_t len = maildirsize_line(more, line);

	if (usage->fd < 0)
		return ENOENT;
	errno = 0;
	if (write(usage->fd, line, len) != (ssize_t)len)
		return errno ? errno : ENOSPC;
	add(&usage->used.bytes, more->bytes);
	add(&usage->used.messages, more->messages);
	return 0;
}
