/* SPDX-License-Identifier: MIT */
/* The login program's line: what of a stranger gets into it, and what it costs
 * where it cannot be written. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "checkpw/log.h"

static const char ip[] = "192.0.2.7";
static int saved, held; /* descriptors: stderr, and what stands for it */

static void start(void)
{
	saved = dup(STDERR_FILENO);
	held = memfd_create("log", MFD_CLOEXEC);
	assert_true(saved >= 0 && held >= 0);
	assert_int_equal(dup2(held, STDERR_FILENO), STDERR_FILENO);
}

/* What was written since. */
static const char *end(void)
{
	static char text[2048];
	ssize_t len = pread(held, text, sizeof text - 1, 0);

	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	close(held);
	assert_true(len >= 0);
	text[len] = 0;
	return text;
}

static void refuses(const char *user, size_t len, const char *shown)
{
	const struct log_line line = {ip, user, len, NULL};
	char want[600];

	start();
	log_refuse(CONFIG_LOG_STDERR, &line, "mismatch");
	(void)snprintf(want, sizeof want,
		       "popbox-checkpw: refuse ip=192.0.2.7 reason=mismatch "
		       "user=%s\n",
		       shown);
	assert_string_equal(end(), want);
}

static void bytes(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		const char user[] = {'a', (char)c, 'b'};
		char shown[8];

		if (c >= 0x21 && c <= 0x7e && c != '"' && c != '\\')
			(void)snprintf(shown, sizeof shown, "a%cb", (char)c);
		else
			(void)snprintf(shown, sizeof shown, "a\\x%02xb", c);
		refuses(user, 3, shown);
	}
	refuses(NULL, 0, "-");
	refuses(NULL, 5, "-");
	refuses("", 0, "-");
}

static void cuts(void **state)
{
	char user[300], shown[300];

	(void)state;
	/* So many plain bytes, and one that takes four. */
	for (size_t plain = 120; plain <= 132; plain++) {
		const size_t whole = plain <= LOG_USER_MAX ? plain : LOG_USER_MAX;

		memset(user, 'x', plain);
		user[plain] = '"';
		memset(shown, 'x', whole);
		shown[whole] = 0;
		refuses(user, plain, shown);
		if (plain + 4 <= LOG_USER_MAX)
			memcpy(shown + whole, "\\x22", 5);
		refuses(user, plain + 1, shown);
	}
}

static void lines(void **state)
{
	static const char v6[] =
		"0000:0000:0000:0000:0000:ffff:192.168.100.200";
	const struct log_line joe = {v6, "joe", 3, NULL},
			      none = {"x", "joe", 3, NULL},
			      smtp = {"::1", "joe", 3, " service=smtp peer=7791"};
	char what[120], want[1400];

	(void)state;
	memset(what, 'w', sizeof what);
	what[80] = 0;
	start();
	log_accept(CONFIG_LOG_STDERR, &joe, "abcdefghijklmno-1234567890", "");
	log_error(CONFIG_LOG_STDERR, &joe, what, what);
	log_error(CONFIG_LOG_STDERR, &none, "store", "");
	log_note(CONFIG_LOG_STDERR, what, what, what);
	log_note(CONFIG_LOG_STDERR, "a table", "it is damaged", "");
	log_note(CONFIG_LOG_NONE, "a table", "it is damaged", "");
	log_fault(CONFIG_LOG_STDERR);
	log_accept(CONFIG_LOG_STDERR, &smtp, "ex1-0001", "phone");
	log_refuse(CONFIG_LOG_STDERR, &smtp, "mismatch");
	log_error(CONFIG_LOG_STDERR, &smtp, "store", "");
	log_accept(CONFIG_LOG_NONE, &joe, "ex1-0001", "");
	(void)snprintf(want, sizeof want,
		       "popbox-checkpw: accept ip=%s "
		       "box=abcdefghijklmno-1234567890 user=joe\n"
		       "popbox-checkpw: error ip=%s reason=\"%s: %s\" user=joe\n"
		       "popbox-checkpw: error ip=- reason=\"store\" user=joe\n"
		       "popbox-checkpw: note reason=\"%s: %s: %s\"\n"
		       "popbox-checkpw: note reason=\"a table: it is damaged\"\n"
		       "popbox-checkpw: error ip=- reason=\"store: damaged\" "
		       "user=-\n"
		       "popbox-checkpw: accept ip=::1 box=ex1-0001 app=phone "
		       "service=smtp peer=7791 user=joe\n"
		       "popbox-checkpw: refuse ip=::1 reason=mismatch "
		       "service=smtp peer=7791 user=joe\n"
		       "popbox-checkpw: error ip=::1 reason=\"store\" "
		       "service=smtp peer=7791 user=joe\n",
		       v6, v6, what, what, what, what, what);
	assert_string_equal(end(), want);
	assert_string_equal(log_ip("::1"), "::1");
	assert_string_equal(log_ip("1.2.3"), "-");
	assert_string_equal(log_ip(NULL), "-");
}

