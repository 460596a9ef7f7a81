/* SPDX-License-Identifier: MIT */
/* qmail-popup.c: stand-in for qmail-popup HOSTNAME PROG [ARG ...].
 *
 * USER and PASS, or APOP, once; hands the record to PROG on descriptor 3 and
 * stays as its parent. What becomes of lines is as seen on the real one: one
 * CR before LF goes, leading blanks of the argument go, trailing blanks and
 * 8-bit bytes stay, a NUL cuts, no limit on the length. With NO_APOP in the
 * environment it greets without a time stamp, as popups do that were patched
 * to offer no APOP; curl insists on APOP where it is offered.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

static char stamp[256];

static void say(const char *text)
{
	if (fputs(text, stdout) < 0 || fputs("\r\n", stdout) < 0 ||
	    fflush(stdout) != 0)
		_exit(1);
}

/* Writes a field with its NUL; what comes after a NUL inside is gone. */
static void put(int fd, const char *text)
{
	size_t len = strlen(text) + 1;

	while (len) {
		ssize_t done = write(fd, text, len);

		if (done <= 0) { /* PROG has gone */
			say("-ERR unable to write pipe");
			exit(1);
		}
		text += done;
		len -= (size_t)done;
	}
}

static void run(char **prog, const char *login, const char *password)
{
	int fd[2], status;
	pid_t pid;

	if (pipe(fd) != 0 || (pid = fork()) < 0) {
		say("-ERR unable to fork");
		exit(1);
	}
	if (pid == 0) {
		close(fd[1]);
		if (fd[0] != 3) {
			dup2(fd[0], 3);
			close(fd[0]);
		}
		execvp(prog[0], prog);
		_exit(1);
	}
	close(fd[0]);
	put(fd[1], login);
	put(fd[1], password);
	put(fd[1], stamp);
	close(fd[1]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		say("-ERR aack, child crashed");
	else if (WEXITSTATUS(status))
		say("-ERR authorization failed");
	exit(1);
}

static void pass(char **prog, const char *user, const char *text)
{
	if (!user)
		say("-ERR USER first");
	else if (!text[0])
		say("-ERR syntax error");
	else
		run(prog, user, text);
}

static void apop(char **prog, char *text)
{
	char *space = strchr(text, ' ');

	if (!space) {
		say("-ERR syntax error");
		return;
	}
	*space = 0;
	run(prog, text, space + 1);
}

/* One line: a word, blanks, its argument. */
static void command(char **prog, char *line)
{
	static char *user;
	char *text = line + strcspn(line, " ");

	if (*text)
		*text++ = 0;
	text += strspn(text, " ");
	if (strcasecmp(line, "user") == 0 && text[0]) {
		free(user);
		user = strdup(text);
		say("+OK ");
	} else if (strcasecmp(line, "user") == 0) {
		say("-ERR syntax error");
	} else if (strcasecmp(line, "pass") == 0) {
		pass(prog, user, text);
	} else if (strcasecmp(line, "apop") == 0) {
		apop(prog, text);
	} else if (strcasecmp(line, "noop") == 0) {
		say("+OK ");
	} else if (strcasecmp(line, "quit") == 0) {
		say("+OK ");
		exit(1); /* as any end does */
	} else {
		say("-ERR authorization first");
	}
}

int main(int argc, char **argv)
{
	char *line = NULL;
	char hello[300];
	size_t room = 0;
	ssize_t len;

	if (argc < 3) {
		say("-ERR usage: popup hostname subprogram");
		return 1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(stamp, sizeof stamp, "<%ld.%ld@%.200s>", (long)getpid(),
		       (long)time(NULL), argv[1]);
	(void)snprintf(hello, sizeof hello, "+OK %s",
		       getenv("NO_APOP") ? "" : stamp);
	say(hello);
	while ((len = getline(&line, &room, stdin)) > 0) {
		if (line[len - 1] != '\n')
			break; /* an unfinished line is none */
		line[--len] = 0;
		if (len && line[len - 1] == '\r')
			line[--len] = 0;
		command(argv + 2, line);
	}
	free(line);
	return 1;
}
