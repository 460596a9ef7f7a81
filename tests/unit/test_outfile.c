/* SPDX-License-Identifier: MIT */
/* New files that appear whole or not at all, and directories that nobody else can
 * turn elsewhere. */
#include "failing.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/outfile.h"
#include "base/safe_open.h"
#include "base/say.h"
#include "qmaildir.h"

FAILING(int, fsync, (int fd), (fd))
FAILING(int, flock, (int fd, int how), (fd, how))
FAILING(int, fstat, (int fd, struct stat *st), (fd, st))
FAILING(int, renameat2,
	(int from, const char *old, int to, const char *new, unsigned flags),
	(from, old, to, new, flags))

static int short_by; /* the next write takes so many bytes and no more */

ssize_t write(int fd, const void *bytes, size_t len)
{
	if (failing_now("write"))
		return -1;
	if (short_by && len > (size_t)short_by)
		len = (size_t)short_by;
	return FAILING_REAL(write)(fd, bytes, len);
}

static int set_up(void **state)
{
	(void)state;
	failing_call = NULL;
	short_by = 0;
	return qmaildir_start() != 0 || chdir(top) != 0;
}

static int tear_down(void **state)
{
	(void)state;
	return chdir("/") != 0 || qmaildir_end();
}

/* Makes it, with this text; the code that comes. */
static int make_as(const char *path, const char *text)
{
	struct outfile file;
	int code;

	said_start();
	code = outfile_open(path, &file);
	if (code == CODE_DONE) {
		code = outfile_write(&file, text, strlen(text));
		if (code == CODE_DONE)
			code = outfile_keep(&file);
		outfile_close(&file);
	}
	said_end();
	return code;
}

static void makes(const char *path, int code, const char *part)
{
	int got = make_as(path, "text\n");

	if (got != code || !strstr(said, part) || (!*part && *said))
		fail_msg("'%s': %d '%s', not %d '%s'", path, got, said, code,
			 part);
}

static void whole(void **state)
{
	struct stat st;
	char path[200];

	(void)state;
	place("out", path);
	makes("out", CODE_DONE, "");
	assert_string_equal(text_of("out"), "text\n");
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_not_equal(access(".out.popbox-tmp", F_OK), 0);
	makes(path, CODE_REFUSED, "is there already");
	assert_string_equal(text_of("out"), "text\n");
	assert_int_equal(unlink("out"), 0);
	assert_int_equal(symlink("nowhere", "out"), 0);
	makes("out", CODE_REFUSED, "is there already");
	makes("control/out", CODE_DONE, "");
	short_by = 2; /* however little is taken at a time */
	makes("control/two", CODE_DONE, "");
	assert_string_equal(text_of("control/two"), "text\n");
	short_by = 0;
	failing_start("write", 1, EINTR);
	assert_int_equal(make_as("control/three", "text\n"), CODE_DONE);
	assert_true(failing_end());
	assert_string_equal(text_of("control/three"), "text\n");
}

static void no_names(void **state)
{
	char name[NAME_MAX + 1], path[PATH_MAX + 10];
	const size_t most = NAME_MAX - (sizeof "..popbox-tmp" - 1);

	(void)state;
	makes("", CODE_REFUSED, "is no name");
	makes(".", CODE_REFUSED, "is no name");
	makes("..", CODE_REFUSED, "is no name");
	makes("control/", CODE_REFUSED, "is no name");
	makes("no/out", CODE_LATER, "No such file");
	makes("bin/../out", CODE_DONE, "");
	memset(name, 'x', sizeof name);
	name[most] = 0;
	makes(name, CODE_DONE, "");
	name[most] = 'x';
	name[most + 1] = 0;
	makes(name, CODE_REFUSED, "is too long");
	memset(path, '/', sizeof path);
	memcpy(path + PATH_MAX, "x", 2);
	makes(path, CODE_REFUSED, "is too long");
}

static void left(void **state)
{
	int fd;

	(void)state;
	put(".out.popbox-tmp", "of a killed run", 0600);
	makes("out", CODE_DONE, "");
	assert_string_equal(text_of("out"), "text\n");
	assert_int_equal(unlink("out"), 0);
	put(".out.popbox-tmp", "of one at work", 0600);
	fd = open(".out.popbox-tmp", O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	makes("out", CODE_LATER, "another popbox is writing it");
	assert_string_equal(text_of(".out.popbox-tmp"), "of one at work");
	close(fd);
	assert_int_equal(unlink(".out.popbox-tmp"), 0);
	assert_int_equal(symlink("control", ".out.popbox-tmp"), 0);
	makes("out", CODE_LATER, "cannot write 'out'");
	assert_int_equal(unlink(".out.popbox-tmp"), 0);
	assert_int_equal(mkdir(".out.popbox-tmp", 0700), 0);
	makes("out", CODE_LATER, "cannot write 'out'");
	assert_int_not_equal(access("out", F_OK), 0);
}

static void fails(void **state)
{
	static const char *const calls[] = {"write", "fsync", "renameat2",
					    "flock"};

	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++) {
		failing_start(calls[i], 1, ENOSPC);
		makes("out", CODE_LATER, "No space left");
		assert_true(failing_end());
		assert_int_not_equal(access("out", F_OK), 0);
		assert_int_not_equal(access(".out.popbox-tmp", F_OK), 0);
	}
	failing_start("renameat2", 1, EEXIST);
	makes("out", CODE_REFUSED, "is there already");
	assert_true(failing_end());
	failing_start("fsync", 2, EIO); /* its name */
	makes("out", CODE_LATER, "Input/output error");
	assert_true(failing_end());
}

