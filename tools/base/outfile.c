/* SPDX-License-Identifier: MIT */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "safe_open.h"
#include "say.h"

static int failed(const struct outfile *file)
{
	return say_error(CODE_LATER, "cannot write '%s': %s", file->path,
			 strerror(errno));
}

static int refuse_taken(const struct outfile *file)
{
	return say_error_as(CODE_REFUSED, SAY_EXISTS,
			    "'%s' is there already: nothing was written (name "
			    "another file)",
			    file->path);
}

/* The directory and the two names in it. */
static int split(const char *path, struct outfile *file)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char dir[PATH_MAX] = ".";
	int len;

	if (slash)
		len = snprintf(dir, sizeof dir, "%.*s/", (int)(slash - path),
			       path);
	else
		len = 1;
	if (len < 0 || (size_t)len >= sizeof dir ||
	    strlen(name) + sizeof "..popbox-tmp" > sizeof file->temporary)
		return say_error(CODE_REFUSED, "'%s' is too long", path);
	if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return say_error(CODE_REFUSED, "'%s' is no name of a file",
				 path);
	(void)snprintf(file->name, sizeof file->name, "%s", name);
	(void)snprintf(file->temporary, sizeof file->temporary,
		       ".%s.popbox-tmp", name); /* it has room, see above */
	/* Hashes are written here, by root: nobody else may rename what we make,
	 * or say where. */
	file->dir = safe_open_dir(dir);
	if (file->dir >= 0)
		return CODE_DONE;
	if (errno != EPERM)
		return failed(file);
	return say_error(CODE_REFUSED,
			 "'%s': others than root could put another file in its "
			 "place (name a directory of root's, below nobody "
			 "else's)",
			 file->path);
}

static int judge_name(const struct outfile *file)
{
	struct stat st;

	if (fstatat(file->dir, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return refuse_taken(file);
	return errno == ENOENT ? CODE_DONE : failed(file);
}

/* A lock on the temporary tells one of a run that was killed from one of a run
 * that is at work. */
static int remove_left(const struct outfile *file)
{
	int fd = openat(file->dir, file->temporary,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int code = CODE_DONE;

	if (fd < 0)
		return errno == ENOENT ? CODE_DONE : failed(file);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		code = say_error(CODE_LATER,
				 "'%s': another popbox is writing it",
				 file->path);
	else if (unlinkat(file->dir, file->temporary, 0) != 0)
		code = failed(file);
	(void)close(fd); /* read only */
	return code;
}

static int open_as(const char *path, bool over, struct outfile *ret_file)
{
	struct outfile file = {.path = path, .dir = -1, .fd = -1, .over = over};
	int code = split(path, &file);

	if (code == CODE_DONE)
		code = remove_left(&file);
	if (code == CODE_DONE && !over)
		code = judge_name(&file);
	if (code == CODE_DONE) {
		file.fd = openat(file.dir, file.temporary,
				 O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
					 O_CLOEXEC,
				 0600);
		if (file.fd < 0 || flock(file.fd, LOCK_EX | LOCK_NB) != 0)
			code = failed(&file);
	}
	if (code != CODE_DONE)
		outfile_close(&file);
	else
		*ret_file = file;
	return code;
}

int outfile_open(const char *path, struct outfile *ret_file)
{
	return open_as(path, false, ret_file);
}

int outfile_open_over(const char *path, struct outfile *ret_file)
{
	return open_as(path, true, ret_file);
}

int outfile_write(const struct outfile *file, const char *bytes, size_t len)
{
	while (len) {
		ssize_t put = write(file->fd, bytes, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return failed(file);
		bytes += put;
		len -= (size_t)put;
	}
	return CODE_DONE;
}

int outfile_keep(struct outfile *file)
{
	if (fsync(file->fd) != 0)
		return failed(file);
	if (renameat2(file->dir, file->temporary, file->dir, file->name,
		      file->over ? 0 : RENAME_NOREPLACE) != 0)
		return errno == EEXIST ? refuse_taken(file) : failed(file);
	file->temporary[0] = 0;
	return fsync(file->dir) == 0 ? CODE_DONE : failed(file);
}

void outfile_close(struct outfile *file)
{
	if (file->fd >= 0 && file->temporary[0])
		(void)unlinkat(file->dir, file->temporary, 0);
	if (file->fd >= 0)
		(void)close(file->fd); /* fsync was asked */
	if (file->dir >= 0)
		(void)close(file->dir); /* read only */
	file->fd = file->dir = -1;
}