/* Longest of all: nothing is cut but what the header says. */
static void longest(void **state)
{
	static const char v6[] =
		"0000:0000:0000:0000:0000:ffff:192.168.100.200";
	/* The longest of verdict_asker(). */
	struct log_line line = {v6, NULL, 128,
				" service=abcdefghijklmnop peer=4294967294"};
	char user[200], what[120];
	const char *got;

	(void)state;
	memset(user, 'u', sizeof user);
	memset(what, 'w', sizeof what);
	what[119] = 0;
	line.user = user;
	start();
	log_error(CONFIG_LOG_STDERR, &line, what, what);
	got = end();
	assert_int_equal(strlen(got), 25 + 45 + 9 + 80 + 2 + 80 + 1 + 41 + 6 + 128 + 1);
	assert_non_null(strstr(got, "w\" service=abcdefghijklmnop "
				    "peer=4294967294 user=uuu"));
	assert_int_equal(got[strlen(got) - 1], '\n');
}

static volatile sig_atomic_t came;

static void comes(int number)
{
	came = number;
}

/* A reader that is gone and a file that may not grow cost the line alone, and
 * whoever waits for these signals still does. */
static void unwritten(void **state)
{
	const struct sigaction ours = {.sa_handler = comes};
	const struct rlimit small = {1, RLIM_INFINITY};
	const struct log_line joe = {ip, "joe", 3, NULL};
	struct rlimit before;
	int pipes[2];

	(void)state;
	assert_int_equal(sigaction(SIGPIPE, &ours, NULL), 0);
	assert_int_equal(sigaction(SIGXFSZ, &ours, NULL), 0);
	assert_int_equal(pipe(pipes), 0);
	close(pipes[0]);
	start();
	assert_int_equal(dup2(pipes[1], STDERR_FILENO), STDERR_FILENO);
	log_accept(CONFIG_LOG_STDERR, &joe, "ex1-0001", "");
	assert_string_equal(end(), "");
	assert_int_equal(came, 0);
	close(pipes[1]);

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	start();
	assert_int_equal(write(held, "x", 1), 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	log_accept(CONFIG_LOG_STDERR, &joe, "ex1-0001", "");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_string_equal(end(), "x");
	assert_int_equal(came, 0);
	(void)raise(SIGPIPE);
	assert_int_equal(came, SIGPIPE);
	(void)raise(SIGXFSZ);
	assert_int_equal(came, SIGXFSZ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("each byte of a stranger is plain or escaped", bytes),
		SAYS("a user is cut at 128, and no escape in its middle", cuts),
		SAYS("each line is as the header has it", lines),
		SAYS("the longest line fits", longest),
		SAYS("a line that cannot be written ends nothing", unwritten),
	};

	return RUN(tests);
}