static void opens(const char *dir, int error)
{
	int fd = safe_open_dir(dir);

	if ((fd < 0) != (error != 0) || (fd < 0 && errno != error))
		fail_msg("%s: %s", dir, fd < 0 ? strerror(errno) : "opened");
	if (fd >= 0)
		close(fd);
}

static void mode_of(const char *dir, mode_t mode)
{
	assert_int_equal(chmod(dir, mode), 0);
}

static void directories(void **state)
{
	char path[PATH_MAX + 10], name[NAME_MAX + 2];

	(void)state;
	opens(".", 0);
	opens(top, 0);
	opens("control", 0);
	opens("control//", 0);
	opens("control/../bin/.", 0);
	opens("no", ENOENT);
	put("file", "", 0600);
	opens("file", ENOTDIR);
	opens("/", 0);
	opens("", 0);
	/* One that others can write in, and all that is below it. */
	make_dir("control/below");
	for (mode_t bit = 020; bit; bit = bit == 020 ? 002 : 0) {
		mode_of("control", 0755 | bit);
		opens("control", EPERM);
		opens("control/below", EPERM);
		mode_of("control", 01755 | bit); /* but sticky */
		opens("control/below", 0);
		mode_of("control", 0755);
	}
	opens("control/below", 0);
	assert_int_equal(symlink("control", "link"), 0);
	assert_int_equal(symlink("link", "two"), 0);
	opens("link/below", 0);
	opens("two/below/..", 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	opens("loop", ELOOP);
	(void)snprintf(path, sizeof path, "%s/control", top);
	assert_int_equal(symlink(path, "far"), 0);
	opens("far/below", 0);
	if (geteuid() == 0) {
		assert_int_equal(chown("control/below", 12345, 12345), 0);
		opens("control/below", EPERM);
		assert_int_equal(lchown("far", 12345, 12345), 0);
		opens("far", EPERM);
		opens("far/below", EPERM);
	}
	failing_start("fstat", 1, EIO);
	opens(top, EIO);
	assert_true(failing_end());
	memset(name, 'x', sizeof name);
	name[NAME_MAX] = 0;
	opens(name, ENOENT);
	name[NAME_MAX] = 'x';
	name[NAME_MAX + 1] = 0;
	opens(name, ENAMETOOLONG);
	memset(path, '/', sizeof path);
	path[PATH_MAX - 1] = 0;
	opens(path, ENAMETOOLONG);
	path[PATH_MAX - 2] = 0;
	opens(path, 0);
}

static void below(const char *from, const char *path, int error)
{
	int fd = safe_open_below(from, path, 0);

	if ((fd < 0) != (error != 0) || (fd < 0 && errno != error))
		fail_msg("%s %s: %s", from, path,
			 fd < 0 ? strerror(errno) : "opened");
	if (fd >= 0)
		close(fd);
}

static void trees(void **state)
{
	char link[200], path[300];

	(void)state;
	put("control/file", "", 0600);
	(void)snprintf(path, sizeof path, "%s/control/file", top);
	below(top, path, 0);
	below(top, top, 0);
	below("", path, 0);
	below("/no", path, EINVAL);
	below(top, "/etc/passwd", EINVAL);
	assert_int_equal(symlink("control", "link"), 0);
	(void)snprintf(path, sizeof path, "%s/link/file", top);
	below(top, path, ELOOP);
	below("", path, ELOOP);
	place("link", link);
	below(link, path, 0); /* the administrator named it */
	assert_int_equal(symlink("file", "control/other"), 0);
	(void)snprintf(path, sizeof path, "%s/control/other", top);
	below(top, path, ELOOP);
	(void)snprintf(path, sizeof path, "%s/control/none", top);
	below(top, path, ENOENT);
	assert_int_equal(mkfifo("control/pipe", 0600), 0);
	(void)snprintf(path, sizeof path, "%s/control/pipe", top);
	alarm(20); /* nobody writes into it */
	below(top, path, 0);
	alarm(0);
}

int main(void)
{
#define WITH_FILES(sentence, function)                                         \
	{                                                                      \
		sentence, function, set_up, tear_down, NULL                    \
	}
	const struct CMUnitTest tests[] = {
		WITH_FILES("a file is there whole, for its owner alone, and in "
			   "nobody's place",
			   whole),
		WITH_FILES("what is no name of a file, or too long, is refused",
			   no_names),
		WITH_FILES("what a killed run left goes, and what one at work "
			   "writes stays",
			   left),
		WITH_FILES("whatever call fails, nothing is there and the reason "
			   "is told",
			   fails),
		WITH_FILES("a directory is opened where nobody else could put "
			   "another in its place",
			   directories),
		WITH_FILES("in somebody else's tree no link is followed, and no "
			   "pipe waited for",
			   trees),
	};

	return RUN(tests);
}
