/* SPDX-License-Identifier: MIT */
#include "askpass.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

enum { SIGNALS = sizeof signals / sizeof *signals };

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

bool askpass_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* One line; stops at a signal. The signals are blocked but for the wait, so
 * that none slips in between a look at `caught` and a read that never ends. */
static bool read_line(int fd, const sigset_t *open, char *bytes, size_t room,
		      size_t *ret_len)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	char c;

	for (;;) {
		ssize_t got = ppoll(&pfd, 1, NULL, open);

		if (got < 0 && errno == EINTR && !caught)
			continue;
		if (got > 0)
			got = read(fd, &c, 1);
		if (got <= 0) {
			if (got == 0)
				errno = 0;
			return false;
		}
		if (c == '\n')
			break;
		if (len == room) {
			errno = 0;
			return false;
		}
		bytes[len++] = c;
	}
	*ret_len = len;
	return true;
}

/* Without these a Ctrl-C would leave the terminal silent. They are blocked
 * from here on, before one can come; *ret_open is the mask that lets them in.
 * What the caller has us ignore stays ignored. (Valid numbers all: these calls
 * cannot fail.) */
static void catch_signals(struct sigaction before[SIGNALS], sigset_t *ret_open)
{
	const struct sigaction action = {.sa_handler = on_signal};
	sigset_t set;

	caught = 0;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaddset(&set, signals[i]);
	(void)sigprocmask(SIG_BLOCK, &set, ret_open);
	for (size_t i = 0; i < SIGNALS; i++) {
		(void)sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
}

/* One that came last of all is caught here, and raised by the caller. */
static void restore_signals(const struct sigaction before[SIGNALS],
			    const sigset_t *open)
{
	(void)sigprocmask(SIG_SETMASK, open, NULL);
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &before[i], NULL);
}

bool askpass_read(const char *prompt, char *ret_bytes, size_t room,
		  size_t *ret_len)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct sigaction before[SIGNALS];
	struct termios was, silent;
	sigset_t mask;
	bool good = false;
	int saved;

	if (fd < 0)
		return false;
	if (tcgetattr(fd, &was) != 0)
		goto out;
	silent = was;
	silent.c_lflag &= (tcflag_t)~(ECHO | ECHONL);
	catch_signals(before, &mask);
	if (tcsetattr(fd, TCSAFLUSH, &silent) == 0 &&
	    write(fd, prompt, strlen(prompt)) >= 0)
		good = read_line(fd, &mask, ret_bytes, room, ret_len);
	saved = errno;
	/* Best effort: there is no better terminal to complain on. */
	(void)tcsetattr(fd, TCSAFLUSH, &was);
	if (write(fd, "\n", 1) < 0)
		good = false;
	restore_signals(before, &mask);
	if (caught)
		(void)raise(caught); /* as if it had come a moment later */
	errno = saved;
out:
	(void)close(fd); /* the terminal's */
	return good;
}
