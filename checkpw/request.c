/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/secret.h"

const char *request_text(enum request_answer answer)
{
	switch (answer) {
	case REQUEST_OK:
		return "";
	case REQUEST_TOOLONG:
		return "request: longer than 512 bytes";
	case REQUEST_MALFORMED:
		return "request: fewer than three NULs";
	case REQUEST_LATE:
		return "request: it did not end in time";
	case REQUEST_UNREADABLE:
		return "request: it cannot be read";
	}
	return "request: unknown answer";
}

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
	return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until there is something to read, at most until the deadline. With
 * *ret_ended the writer is gone, so that no read will wait any more. */
static enum request_answer wait_until(int fd, long deadline, bool *ret_ended)
{
	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		long left = deadline - now_ms();
		int ready;

		if (left <= 0)
			return REQUEST_LATE;
		ready = poll(&pfd, 1, (int)left);
		if (ready > 0) {
			*ret_ended = pfd.revents & POLLHUP;
			return REQUEST_OK;
		}
		if (ready < 0 && errno != EINTR)
			return REQUEST_UNREADABLE;
	}
}

enum request_answer request_read(int fd, struct request *request)
{
	long deadline = now_ms() + REQUEST_WAIT_MS;
	bool ended = false;

	request->len = 0;
	while (request->len <= REQUEST_MAX) {
		enum request_answer answer = REQUEST_OK;
		ssize_t got;

		if (!ended)
			answer = wait_until(fd, deadline, &ended);
		if (answer != REQUEST_OK)
			return answer;
		got = read(fd, request->bytes + request->len,
			   REQUEST_MAX + 1 - request->len);
		if (got == 0)
			return request_parse(request);
		if (got > 0)
			request->len += (size_t)got;
		else if (errno == EAGAIN)
			ended = false; /* somebody opened it again */
		else if (errno != EINTR)
			return REQUEST_UNREADABLE;
	}
	return REQUEST_TOOLONG;
}

/* A text that may follow, or "". */
static const char *more(const char **at, const char *end)
{
	const char *text = *at;
	const char *nul = text < end ? memchr(text, 0, (size_t)(end - text))
				     : NULL;

	*at = nul ? nul + 1 : end;
	return nul ? text : "";
}

enum request_answer request_parse(struct request *request)
{
	const char *at = request->bytes;
	const char *end = at + request->len;
	const char *field[3];
	size_t len[3];

	if (request->len > REQUEST_MAX)
		return REQUEST_TOOLONG;
	for (int i = 0; i < 3; i++) {
		const char *nul = at < end ? memchr(at, 0, (size_t)(end - at))
					   : NULL;

		if (!nul)
			return REQUEST_MALFORMED;
		field[i] = at;
		len[i] = (size_t)(nul - at);
		at = nul + 1;
	}
	request->login = field[0];
	request->login_len = len[0];
	request->password = field[1];
	request->password_len = len[1];
	request->client = more(&at, end);
	request->service = more(&at, end);
	return REQUEST_OK;
}

void request_forget(struct request *request)
{
	size_t before = (size_t)(request->password - request->bytes);

	secret_wipe(request->bytes + before, request->password_len);
}
