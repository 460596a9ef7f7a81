/* SPDX-License-Identifier: MIT */
/* popbox-askpw: a checkpassword program for who is not root, see
 * popbox-askpw(8). It hands the record to `popbox-checkpw --verdict` over a Unix
 * socket and becomes the program if the answer is accept. It knows no store and
 * no password rules; the record leaves it unread.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ask.h"
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
		      "usage: popbox-askpw [--service NAME | --dovecot] SOCKET "
		      "prog [arg ...]\n"
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

/* qmail-smtpd of s/qmail sends no stamp where the client sends its password: then an
 * empty one is put in. */
static bool is_record(char bytes[RECORD_MAX + 1], size_t *len)
{
	int nuls = 0;

	for (size_t i = 0; i < *len; i++)
		nuls += bytes[i] == 0;
	if (nuls == 2 && bytes[*len - 1] == 0 && *len < RECORD_MAX) {
		bytes[(*len)++] = 0;
		nuls++;
	}
	return nuls >= 3;
}

static bool append(char record[RECORD_MAX], size_t *len, const char *text)
{
	const size_t more = strlen(text) + 1;

	if (more > RECORD_MAX - *len)
		return false;
	memcpy(record + *len, text, more);
	*len += more;
	return true;
}

/* login NUL password NUL stamp NUL, cut behind that, and the client's address
 * for the service's log, if there is room for it; the service, which decides, has
 * to have room. False: it has not. */
static bool complete(char record[RECORD_MAX], size_t *len, const char *service)
{
	const char *ip = getenv("TCPREMOTEIP");
	size_t end = 0;

	for (int nuls = 0; end < *len && nuls < 3; end++)
		nuls += record[end] == 0;
	*len = end;
	if (!service) {
		if (ip)
			(void)append(record, len, ip);
		return true;
	}
	if (ip && append(record, len, ip) && append(record, len, service))
		return true;
	*len = end;
	return append(record, len, "-") && append(record, len, service);
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
static int question(const char *path, const char *record, size_t len,
		    struct answer *answer)
{
	size_t got = 0;
	int rc = ask(path, record, len, answer->text, ANSWER_MAX, &got);

	return rc ? cannot_tell(path, strerror(rc)) : parse(answer, got);
}

static int receive(char record[RECORD_MAX + 1], const char *service,
		   size_t *ret_len)
{
	ssize_t got = ask_read(REQUEST_FD, record, RECORD_MAX + 1);

	if (got < 0 && errno == EBADF)
		return misused("descriptor 3 is closed");
	if (got < 0)
		return cannot_tell("request", strerror(errno));
	(void)close(REQUEST_FD); /* read to its end or given up */
	if (got > RECORD_MAX)
		return misused("request: longer than 512 bytes");
	*ret_len = (size_t)got;
	if (!is_record(record, ret_len))
		return misused("request: fewer than three NULs");
	if (!complete(record, ret_len, service))
		return misused("request: longer than 512 bytes");
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

/* The service that asks, or NULL. Returns how many arguments say it; -1: wrong. */
static int read_service(int argc, char **argv, const char **ret_service)
{
	*ret_service = NULL;
	if (argc > 1 && strcmp(argv[1], "--dovecot") == 0) {
		*ret_service = getenv("SERVICE");
		return *ret_service ? 1 : -1;
	}
	if (argc > 2 && strcmp(argv[1], "--service") == 0) {
		*ret_service = argv[2];
		return 2;
	}
	return argc > 1 && argv[1][0] == '-' ? -1 : 0;
}

int main(int argc, char **argv)
{
	const char *service;
	int used;
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
	used = read_service(argc, argv, &service);
	if (used < 0)
		return misused("no such option, or no SERVICE");
	argc -= used;
	argv += used;
	if (argc < 3)
		return misused("a socket and a program to run are needed");
	(void)signal(SIGALRM, on_alarm); /* a valid number */
	(void)alarm(SECONDS);
	code = receive(record, service, &len);
	if (code == 0)
		code = question(argv[1], record, len, &answer);
	explicit_bzero(record, sizeof record);
	return code ? code : run(&answer, argv + 2);
}
