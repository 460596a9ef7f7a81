/* SPDX-License-Identifier: MIT */
#include "bounce.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BOUNCE_MAX = 96 << 10 }; /* bytes of the message */

/* Copies of the message no more than that; the sender has it. */
static bool copy_start(FILE *out, FILE *message)
{
	char part[4096];
	size_t left = BOUNCE_MAX, got = 1;

	while (left && got) {
		got = fread(part, 1, left < sizeof part ? left : sizeof part,
			    message);
		(void)fwrite(part, 1, got, out); /* ferror tells */
		left -= got;
	}
	if (got && getc(message) != EOF)
		(void)fputs("\n--- The rest of the message is left out.\n",
			    out); /* the same */
	return !ferror(message) && !ferror(out);
}

/* Writes the bounce: why, and the message without our two lines. */
static bool write_bounce(FILE *out, const char *helo, const char *why,
			 FILE *message, const struct letter *letter)
{
	(void)fprintf(out,
		      "From: <MAILER-DAEMON@%s>\nTo: <%s>\n"
		      "Subject: failure notice\n\n"
		      "Your message could not be delivered to this address; it "
		      "will not be tried again.\n\n<%s>:\n%s\n\n"
		      "--- Below this line is a copy of the message.\n\n",
		      helo, letter->sender, letter->recipient, why);
	return fseek(message, (long)letter->head, SEEK_SET) == 0 &&
	       copy_start(out, message);
}

/* A bounce that cannot be delivered is nobody's; those of qmail's double
 * bounces, and of lists that are still to be told apart, end like this. */
static bool has_sender(const struct letter *letter)
{
	static const char nobody[] = "@[]";
	const size_t len = strlen(letter->sender);

	return len && (len < sizeof nobody - 1 ||
		       strcmp(letter->sender + len - (sizeof nobody - 1),
			      nobody) != 0);
}

bool bounce(const char *inject, const char *helo, const char *why,
	    FILE *message, const struct letter *letter)
{
	/* Behind the two hyphens is no option, whatever it looks like. */
	const char *const words[] = {inject, "-a", "-f", "", "--",
				     letter->sender, NULL};
	int fds[2], status = -1;
	bool whole;
	FILE *out;
	pid_t pid;

	if (!inject || !has_sender(letter) || pipe2(fds, O_CLOEXEC) != 0)
		return false;
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (dup2(fds[0], STDIN_FILENO) == STDIN_FILENO)
			execv(inject, (char **)(uintptr_t)words);
		_exit(127);
	}
	(void)close(fds[0]); /* the child's end */
	out = pid > 0 ? fdopen(fds[1], "w") : NULL;
	whole = out && write_bounce(out, helo, why, message, letter);
	if (!whole && pid > 0)
		(void)kill(pid, SIGTERM); /* our own: half of it must not go */
	if (out)
		whole = fclose(out) == 0 && whole;
	else
		(void)close(fds[1]); /* nothing was written */
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return whole && pid > 0 && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}
