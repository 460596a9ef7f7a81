/* SPDX-License-Identifier: MIT */
/* What confine_files asks of Landlock, of each version that there is, whatever
 * this machine's kernel has: its calls end here. */
#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checkpw/confine.h"

enum { RULES = 16, READ_DIR = 8 };

static long version;      /* of Landlock; below 0: an errno */
static long failing;      /* the call that fails with ENOMEM */
static int privileges, seccomp; /* what prctl answers */
static struct {
	uint64_t files, net, scope;
} asked;
static struct {
	char path[200];
	uint64_t allowed;
} rules[RULES];
static size_t count;
static bool restricted, privileged;

static long refuse(int number)
{
	errno = number;
	return -1;
}

static long create(const void *attributes, size_t size, unsigned flags)
{
	if (!attributes) {
		assert_int_equal(size, 0);
		assert_int_equal(flags, 1);
		return version < 0 ? refuse((int)-version) : version;
	}
	assert_int_equal(size, sizeof asked);
	assert_int_equal(flags, 0);
	memcpy(&asked, attributes, size);
	return failing == SYS_landlock_create_ruleset
		       ? refuse(ENOMEM)
		       : open("/dev/zero", O_RDONLY | O_CLOEXEC);
}

static long add(int type, const unsigned char *rule, unsigned flags)
{
	char link[64];
	uint64_t allowed;
	struct stat st;
	int32_t fd;
	ssize_t len;

	assert_int_equal(type, 1);
	assert_int_equal(flags, 0);
	memcpy(&allowed, rule, sizeof allowed);
	memcpy(&fd, rule + sizeof allowed, sizeof fd);
	assert_int_equal(fstat(fd, &st), 0);
	if (failing == SYS_landlock_add_rule)
		return refuse(ENOMEM);
	if (!S_ISDIR(st.st_mode) && allowed & READ_DIR)
		return refuse(EINVAL);
	assert_true(count < RULES);
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, rules[count].path, sizeof rules[count].path - 1);
	assert_true(len > 0);
	rules[count].path[len] = 0;
	rules[count++].allowed = allowed;
	return 0;
}

long syscall(long number, ...)
{
	long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < COUNT(a); i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_landlock_create_ruleset)
		return create((void *)a[0], (size_t)a[1], (unsigned)a[2]);
	if (number == SYS_landlock_add_rule)
		return add((int)a[1], (unsigned char *)a[2], (unsigned)a[3]);
	if (number == SYS_landlock_restrict_self) {
		assert_int_equal(a[1], 0);
		restricted = failing != number;
		return restricted ? 0 : refuse(ENOMEM);
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int prctl(int option, ...)
{
	va_list list;
	unsigned long first;

	va_start(list, option);
	first = va_arg(list, unsigned long);
	va_end(list);
	if (option == PR_GET_SECCOMP)
		return seccomp < 0 ? (int)refuse(EINVAL) : seccomp;
	assert_int_equal(option, PR_SET_NO_NEW_PRIVS);
	assert_int_equal((int)first, 1);
	assert_false(restricted);
	privileged = privileges == 0;
	return privileges < 0 ? (int)refuse(EPERM) : 0;
}

static char top[64];
static struct config config;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof top, "/tmp/popbox-unit.XXXXXX");
	if (!mkdtemp(top) || chdir(top) != 0 || mkdir("bin", 0700) != 0)
		return -1;
	version = 6;
	failing = 0;
	privileges = seccomp = 0;
	count = 0;
	restricted = privileged = false;
	config = (struct config){.confine = CONFIG_CONFINE_AUTO,
				 .home = "/home/popmail",
				 .confine_read = "/usr /no/such /dev/urandom"};
	memcpy(config.qmail, top, sizeof top);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return chdir("/") != 0 || rmdir(strcat(config.qmail, "/bin")) != 0 ||
	       rmdir(top) != 0;
}

static void rule(size_t at, const char *path, uint64_t allowed)
{
	char real[PATH_MAX];

	assert_true(at < count);
	assert_non_null(realpath(path, real));
	assert_string_equal(rules[at].path, real);
	assert_int_equal(rules[at].allowed, allowed);
}

