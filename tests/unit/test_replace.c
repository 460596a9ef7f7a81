/* SPDX-License-Identifier: MIT */
/* Files that are replaced: whatever call fails, the old one stays as it was. */
#include "failing.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "base/replace.h"

static int short_by; /* the next read or write does so many bytes and no more */

ssize_t __read_chk(int fd, void *bytes, size_t len, size_t room);

static ssize_t read_as(int fd, void *bytes, size_t len)
{
	if (failing_now("read"))
		return -1;
	if (short_by && len > (size_t)short_by)
		len = (size_t)short_by;
	return FAILING_REAL(read)(fd, bytes, len);
}

ssize_t read(int fd, void *bytes, size_t len)
{
	return read_as(fd, bytes, len);
}

ssize_t __read_chk(int fd, void *bytes, size_t len, size_t room)
{
	(void)room; /* the caller is what is tested */
	return read_as(fd, bytes, len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	if (failing_now("write"))
		return -1;
	if (short_by && len > (size_t)short_by)
		len = (size_t)short_by;
	return FAILING_REAL(write)(fd, bytes, len);
}

FAILING(int, fsync, (int fd), (fd))
FAILING(int, fchmod, (int fd, mode_t mode), (fd, mode))
FAILING(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
FAILING(int, fstat, (int fd, struct stat *st), (fd, st))
FAILING(int, renameat, (int from, const char *old, int to, const char *new),
	(from, old, to, new))

/* The descriptor is closed, whatever close answers. */
int close(int fd)
{
	const bool fails = failing_now("close");
	const int rc = FAILING_REAL(close)(fd);

	if (fails)
		errno = failing_errno;
	return fails ? -1 : rc;
}

static char top[] = "/tmp/popbox-unit.XXXXXX";
static int dir;

static int set_up(void **state)
{
	(void)state;
	failing_call = NULL;
	short_by = 0;
	(void)snprintf(top, sizeof top, "/tmp/popbox-unit.XXXXXX");
	dir = mkdtemp(top) ? open(top, O_RDONLY | O_DIRECTORY) : -1;
	return dir < 0 || fchdir(dir) != 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink("file");
	(void)unlink("temporary");
	(void)rmdir("file");
	(void)rmdir("temporary");
	(void)unlink("other");
	(void)close(dir);
	return chdir("/") != 0 || rmdir(top) != 0;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void holds(const char *name, const char *want)
{
	struct replace_text text;

	assert_int_equal(replace_read(dir, name, &text), 0);
	assert_string_equal(text.bytes, want);
	assert_int_equal(text.len, strlen(want));
	replace_free(&text);
	assert_null(text.bytes);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	return st.st_mode & 07777;
}

static const struct replace_text as_made = {
	.mode = 0640, .uid = (uid_t)-1, .gid = (gid_t)-1};

static int replace(const char *text)
{
	const struct replace_text like = {
		.mode = 0640, .uid = geteuid(), .gid = getegid()};

	return replace_file(dir, "file", "temporary", &like, text,
			    strlen(text));
}

static void whole(void **state)
{
	static char large[70000];
	struct replace_text text;

	(void)state;
	put("file", "");
	holds("file", "");
	memset(large, 'x', sizeof large - 1);
	put("file", large);
	holds("file", large);
	short_by = 1000; /* however little comes at a time */
	holds("file", large);
	short_by = 0;
	put("file", "text");
	for (int call = 1; call <= 2; call++) {
		failing_start("read", call, EINTR);
		holds("file", "text");
		assert_true(failing_end());
		failing_start("read", call, EIO);
		assert_int_equal(replace_read(dir, "file", &text), EIO);
		assert_true(failing_end());
	}
	failing_start("fstat", 1, EIO);
	assert_int_equal(replace_read(dir, "file", &text), EIO);
	assert_true(failing_end());
	assert_int_equal(replace_read_up_to(dir, "file", 3, &text), EFBIG);
	assert_int_equal(replace_read_up_to(dir, "file", 4, &text), 0);
	assert_int_equal(text.mode & 07777, 0600);
	assert_int_equal(text.uid, geteuid());
	assert_int_equal(text.gid, getegid());
	replace_free(&text);
}

static void files_alone(void **state)
{
	struct replace_text text;

	(void)state;
	assert_int_equal(replace_read(dir, "file", &text), ENOENT);
	put("other", "text");
	assert_int_equal(symlink("other", "file"), 0);
	assert_int_equal(replace_read(dir, "file", &text), EINVAL);
	assert_int_equal(unlink("file"), 0);
	assert_int_equal(mkdir("file", 0700), 0);
	assert_int_equal(replace_read(dir, "file", &text), EINVAL);
	assert_int_equal(rmdir("file"), 0);
	assert_int_equal(mkfifo("file", 0600), 0);
	alarm(20); /* nobody writes into it */
	assert_int_equal(replace_read(dir, "file", &text), EINVAL);
	alarm(0);
}

static void as_told(void **state)
{
	(void)state;
	assert_int_equal(replace("first\n"), 0);
	holds("file", "first\n");
	assert_int_equal(mode_of("file"), 0640);
	put("temporary", "of a killed run");
	short_by = 2; /* however little is taken at a time */
	assert_int_equal(replace("second\n"), 0);
	short_by = 0;
	holds("file", "second\n");
	failing_start("write", 1, EINTR);
	assert_int_equal(replace("third\n"), 0);
	assert_true(failing_end());
	holds("file", "third\n");
	assert_int_not_equal(access("temporary", F_OK), 0);
	assert_int_equal(mkdir("temporary", 0700), 0);
	assert_int_not_equal(replace("fourth\n"), 0);
	holds("file", "third\n");
	assert_int_equal(rmdir("temporary"), 0);
	/* A link that somebody made there is not followed. */
	put("other", "not ours");
	assert_int_equal(symlink("other", "temporary"), 0);
	assert_int_equal(replace("fourth\n"), 0);
	holds("other", "not ours");
	holds("file", "fourth\n");
}

static void each_fails(void **state)
{
	static const char *const calls[] = {"write", "fchown", "fchmod", "fsync",
					    "close", "renameat"};

	(void)state;
	assert_int_equal(replace("before"), 0);
	for (size_t i = 0; i < COUNT(calls); i++) {
		failing_start(calls[i], 1, ENOSPC);
		assert_int_equal(replace("after"), ENOSPC);
		assert_true(failing_end());
		holds("file", "before");
		assert_int_not_equal(access("temporary", F_OK), 0);
	}
	/* What is there then is not known to be on the disk. */
	failing_start("fsync", 2, EIO);
	assert_int_equal(replace("after"), EIO);
	assert_true(failing_end());
	/* The first of two reasons is told. */
	failing_start("write", 1, ENOSPC);
	assert_int_equal(replace_end(dir, "file", "temporary",
				     open("temporary", O_WRONLY | O_CREAT, 0600),
				     &as_made, EDQUOT),
			 EDQUOT);
	(void)failing_end();
	holds("file", "after");
	assert_int_not_equal(access("temporary", F_OK), 0);
}

static void order(void **state)
{
	(void)state;
	failing_start(NULL, 0, 0);
	assert_int_equal(replace("text"), 0);
	assert_string_equal(failing_made,
			    "write fchown fchmod fsync close renameat fsync ");
	failing_start(NULL, 0, 0);
	assert_int_equal(replace_prepare(dir, "temporary", &as_made, "new", 3,
					 false),
			 0);
	assert_string_equal(failing_made, "write fchmod close ");
	failing_start(NULL, 0, 0);
	assert_int_equal(replace_prepare(dir, "temporary", &as_made, "new", 3,
					 true),
			 0);
	assert_string_equal(failing_made, "write fchmod fsync close ");
	holds("file", "text");
	failing_start("renameat", 1, EIO);
	assert_int_equal(replace_finish(dir, "file", "temporary"), EIO);
	assert_true(failing_end());
	assert_int_not_equal(access("temporary", F_OK), 0);
	assert_int_equal(replace_finish(dir, "file", "temporary"), ENOENT);
	assert_int_equal(replace_prepare(dir, "temporary", &as_made, "new", 3,
					 false),
			 0);
	assert_int_equal(replace_finish(dir, "file", "temporary"), 0);
	holds("file", "new");
}

static void names(void **state)
{
	char path[200], far[PATH_MAX + 4];

	(void)state;
	assert_int_equal(replace_sync(top), 0);
	assert_int_equal(replace_sync("/no/such"), ENOENT);
	put("file", "text");
	assert_int_equal(replace_sync("file"), ENOTDIR);
	failing_start("fsync", 1, EIO);
	assert_int_equal(replace_sync(top), EIO);
	assert_true(failing_end());
	(void)snprintf(path, sizeof path, "%s/none/x", top);
	assert_int_equal(replace_sync_parent(path), ENOENT);
	(void)snprintf(path, sizeof path, "%s/none//", top);
	assert_int_equal(replace_sync_parent(path), 0);
	(void)snprintf(path, sizeof path, "%s/file/x", top);
	assert_int_equal(replace_sync_parent(path), ENOTDIR);
	for (const char *const *at = (const char *const[]){"x", "x/", "/x", "/",
							   NULL};
	     *at; at++) {
		failing_start(NULL, 0, 0);
		assert_int_equal(replace_sync_parent(*at), 0);
		assert_string_equal(failing_made, "fsync close ");
	}
	memset(far, 'x', sizeof far - 1);
	far[sizeof far - 1] = 0;
	far[PATH_MAX] = '/';
	assert_int_equal(replace_sync_parent(far), ENAMETOOLONG);
}

#define EACH(sentence, function)                                               \
	{                                                                      \
		sentence, function, set_up, tear_down, NULL                    \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH("a file is read whole, whatever comes between, or the "
		     "reason is told",
		     whole),
		EACH("a link, a directory and a pipe are no files that are read",
		     files_alone),
		EACH("a file has its mode and all its bytes, and a temporary "
		     "that was left is nobody's way elsewhere",
		     as_told),
		EACH("whatever call fails, the reason is told, the old file is "
		     "whole and no temporary stays",
		     each_fails),
		EACH("bytes are on the disk before the name, and the name is "
		     "before it is told",
		     order),
		EACH("a directory, and that of a path, is synced or the reason "
		     "told",
		     names),
	};

	return RUN(tests);
}
