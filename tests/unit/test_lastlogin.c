/* SPDX-License-Identifier: MIT */
/* The file of the last login, in a directory of this test. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "checkpw/lastlogin.h"

static char top[] = "/tmp/popbox-unit.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof top, "/tmp/popbox-unit.XXXXXX");
	return !mkdtemp(top) || chdir(top) != 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(".lastlogin");
	(void)rmdir(".lastlogin");
	(void)unlink("other");
	return chdir("/") != 0 || rmdir(top) != 0;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *text_of(const char *name)
{
	static char text[100];
	int fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[len < 0 ? 0 : len] = 0;
	return len < 0 ? NULL : text;
}

/* Written so many seconds ago; is it written anew? */
static bool anew(long ago)
{
	const struct timespec when[2] = {{.tv_sec = time(NULL) - ago},
					 {.tv_sec = time(NULL) - ago}};

	put(".lastlogin", "before\n");
	assert_int_equal(utimensat(AT_FDCWD, ".lastlogin", when, 0), 0);
	lastlogin_note(".lastlogin", 0, "192.0.2.7");
	if (strcmp(text_of(".lastlogin"), "before\n") == 0)
		return false;
	assert_string_equal(text_of(".lastlogin"), "192.0.2.7\n");
	return true;
}

static void ages(void **state)
{
	struct stat st;

	(void)state;
	lastlogin_note(".lastlogin", 0, "192.0.2.7");
	assert_string_equal(text_of(".lastlogin"), "192.0.2.7\n");
	assert_int_equal(stat(".lastlogin", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_false(anew(0));
	assert_false(anew(LASTLOGIN_SECONDS - 30));
	assert_true(anew(LASTLOGIN_SECONDS));
	assert_true(anew(LASTLOGIN_SECONDS + 30));
	assert_true(anew(-300)); /* of a clock that was wrong */
}

static void strange(void **state)
{
	struct stat st;

	(void)state;
	put("other", "theirs\n");
	assert_int_equal(symlink("other", ".lastlogin"), 0);
	lastlogin_note(".lastlogin", 0, "192.0.2.7");
	assert_string_equal(text_of(".lastlogin"), "192.0.2.7\n");
	assert_string_equal(text_of("other"), "theirs\n");

	assert_int_equal(unlink(".lastlogin"), 0);
	assert_int_equal(link("other", ".lastlogin"), 0);
	lastlogin_note(".lastlogin", 0, "192.0.2.7");
	assert_string_equal(text_of(".lastlogin"), "192.0.2.7\n");
	assert_string_equal(text_of("other"), "theirs\n");

	assert_int_equal(unlink(".lastlogin"), 0);
	assert_int_equal(mkfifo(".lastlogin", 0600), 0);
	lastlogin_note(".lastlogin", 0, "192.0.2.7");
	assert_string_equal(text_of(".lastlogin"), "192.0.2.7\n");

	assert_int_equal(unlink(".lastlogin"), 0);
	assert_int_equal(mkdir(".lastlogin", 0700), 0);
	lastlogin_note(".lastlogin", 0, "192.0.2.7");
	assert_int_equal(stat(".lastlogin", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
}

static void long_address(void **state)
{
	static const char ip[] =
		"0000:0000:0000:0000:0000:ffff:192.168.100.200";
	char longer[80], want[80];

	(void)state;
	(void)snprintf(longer, sizeof longer, "%sx", ip);
	(void)snprintf(want, sizeof want, "%s\n", ip);
	lastlogin_note(".lastlogin", 0, longer);
	assert_string_equal(text_of(".lastlogin"), want);
}

static volatile sig_atomic_t came;

static void comes(int number)
{
	came = number;
}

static void small(void **state)
{
	const struct sigaction ours = {.sa_handler = comes};
	const struct rlimit limit = {5, RLIM_INFINITY};
	struct rlimit before;

	(void)state;
	assert_int_equal(sigaction(SIGXFSZ, &ours, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	lastlogin_note(".lastlogin", 0, "192.0.2.7");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_null(text_of(".lastlogin"));
	assert_int_equal(came, 0);
	(void)raise(SIGXFSZ);
	assert_int_equal(came, SIGXFSZ);
}

int main(void)
{
#define HERE(sentence, function)                                              \
	{                                                                     \
		sentence, function, set_up, tear_down, NULL                    \
	}
	const struct CMUnitTest tests[] = {
		HERE("it is written at the first login of a while", ages),
		HERE("what is no plain file of the box goes, and nothing else "
		     "is written",
		     strange),
		HERE("an address is as long as one can be", long_address),
		HERE("one that cannot be written whole is not there", small),
	};

	return RUN(tests);
}
