/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/mountpoint.h"
#include "base/replace.h"
#include "base/say.h"
#include "store/store_whole.h"

enum { WAIT_MS = 10000 };

static int failed(const char *verb, const char *path)
{
	return say_error(CODE_LATER, "cannot %s '%s': %s", verb, path,
			 strerror(errno));
}

/* stage_look has seen to it that there is room. */
static void join(const char *dir, const char *name, char ret_path[PATH_MAX])
{
	int len = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);

	if (len < 0 || len >= PATH_MAX)
		ret_path[0] = 0;
}

static bool has(const char *dir, const char *name)
{
	char path[PATH_MAX];

	join(dir, name, path);
	return access(path, F_OK) == 0;
}

static int judge_place(struct stage *stage)
{
	DIR *dir = opendir(stage->place);
	bool empty;
	int rc;

	if (!dir)
		return errno == ENOENT ? CODE_DONE
				       : failed("use", stage->place);
	empty = dir_is_empty(dir, &rc);
	(void)closedir(dir); /* read only */
	if (rc)
		return say_error(CODE_LATER, "cannot list '%s': %s",
				 stage->place, strerror(rc));
	stage->there =
		has(stage->place, "data.mdb") || has(stage->place, "config");
	if (empty || stage->there)
		return CODE_DONE;
	return say_error(CODE_REFUSED,
			 "'%s' is neither empty nor a store's: nothing was "
			 "changed",
			 stage->place);
}

int stage_look(const char *dir, struct stage *ret_draft)
{
	struct stage stage = {
		.dir = -1, .lock = -1, .old_lock = -1, .gate = -1};
	size_t len = strlen(dir);
	int code, n;

	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (mountpoint_is(dir))
		return say_error(CODE_REFUSED,
				 "'%s' is a mount point, which cannot be "
				 "exchanged for another directory: nothing was "
				 "changed (restore with -d into a directory "
				 "below it, or mount the disk one level higher)",
				 dir);
	if (!realpath(dir, stage.place)) {
		if (errno != ENOENT)
			return failed("use", dir);
		n = snprintf(stage.place, sizeof stage.place, "%.*s", (int)len,
			     dir);
		if (n < 0 || (size_t)n >= sizeof stage.place)
			return say_error(CODE_REFUSED, "'%s' is too long", dir);
	}
	n = snprintf(stage.path, sizeof stage.path, "%s.popbox-restore",
		     stage.place);
	/* What is kept has a longer name. */
	if (n < 0 || (size_t)n + 32 >= sizeof stage.path)
		return say_error(CODE_REFUSED, "'%s' is too long", dir);
	code = judge_place(&stage);
	if (code == CODE_DONE)
		*ret_draft = stage;
	return code;
}

static const char *const files[] = {
	"config", "config.popbox-tmp", "data.mdb", "lock.mdb", "source",
	"publish.lock",
};

static void empty(const struct stage *stage, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)unlinkat(stage->dir, files[i], 0); /* rmdir tells */
}

