/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

ssize_t ask_read(int fd, char *bytes, size_t max)
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

int ask(const char *path, const char *question, size_t len, char *answer,
	size_t max, size_t *ret_len)
{
	int fd = connect_to(path), rc;
	ssize_t got = -1;

	if (fd < 0)
		return errno;
	if (send_all(fd, question, len) && shutdown(fd, SHUT_WR) == 0)
		got = ask_read(fd, answer, max);
	rc = got < 0 ? errno : 0;
	(void)close(fd); /* the answer is here */
	if (rc == ECONNRESET || rc == EPIPE)
		got = rc = 0;
	if (rc == 0)
		*ret_len = (size_t)got;
	return rc;
}
