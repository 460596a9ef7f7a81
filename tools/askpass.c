#include "askpass.h"

#include <errno.h>
#include <fcntl.h>
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

/* One line; stops at a signal. */
static bool read_line(int fd, char *bytes, size_t room, size_t *ret_len)
{
	size_t len = 0;
	char c;

	for (;;) {
		ssize_t got = read(fd, &c, 1);

		if (got < 0 && errno == EINTR && !caught)
			continue;
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

/* Without these a Ctrl-C would leave the terminal silent. */
static void catch_signals(struct sigaction before[SIGNALS])
{
	const struct sigaction action = {.sa_handler = on_signal};

	caught = 0;
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &action, &before[i]); /* valid */
}

static void restore_signals(const struct sigaction before[SIGNALS])
{
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &before[i], NULL); /* valid */
}

bool askpass_read(const char *prompt, char *ret_bytes, size_t room,
		  size_t *ret_len)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct sigaction before[SIGNALS];
	struct termios was, silent;
	bool good = false;
	int saved;

	if (fd < 0)
		return false;
	if (tcgetattr(fd, &was) != 0)
		goto out;
	silent = was;
	silent.c_lflag &= (tcflag_t)~(ECHO | ECHONL);
	catch_signals(before);
	if (tcsetattr(fd, TCSAFLUSH, &silent) == 0 &&
	    write(fd, prompt, strlen(prompt)) >= 0)
		good = read_line(fd, ret_bytes, room, ret_len);
	saved = errno;
	/* Best effort: there is no better terminal to complain on. */
	(void)tcsetattr(fd, TCSAFLUSH, &was);
	if (write(fd, "\n", 1) < 0)
		good = false;
	restore_signals(before);
	if (caught)
		(void)raise(caught); /* as if it had come a moment later */
	errno = saved;
out:
	(void)close(fd); /* the terminal's */
	return good;
}
