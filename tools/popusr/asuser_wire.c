/* SPDX-License-Identifier: MIT */
#include "asuser_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum kind { NONE, TEXT, DIALUP, REPORT, JOBS, ANSWERS };

/* The body that each operation has, in each direction. */
static const enum kind bodies[WIRE_OPS][2] = {
	[WIRE_QUOTA] = {TEXT, NONE},
	[WIRE_VACATION] = {TEXT, NONE},
	[WIRE_QMAIL] = {TEXT, NONE},
	[WIRE_PEEK] = {NONE, TEXT},
	[WIRE_LIST] = {NONE, TEXT},
	[WIRE_LASTLOGIN] = {NONE, TEXT},
	[WIRE_LASTAPPS] = {NONE, TEXT},
	[WIRE_MAKE_DIALUP] = {DIALUP, NONE},
	[WIRE_PEEK_DIALUP] = {NONE, DIALUP},
	[WIRE_LOOK] = {NONE, TEXT},
	[WIRE_AUDIT_BOX] = {TEXT, REPORT},
	[WIRE_AUDIT_DOMAIN] = {NONE, REPORT},
	[WIRE_AUDIT_QMAIL] = {TEXT, REPORT},
	[WIRE_AUDIT_DIALUP] = {DIALUP, REPORT},
	[WIRE_AUDIT_ROOT] = {NONE, REPORT},
	[WIRE_NAMES] = {NONE, TEXT},
	[WIRE_BULK] = {JOBS, ANSWERS},
};

/* Where a body lies, its room, and where its length is said; NULL: it is
 * always that long. */
struct body {
	void *at;
	size_t room;
	size_t *len;
};

static struct body body(struct wire *wire, enum wire_way way)
{
	switch (bodies[wire->head.op][way]) {
	case TEXT:
		return (struct body){wire->text, sizeof wire->text, &wire->len};
	case DIALUP:
		return (struct body){&wire->dialup, sizeof wire->dialup, NULL};
	case REPORT:
		return (struct body){wire->report.text,
				     sizeof wire->report.text,
				     &wire->report.len};
	case JOBS:
		return (struct body){wire->jobs, sizeof wire->jobs,
				     &wire->jobs_len};
	case ANSWERS:
		return (struct body){wire->answers, sizeof wire->answers,
				     &wire->answers_len};
	case NONE:
		break;
	}
	return (struct body){NULL, 0, NULL};
}

/* After a message that was lost the next answer would be to another request. */
static bool in_step(int fd, bool good)
{
	if (!good)
		(void)shutdown(fd, SHUT_RDWR); /* then it is gone already */
	return good;
}

bool wire_watch(int fd)
{
	const struct timeval tick = {.tv_usec = 200000};

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) ==
		       0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tick, sizeof tick) == 0;
}

/* After a call that was cut short. */
static bool again(struct child_watch *watch)
{
	return errno == EINTR ||
	       (errno == EAGAIN && watch && child_goes_on(watch));
}

bool wire_send(int fd, struct wire *wire, enum wire_way way,
	       struct child_watch *watch)
{
	struct wire_head *head = &wire->head;
	struct body b = body(wire, way);
	struct iovec part[3];
	struct msghdr message = {.msg_iov = part, .msg_iovlen = 3};
	ssize_t done;

	head->path_len = strlen(wire->path) + 1;
	head->body_len = b.len ? *b.len : b.room;
	if (way == WIRE_REPLY && head->rc != 0)
		head->body_len = 0; /* there is none */
	if (head->body_len > b.room)
		return false;
	head->full = wire->report.full;
	part[0] = (struct iovec){head, sizeof *head};
	part[1] = (struct iovec){wire->path, head->path_len};
	part[2] = (struct iovec){b.at, head->body_len};
	do
		done = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (done < 0 && again(watch));
	return in_step(fd, done == (ssize_t)(sizeof *head + head->path_len +
					     head->body_len));
}

/* Takes a message of that many bytes apart. */
static bool unpack(struct wire *wire, enum wire_way way, const char *from,
		   size_t len)
{
	struct wire_head *head = &wire->head;
	struct body b;

	if (len < sizeof *head)
		return false;
	memcpy(head, from, sizeof *head);
	from += sizeof *head;
	len -= sizeof *head;
	if ((unsigned)head->op >= WIRE_OPS)
		return false;
	b = body(wire, way);
	if (head->path_len == 0 || head->path_len > sizeof wire->path ||
	    head->body_len > b.room || head->path_len + head->body_len != len ||
	    from[head->path_len - 1])
		return false;
	memcpy(wire->path, from, head->path_len);
	if (b.at && head->body_len)
		memcpy(b.at, from + head->path_len, head->body_len);
	if (b.len)
		*b.len = head->body_len;
	wire->report.full = head->full;
	return true;
}

bool wire_recv(int fd, struct wire *wire, enum wire_way way,
	       struct child_watch *watch)
{
	static char bytes[sizeof(struct wire)]; /* one at a time */
	ssize_t got;

	do
		got = recv(fd, bytes, sizeof bytes, 0);
	while (got < 0 && again(watch));
	return in_step(fd, got > 0 && unpack(wire, way, bytes, (size_t)got));
}
