/* SPDX-License-Identifier: MIT */
/* popbox-rcptcheck: is there such a recipient? See popbox-rcptcheck(8).
 *
 * qmail-smtpd runs it for each RCPT, as qmaild, who may not read the store: it asks
 * a service over a Unix socket. The service is the same program with --serve: it
 * opens the store as root, becomes popusr, and only then reads the address.
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
#include "recipient.h"
#include "store/config.h"
#include "store/drop.h"
#include "store/fault.h"
#include "store/secret.h"

#define DEFAULT_STORE "/var/lib/popbox"
#define DEFAULT_SOCKET "/run/popbox-rcptcheck/socket"

enum { ADDRESS_FD = 3, SECONDS = 10 };

/* Those of s/qmail's modules for recipients; and of the RCPTCHECK patches, which
 * take any other code than these three for 0. */
enum { EXIT_THERE = 0, EXIT_NONE = 1, EXIT_MISUSED = 2, EXIT_LATER = 111 };
enum { RCPTCHECK_NONE = 100 };

/* One word and a newline is the whole answer. */
static const char *const answers[] = {
	[RECIPIENT_THERE] = "there\n",
	[RECIPIENT_NONE] = "none\n",
	[RECIPIENT_FOREIGN] = "foreign\n",
	[RECIPIENT_LATER] = "later\n",
};

static int cannot_tell(const char *what, const char *why)
{
	/* Who is told nothing has the code. */
	(void)fprintf(stderr, "popbox-rcptcheck: %s: %s\n", what, why);
	return EXIT_LATER;
}

static int misused(const char *why)
{
	(void)fprintf(stderr,
		      "popbox-rcptcheck: %s\n"
		      "usage: popbox-rcptcheck [SOCKET]\n"
		      "       popbox-rcptcheck [-d STOREDIR] --serve\n"
		      "the address comes on descriptor 3, or in RECIPIENT; "
		      "with --serve on descriptor 0, see popbox-rcptcheck(8)\n",
		      why);
	return EXIT_MISUSED;
}

static void on_alarm(int number)
{
	static const char text[] = "popbox-rcptcheck: not done in 10 seconds\n";

	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof text - 1); /* the code tells */
	_exit(EXIT_LATER);
}

/* LMDB faults on a damaged page, and aborts where it notices one. */
static void on_fault(int number)
{
	static const char text[] = "popbox-rcptcheck: store: a damaged page\n";

	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof text - 1); /* the code tells */
	_exit(EXIT_LATER);
}

static const char *why_text(enum err err)
{
	return err == ERR_SYSTEM ? strerrordesc_np(errno) : err_text(err);
}

/* Still root; nothing that a stranger sent has been read. */
static int prepare(const char *dir, struct config *config,
		   struct store **ret_store)
{
	struct config_fault fault = {0, NULL};
	enum err err = secret_start();
	const char *why;

	if (err != ERR_OK)
		return cannot_tell("random numbers", why_text(err));
	err = config_read(dir, config, &fault);
	if (err == ERR_INVALID)
		return cannot_tell("config", fault.why);
	if (err != ERR_OK)
		return cannot_tell("config", why_text(err));
	err = store_open_login(dir, ret_store);
	if (err != ERR_OK)
		return cannot_tell("store", why_text(err));
	why = drop_to(config->uid, config->gid);
	if (why)
		return cannot_tell(why, errno ? strerrordesc_np(errno) : "");
	return 0;
}

/* Reads it to its end or its first NUL. 0, or the code. */
static int receive(int fd, char address[RECIPIENT_MAX + 1])
{
	ssize_t len = ask_read(fd, address, RECIPIENT_MAX);

	if (len < 0 && errno == EBADF)
		return misused("no address: descriptor 3 is closed");
	if (len < 0)
		return cannot_tell("address", strerrordesc_np(errno));
	if (len == RECIPIENT_MAX && !memchr(address, 0, (size_t)len))
		return cannot_tell("address", "longer than 999 bytes");
	address[len] = 0;
	return address[0] ? 0 : misused("no address");
}