static void versions(void **state)
{
	char bin[80];

	(void)snprintf(bin, sizeof bin, "%s/bin", top);
	(void)state;
	for (version = 2; version <= 9; version++) {
		count = 0;
		restricted = privileged = false;
		memset(&asked, 0xff, sizeof asked);
		assert_null(confine_files(&config, "/bin/sh"));
		assert_int_equal(asked.files, version >= 5   ? 0xffff
					      : version >= 3 ? 0x7fff
							     : 0x3fff);
		assert_int_equal(asked.net, version >= 4 ? 3 : 0);
		assert_int_equal(asked.scope, version >= 6 ? 3 : 0);
		assert_int_equal(count, 6);
		rule(0, top, version >= 3 ? 0x61be : 0x21be);
		rule(1, "/usr", 0xd);
		rule(2, "/dev/urandom", 0x5);
		rule(3, bin, 0xd);
		rule(4, "/bin/sh", 0x5);
		rule(5, "/dev/null", 0x6);
		assert_true(restricted && privileged);
	}
	(void)snprintf(config.qmail, sizeof config.qmail, "none");
	count = 0;
	restricted = false;
	assert_null(confine_files(&config, "/bin/sh"));
	assert_int_equal(count, 5);
	memcpy(config.qmail, top, sizeof top);
}

/* The answer, which has to be this; nothing is done then. */
static void says(const char *want)
{
	const char *why = confine_files(&config, "/bin/sh");

	if (!want)
		assert_null(why);
	else {
		assert_non_null(why);
		assert_string_equal(why, want);
	}
	assert_false(restricted);
}

static void lacks(void **state)
{
	static const char wants[] =
		"confine wants Landlock of Linux 5.19 or later";
	static const long none[] = {-ENOSYS, -EOPNOTSUPP, 0, 1};

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++) {
		version = none[i];
		config.confine = CONFIG_CONFINE_AUTO;
		says(NULL);
		config.confine = CONFIG_CONFINE_REQUIRE;
		says(wants);
		assert_int_equal(errno, 0);
		config.confine = CONFIG_CONFINE_STRICT;
		says(wants);
	}
	version = -EPERM;
	config.confine = CONFIG_CONFINE_AUTO;
	says("cannot confine (landlock)");
	assert_int_equal(errno, EPERM);
	version = 6;
	seccomp = -1;
	config.confine = CONFIG_CONFINE_STRICT;
	says("confine = strict, but the kernel has no seccomp");
	config.confine = CONFIG_CONFINE_OFF;
	says(NULL);
	assert_int_equal(count, 0);
}

static void failures(void **state)
{
	(void)state;
	failing = SYS_landlock_create_ruleset;
	says("cannot confine (landlock_create_ruleset)");
	failing = SYS_landlock_add_rule;
	says("cannot confine (landlock_add_rule)");
	assert_int_equal(errno, ENOMEM);
	failing = SYS_landlock_restrict_self;
	says("cannot confine (landlock_restrict_self)");
	assert_int_equal(errno, ENOMEM);
	failing = 0;
	privileges = -1;
	says("cannot confine (no_new_privs)");
	assert_int_equal(errno, EPERM);
}

static void covered(void **state)
{
	static const char why[] = "the setting confine_read covers home";
	static const struct {
		const char *list;
		bool covers;
	} lists[] = {
		{"/home/popmail", true},     {"/usr /home", true},
		{"/home /usr", true},	     {"/home/popmail/e", false},
		{"/home/pop", false},	     {"/hom", false},
		{"/home/popmailbox", false}, {"", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		(void)snprintf(config.confine_read, sizeof config.confine_read,
			       "%s", lists[i].list);
		count = 0;
		restricted = false;
		if (lists[i].covers) {
			says(why);
			assert_int_equal(errno, 0);
			continue;
		}
		assert_null(confine_files(&config, "/bin/sh"));
		assert_true(restricted);
	}
}

int main(void)
{
#define HERE(sentence, function)                                              \
	{                                                                     \
		sentence, function, set_up, tear_down, NULL                    \
	}
	const struct CMUnitTest tests[] = {
		HERE("each version of Landlock is asked for all that it has, and "
		     "allows what the page says",
		     versions),
		HERE("without Landlock or seccomp a login is as the setting says",
		     lacks),
		HERE("what fails ends the login, with its reason", failures),
		HERE("a list that covers the mail root is refused", covered),
	};

	return RUN(tests);
}
