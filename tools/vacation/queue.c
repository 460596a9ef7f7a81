/* SPDX-License-Identifier: MIT */
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE, ENVELOPE }; /* the descriptors of qmail-queue */

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		const ssize_t put = write(fd, bytes, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno;
		bytes += put;
		len -= (size_t)put;
	}
	return 0;
}

/* The child. A pipe's end may have the number of the other's place, so both move
 * out of the way first. */
_Noreturn static void run(const char *path, int message, int envelope)
{
	const char *const argv[] = {"qmail-queue", NULL};
	const int high[] = {fcntl(message, F_DUPFD, 3),
			    fcntl(envelope, F_DUPFD, 3)};

	(void)signal(SIGPIPE, SIG_DFL); /* as qmail-local left it */
	if (high[0] >= 0 && high[1] >= 0 && dup2(high[0], MESSAGE) >= 0 &&
	    dup2(high[1], ENVELOPE) >= 0 && close(high[0]) == 0 &&
	    close(high[1]) == 0)
		(void)execv(path, (char **)(uintptr_t)argv);
	_exit(127);
}

static int await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return WIFEXITED(status) ? -WEXITSTATUS(status) : QUEUE_KILLED;
}

/* The sender is F and what follows, each recipient T; a NUL behind each, and one
 * more. */
static int write_envelope(int fd, const char *recipient)
{
	int rc = write_all(fd, "F\0T", 3);

	if (rc == 0)
		rc = write_all(fd, recipient, strlen(recipient) + 1);
	return rc == 0 ? write_all(fd, "", 1) : rc;
}

/* The ends that are left open are closed by the caller's end. */
int queue_send(const char *path, const char *recipient, const char *text,
	       size_t len)
{
	int message[2], envelope[2], rc, ended;
	pid_t pid;

	if (pipe2(message, O_CLOEXEC) != 0 || pipe2(envelope, O_CLOEXEC) != 0)
		return errno;
	(void)signal(SIGPIPE, SIG_IGN); /* it may end early, and says why */
	pid = fork();
	if (pid == 0)
		run(path, message[0], envelope[0]);
	if (pid < 0)
		return errno;
	(void)close(message[0]); /* read ends */
	(void)close(envelope[0]);
	rc = write_all(message[1], text, len);
	(void)close(message[1]); /* a pipe */
	if (rc == 0) /* without an envelope it queues nothing */
		rc = write_envelope(envelope[1], recipient);
	(void)close(envelope[1]); /* the same */
	ended = await(pid);
	return ended ? ended : rc;
}