/* Is the publish.lock that we have a lock on still that of the directory? */
static bool has_name(int lock, const char *dir)
{
	struct stat ours, named;
	char path[PATH_MAX];

	join(dir, "publish.lock", path);
	return fstat(lock, &ours) == 0 && stat(path, &named) == 0 &&
	       ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

static bool is_ours(const struct stage *stage)
{
	struct stat dir;

	return has_name(stage->lock, stage->path) &&
	       fstat(stage->dir, &dir) == 0 && dir.st_uid == geteuid() &&
	       !(dir.st_mode & 077);
}

/* Nothing was written to it. */
static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

int stage_start(struct stage *stage)
{
	if (mkdir(stage->path, 0700) != 0 && errno != EEXIST)
		return failed("make", stage->path);
	stage->dir = open(stage->path,
			  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (stage->dir >= 0)
		stage->lock =
			openat(stage->dir, "publish.lock",
			       O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (stage->lock < 0)
		return failed("use", stage->path);
	if (flock(stage->lock, LOCK_EX | LOCK_NB) != 0 || !is_ours(stage)) {
		close_fd(&stage->lock);
		return say_error(CODE_LATER,
				 "'%s' is in use: another popbox restores, or "
				 "it is not ours",
				 stage->path);
	}
	empty(stage, sizeof files / sizeof *files - 1); /* but the lock */
	return CODE_DONE;
}

int stage_file(const struct stage *stage, const char *name, int *ret_fd)
{
	int fd = openat(stage->dir, name,
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);

	if (fd < 0)
		return failed("write below", stage->path);
	/* The directory keeps everybody out; who is handed a descriptor may
	 * read through it. */
	if (fchmod(fd, 0644) != 0) {
		(void)close(fd); /* nothing was written to it */
		return failed("write below", stage->path);
	}
	*ret_fd = fd;
	return CODE_DONE;
}

static int wait_publishers(struct stage *stage)
{
	const struct timespec step = {.tv_nsec = 10000000};
	char path[PATH_MAX];

	join(stage->place, "publish.lock", path);
	stage->old_lock =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (stage->old_lock < 0)
		return failed("open", path);
	for (int waited = 0; waited < WAIT_MS; waited += 10) {
		if (flock(stage->old_lock, LOCK_EX | LOCK_NB) == 0)
			return CODE_DONE;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return failed("lock", path);
		(void)nanosleep(&step, NULL); /* cut short: asks sooner */
	}
	return say_error(CODE_LATER, "another popbox publishes: nothing was "
				     "changed (try again)");
}

/* The stage takes the name under which the old store will be kept, and then the
 * two change places: at every moment there is one store, or the other, and a
 * killed run leaves both. */
static int exchange(struct stage *stage)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm = {0};
	int rc = -1;

	(void)gmtime_r(&now, &tm); /* a year that fits, of our own clock */
	(void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 0; rc != 0 && i < 100; i++) {
		(void)snprintf(stage->kept, sizeof stage->kept,
			       i ? "%s.before-%s-%d" : "%s.before-%s",
			       stage->place, stamp, i); /* see stage_look */
		rc = renameat2(AT_FDCWD, stage->path, AT_FDCWD, stage->kept,
			       RENAME_NOREPLACE);
		if (rc != 0 && errno != EEXIST)
			break;
	}
	if (rc == 0 && renameat2(AT_FDCWD, stage->kept, AT_FDCWD, stage->place,
				 RENAME_EXCHANGE) == 0)
		return CODE_DONE;
	say_error(0,
		  "cannot put the store into '%s': %s (where it is a mount "
		  "point, or its file system cannot exchange directories, "
		  "stop logins, move it away and restore again)",
		  stage->place, strerror(errno));
	if (rc == 0)
		(void)rename(stage->kept, stage->path); /* stage_end looks */
	stage->kept[0] = 0;
	return CODE_LATER;
}

static int sync_parent(const struct stage *stage)
{
	errno = replace_sync_parent(stage->place);
	return errno == 0 ? CODE_DONE
			  : failed("sync the directory of", stage->place);
}

static int busy(void)
{
	return say_error(CODE_LATER, "another popbox holds the store: "
				     "nothing was changed (try again)");
}

int stage_hold(struct stage *stage)
{
	int code = CODE_DONE;
	enum err err;

	if (!stage->there)
		return CODE_DONE;
	code = wait_publishers(stage);
	if (code != CODE_DONE)
		return code;
	err = store_gate(stage->place, &stage->gate);
	if (err == ERR_BUSY)
		return busy();
	if (err != ERR_OK)
		return failed("lock", stage->place);
	/* Another restore may have put its store here while we waited. */
	return has_name(stage->old_lock, stage->place) ? CODE_DONE : busy();
}

int stage_put(struct stage *stage)
{
	int code = CODE_DONE;

	if (fsync(stage->dir) != 0)
		return failed("sync", stage->path);
	if (stage->there)
		code = exchange(stage);
	/* Takes the place of an empty directory, of nothing else. */
	else if (rename(stage->path, stage->place) != 0)
		code = failed("make", stage->place);
	if (code != CODE_DONE)
		return code;
	stage->path[0] = 0;
	/* Whoever waits at either finds the store replaced. */
	close_fd(&stage->gate);
	close_fd(&stage->lock); /* it is the store's publish.lock now */
	return sync_parent(stage);
}

void stage_end(struct stage *stage)
{
	if (stage->path[0] && stage->lock >= 0) {
		empty(stage, sizeof files / sizeof *files);
		(void)rmdir(stage->path); /* the next one uses it */
	}
	close_fd(&stage->gate);
	close_fd(&stage->lock);
	close_fd(&stage->dir);
	close_fd(&stage->old_lock);
}
