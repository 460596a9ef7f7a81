/* SPDX-License-Identifier: MIT */
#include "lastlogin.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Young enough to be left alone? Not one from before since. What is no plain file of this box alone was
 * put there by whoever had a session in it, and goes. */
static bool is_young(const char *name, int64_t since)
{
	struct stat st;
	time_t now = time(NULL);

	if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return unlink(name) != 0; /* then better not touched */
	return st.st_mtime >= since && st.st_mtime <= now &&
	       now - st.st_mtime < LASTLOGIN_SECONDS;
}

void lastlogin_note(const char *name, int64_t since, const char *ip)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction size;
	char text[64];
	int fd, len;

	if (is_young(name, since))
		return;
	fd = open(name,
		  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK |
			  O_CLOEXEC,
		  0600);
	if (fd < 0)
		return;
	len = snprintf(text, sizeof text, "%.45s\n", ip);
	/* A limit on the size of files must not end the login. */
	(void)sigaction(SIGXFSZ, &ignore, &size); /* a valid number */
	if (write(fd, text, (size_t)len) != len)
		(void)unlink(name); /* no address is better than half a one */
	(void)sigaction(SIGXFSZ, &size, NULL);
	(void)close(fd); /* of no weight, see above */
}
