/* SPDX-License-Identifier: MIT */
/* popbox-askpw: a checkpassword program for who is not root, see
 * popbox-askpw(8). It hands the record to `popbox-checkpw --verdict` over a Unix
 * socket and becomes the program if the answer is accept. It knows no store and
 * no password rules; the record leaves it unread.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/inherited.h"

/* http://cr.yp.to/checkpwd/interface.html */
enum { REQUEST_FD = 3, EXIT_NO = 1, EXIT_MISUSED = 2, EXIT_CANNOT_TELL = 111 };

enum {
	RECORD_MAX = 512,
	ANSWER_MAX = 4096,
	SECONDS = 60, /* for all of it: a hash and the delay of a refusal */
};

/* The answer's line; verdict.h in checkpw/. */
struct answer {
	char text[ANSWER_MAX + 1];
	char *address, *box, *maildir;
};

static int cannot_tell(const char *what, const char *why)
{
	/* Who is told nothing has the code. */
	(void)fprintf(stderr, "popbox-askpw: %s: %s\n", what, why);
	return EXIT_CANNOT_TELL;
}

static int misused(const char *why)
{
	(void)fprintf(stderr,
		      "popbox-askpw: %s\n"
		      "usage: popbox-askpw SOCKET prog [arg ...]\n"
		      "login, password and time stamp come on descriptor 3, "
		      "see popbox-askpw(8)\n",
		      why);
	return EXIT_MISUSED;
}

static void on_alarm(int number)
{
	static const char text[] = "popbox-askpw: no answer in 60 seconds\n";

	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof text - 1); /* the code tells */
	_exit(EXIT_CANNOT_TELL);
}

/* To its end, or until max bytes are there. -1: errno. */
static ssize_t read_all(int fd, char *bytes, size_t max)
{
	size_t len = 0;

	while (len < max) {
		ssize_t got = read(fd, bytes + len, max - len);

		if (got == 0)
			break;
		if (got > 0)
			len += (size_t)got;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)len;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t done = send(fd, bytes, len, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		bytes += done;
		len -= (size_t)done;
	}
	return true;
}

static bool is_record(const char *bytes, size_t len)
{
	int nuls = 0;

	for (size_t i = 0; i < len; i++)
		nuls += bytes[i] == 0;
	return nuls >= 3;
}

/* login NUL password NUL stamp NUL, cut behind that, and the client's address
 * for the service's log, if there is room for it. */
static size_t with_client(char record[RECORD_MAX], size_t len)
{
	const char *ip = getenv("TCPREMOTEIP");
	size_t end = 0, more = ip ? strlen(ip) + 1 : 0;

	for (int nuls = 0; end < len && nuls < 3; end++)
		nuls += record[end] == 0;
	if (end + more > RECORD_MAX)
		return end;
	if (ip)
		memcpy(record + end, ip, more);
	return end + more;
}

/* A connected socket, or -1 with errno. */
static int connect_to(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof to.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	if (fd >= 0) {
		int saved = errno;

		(void)close(fd); /* nothing was sent */
		errno = saved;
	}
	return -1;
}

/* Exactly one whole line. */
static int parse(struct answer *answer, size_t len)
{
	char *at = answer->text;
	char **const field[] = {&answer->address, &answer->box,
				&answer->maildir};

	if (len == 7 && memcmp(at, "refuse\n", 7) == 0)
		return EXIT_NO;
	if (len == 6 && memcmp(at, "error\n", 6) == 0)
		return cannot_tell("the service",
				   "it cannot tell; its log says why");
	if (len == 0)
		return cannot_tell("the service",
				   "it ended without an answer; its log says why");
	if (len < 8 || memcmp(at, "accept\t", 7) != 0 ||
	    memchr(at, '\n', len) != at + len - 1 || memchr(at, 0, len))
		return cannot_tell("the service", "not its answer");
	at[len - 1] = 0;
	at += 6;
	for (int i = 0; i < 3; i++) {
		if (!at || at[1] == 0 || at[1] == '\t')
			return cannot_tell("the service", "not its answer");
		*at++ = 0;
		*field[i] = at;
		at = strchr(at, '\t');
	}
	return at ? cannot_tell("the service", "not its answer") : 0;
}

/* 0: accepted. */
static int ask(const char *path, const char *record, size_t len,
	       struct answer *answer)
{
	int fd = connect_to(path);
	ssize_t got = -1;

	if (fd < 0)
		return cannot_tell(path, strerror(errno));
	if (send_all(fd, record, len) && shutdown(fd, SHUT_WR) == 0)
		got = read_all(fd, answer->text, ANSWER_MAX);
	/* It said error, or ended, before it read the record. */
	if (got < 0 && (errno == ECONNRESET || errno == EPIPE))
		got = 0;
	if (got < 0)
		return cannot_tell(path, strerror(errno));
	return parse(answer, (size_t)got);
}

static int receive(char record[RECORD_MAX + 1], size_t *ret_len)
{
	ssize_t got = read_all(REQUEST_FD, record, RECORD_MAX + 1);

	if (got < 0 && errno == EBADF)
		return misused("descriptor 3 is closed");
	if (got < 0)
		return cannot_tell("request", strerror(errno));
	(void)close(REQUEST_FD); /* read to its end or given up */
	if (got > RECORD_MAX)
		return misused("request: longer than 512 bytes");
	if (!is_record(record, (size_t)got))
		return misused("request: fewer than three NULs");
	*ret_len = with_client(record, (size_t)got);
	return 0;
}

static int run(const struct answer *answer, char **program)
{
	if (setenv("USER", answer->address, 1) != 0 ||
	    setenv("POPBOX_BOX", answer->box, 1) != 0 ||
	    setenv("HOME", answer->maildir, 1) != 0 ||
	    setenv("MAILDIR", answer->maildir, 1) != 0)
		return cannot_tell("environment", strerror(errno));
	(void)alarm(0);
	(void)execvp(program[0], program); /* returns only in failure */
	return cannot_tell(program[0], strerror(errno));
}

int main(int argc, char **argv)
{
	static struct answer answer;
	static char record[RECORD_MAX + 1];
	size_t len = 0;
	int code;

	if (!inherited_settle())
		return EXIT_CANNOT_TELL; /* nobody could be told */
	if (!inherited_seal())
		return cannot_tell("cannot close it to other processes",
				   strerror(errno));
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("popbox-askpw " POPBOX_VERSION); /* the flush tells */
		return fflush(stdout) == 0 ? 0 : EXIT_CANNOT_TELL;
	}
	if (argc > 1 && argv[1][0] == '-')
		return misused("no such option");
	if (argc < 3)
		return misused("a socket and a program to run are needed");
	(void)signal(SIGALRM, on_alarm); /* a valid number */
	(void)alarm(SECONDS);
	code = receive(record, &len);
	if (code == 0)
		code = ask(argv[1], record, len, &answer);
	explicit_bzero(record, sizeof record);
	return code ? code : run(&answer, argv + 2);
}