/* A few bytes, which a socket or a pipe takes at once. */
static bool put_answer(enum recipient answer)
{
	const size_t len = strlen(answers[answer]);

	(void)signal(SIGPIPE, SIG_IGN); /* a valid number */
	return write(STDOUT_FILENO, answers[answer], len) == (ssize_t)len;
}

static int serve(const char *dir)
{
	static struct config config;
	char address[RECIPIENT_MAX + 1];
	struct store *store = NULL;
	enum recipient answer = RECIPIENT_LATER;
	const char *what, *why;
	int code;

	fault_catch(on_fault);
	code = prepare(dir, &config, &store);
	if (code == 0)
		code = receive(STDIN_FILENO, address);
	if (code == 0)
		answer = recipient_judge(store, &config, address, &what, &why);
	if (code == 0 && answer == RECIPIENT_LATER)
		code = cannot_tell(what, why);
	store_close(&store);
	if (!put_answer(answer))
		code = EXIT_LATER; /* whoever asked is gone */
	return code;
}

static enum recipient parse(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		if (strlen(answers[i]) == len &&
		    memcmp(answers[i], text, len) == 0)
			return (enum recipient)i;
	}
	return RECIPIENT_LATER;
}

static int question(const char *path, const char *address,
		    enum recipient *ret_answer)
{
	char text[16];
	size_t len = 0;
	int rc = ask(path, address, strlen(address), text, sizeof text, &len);

	if (rc != 0)
		return cannot_tell(path, strerrordesc_np(rc));
	*ret_answer = parse(text, len);
	return *ret_answer == RECIPIENT_LATER
		       ? cannot_tell("the service",
				     "it cannot tell; its log says why")
		       : 0;
}

/* As a program of RCPTCHECK, whose only argument is its own name, or as a module
 * for s/qmail's recipients, of which the next one is asked behind a "no". */
static int client(const char *path)
{
	const char *recipient = getenv("RECIPIENT");
	char address[RECIPIENT_MAX + 1];
	enum recipient answer = RECIPIENT_LATER;
	int code = 0;

	if (recipient && strlen(recipient) < RECIPIENT_MAX)
		memcpy(address, recipient, strlen(recipient) + 1);
	else if (recipient)
		return cannot_tell("RECIPIENT", "longer than 999 bytes");
	else
		code = receive(ADDRESS_FD, address);
	if (code == 0)
		code = question(path, address, &answer);
	if (code != 0)
		return recipient && code == EXIT_MISUSED ? EXIT_LATER : code;
	switch (answer) {
	case RECIPIENT_THERE:
		return EXIT_THERE;
	case RECIPIENT_NONE:
		return recipient ? RCPTCHECK_NONE : EXIT_NONE;
	case RECIPIENT_FOREIGN:
		return recipient ? EXIT_THERE : EXIT_NONE;
	case RECIPIENT_LATER:
		break;
	}
	return EXIT_LATER;
}

static int version(void)
{
	(void)puts("popbox-rcptcheck " POPBOX_VERSION); /* the flush tells */
	return fflush(stdout) == 0 ? 0 : EXIT_LATER;
}

int main(int argc, char **argv)
{
	const char *dir = DEFAULT_STORE, *path = getenv("POPBOX_RCPTCHECK");
	int at = 1;

	if (!inherited_settle())
		return EXIT_LATER; /* nobody could be told */
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return version();
	(void)signal(SIGALRM, on_alarm); /* a valid number */
	(void)alarm(SECONDS);
	if (argc == 4 && strcmp(argv[1], "-d") == 0) {
		dir = argv[2];
		at = 3;
	}
	if (at + 1 == argc && strcmp(argv[at], "--serve") == 0)
		return serve(dir);
	if (argc > 2 || (argc == 2 && argv[1][0] == '-'))
		return misused(argc > 2 ? "too many arguments"
					: "no such option");
	return client(argc == 2 ? argv[1] : path ? path : DEFAULT_SOCKET);
}
