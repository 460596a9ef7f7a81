/* SPDX-License-Identifier: MIT */
/* pops PORT CLIENTS COUNT LOGIN PASSWORD [ACCOUNTS]: so many POP3 clients at a
 * time on 127.0.0.1, each of which logs in and quits so many times. Prints how
 * many logins a second that were, all together; fails when one was refused.
 *
 * ACCOUNTS: each client polls so many accounts of its own in turns; their number
 * stands before LOGIN, from 0 on.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* One line that must begin with +OK. */
static int good(int fd)
{
	char line[512];
	size_t len = 0;
	ssize_t got;

	while (len < sizeof line && !memchr(line, '\n', len)) {
		got = read(fd, line + len, sizeof line - len);
		if (got <= 0)
			return 0;
		len += (size_t)got;
	}
	return len > 3 && memcmp(line, "+OK", 3) == 0;
}

static int say(int fd, const char *verb, const char *word)
{
	char line[512];
	int len = snprintf(line, sizeof line, "%s%s\r\n", verb, word);

	return len > 0 && (size_t)len < sizeof line &&
	       write(fd, line, (size_t)len) == len && good(fd);
}

static int session(const struct sockaddr_in *where, const char *login,
		   const char *password)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;
	int done;

	if (fd < 0)
		return 0;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	done = connect(fd, (const struct sockaddr *)(const void *)where,
		       sizeof *where) == 0 &&
	       good(fd) && say(fd, "USER ", login) &&
	       say(fd, "PASS ", password) && say(fd, "QUIT", "");
	(void)close(fd); /* all was said */
	return done;
}

static int client(const struct sockaddr_in *where, char **argv,
		  unsigned long number, unsigned long accounts)
{
	const unsigned long count = strtoul(argv[3], NULL, 10);
	char login[300];

	for (unsigned long k = 0; k < count; k++) {
		if (accounts)
			(void)snprintf(login, sizeof login, "%lu%s",
				       number * accounts + k % accounts,
				       argv[4]);
		else
			(void)snprintf(login, sizeof login, "%s", argv[4]);
		if (!session(where, login, argv[5]))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in where = {.sin_family = AF_INET};
	unsigned long clients, count, accounts;
	int status, bad = 0;
	double start = now();

	if (argc != 6 && argc != 7) {
		fprintf(stderr, "usage: pops PORT CLIENTS COUNT LOGIN "
				"PASSWORD [ACCOUNTS]\n");
		return 2;
	}
	where.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	clients = strtoul(argv[2], NULL, 10);
	count = strtoul(argv[3], NULL, 10);
	accounts = argc == 7 ? strtoul(argv[6], NULL, 10) : 0;
	for (unsigned long i = 0; i < clients; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (pid == 0)
			_exit(client(&where, argv, i, accounts));
	}
	for (unsigned long i = 0; i < clients; i++)
		bad |= wait(&status) < 0 || status;
	printf("%.3f\n", (double)(clients * count) / (now() - start));
	return bad;
}
