/* SPDX-License-Identifier: MIT */
/* popbox-vacation: a program line of a .qmail file, behind that of the Maildir, see
 * popbox-vacation(8) and qmail-command(8). qmail-local runs it as popusr, with the
 * message on standard input. The message is delivered by then: with another exit
 * code than 0 it would be delivered once more, so there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "answered.h"
#include "base/inherited.h"
#include "header.h"
#include "judge.h"
#include "maildir/vacation_file.h"
#include "queue.h"
#include "reply.h"

enum { SECONDS = 60 }; /* then qmail-local goes on without an answer */

/* qmail-send's log has both, with the delivery. */
static int trouble(const char *text, int rc)
{
	(void)fprintf(stderr, "popbox-vacation: not answered: %s%s%s\n", text,
		      rc ? ": " : "", rc ? strerror(rc) : "");
	return 0;
}

static int leave(const char *why)
{
	(void)printf("popbox-vacation: not answered: %s\n", why);
	return 0;
}

/* At most room bytes. */
static int read_up_to(int fd, char *bytes, size_t room, size_t *ret_len)
{
	*ret_len = 0;
	while (*ret_len < room) {
		const ssize_t got = read(fd, bytes + *ret_len, room - *ret_len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			break;
		*ret_len += (size_t)got;
	}
	return 0;
}

/* ENOENT: there is none, and no answer. */
static int read_file(int dir, char bytes[VACATION_FILE_MAX],
		     struct vacation_file *ret_file)
{
	const int fd = openat(dir, VACATION_FILE,
			      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
				      O_CLOEXEC);
	struct stat st;
	size_t len = 0;
	int rc = fd < 0 ? errno : 0;

	if (rc == 0 && fstat(fd, &st) != 0)
		rc = errno;
	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = EINVAL;
	if (rc == 0)
		rc = read_up_to(fd, bytes, VACATION_FILE_MAX, &len);
	if (fd >= 0)
		(void)close(fd); /* read only */
	return rc == 0 && !vacation_file_read(bytes, len, ret_file) ? EINVAL
								    : rc;
}

static int send(const char *queue, const struct reply *reply)
{
	static char text[REPLY_MAX];
	const size_t len = reply_write(reply, text);
	int rc;

	if (!len)
		return trouble("the answer is too long", 0);
	rc = queue_send(queue, reply->call->sender, text, len);
	if (rc > 0)
		return trouble(queue, rc);
	if (rc == QUEUE_KILLED)
		return trouble("qmail-queue was ended by a signal", 0);
	if (rc < 0) {
		(void)fprintf(stderr,
			      "popbox-vacation: not answered: %s exited %d\n",
			      queue, -rc);
		return 0;
	}
	(void)printf("popbox-vacation: answered\n");
	return 0;
}

static int answer(int dir, const char *queue, const struct judge_call *call,
		  const struct judge_facts *facts,
		  const struct vacation_file *file, int64_t now)
{
	struct reply reply = {.call = call,
			      .facts = facts,
			      .when = now,
			      .pid = (long)getpid(),
			      .text = file->text,
			      .len = file->len};
	int rc = 0;

	switch (answered_note(dir, call->sender, now, &rc)) {
	case ANSWERED_LATELY:
		return leave("its sender was answered within 7 days");
	case ANSWERED_FULL:
		return trouble("4096 senders were answered within 7 days", 0);
	case ANSWERED_UNKNOWN:
		return trouble(VACATION_SEEN, rc);
	case ANSWERED_NEVER:
		break;
	}
	/* What is there without it is unique enough. */
	(void)!getrandom(&reply.unique, sizeof reply.unique, GRND_NONBLOCK);
	return send(queue, &reply);
}

/* Of the message on standard input. */
static int judge(int dir, const char *queue, const struct judge_call *call,
		 const struct vacation_file *file, int64_t now)
{
	static char text[HEADER_MAX];
	struct judge_facts facts;
	const char *why = judge_sender(call);
	size_t len = 0, end;
	int rc;

	if (why)
		return leave(why);
	rc = read_up_to(STDIN_FILENO, text, sizeof text, &len);
	if (rc != 0)
		return trouble("the message", rc);
	end = header_end(text, len);
	if (!end && len == sizeof text)
		return leave("its header is larger than 64 KiB");
	why = judge_header(call, text, end ? end : len, &facts);
	return why ? leave(why)
		   : answer(dir, queue, call, &facts, file, now);
}

static int run(const char *maildir, const char *queue)
{
	const struct judge_call call = {getenv("SENDER"), getenv("EXT"),
					getenv("HOST")};
	static char bytes[VACATION_FILE_MAX];
	const int64_t now = time(NULL);
	struct vacation_file file;
	int dir, rc;

	if (!call.sender || !call.local || !call.domain)
		return trouble("SENDER, EXT and HOST are needed", 0);
	dir = open(maildir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return trouble(maildir, errno);
	rc = read_file(dir, bytes, &file);
	if (rc == ENOENT)
		return leave("there is no text");
	if (rc != 0)
		return trouble(VACATION_FILE, rc);
	if (!vacation_file_is_on(&file, now))
		return leave("it is not the time");
	return judge(dir, queue, &call, &file, now);
}

int main(int argc, char **argv)
{
	if (!inherited_settle())
		return 0; /* nobody could be told */
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("popbox-vacation " POPBOX_VERSION);
		return fflush(stdout) == 0 ? 0 : 111;
	}
	if (argc != 3) {
		(void)fputs("usage: popbox-vacation maildir qmail-queue\n",
			    stderr);
		return 0;
	}
	(void)alarm(SECONDS); /* that a caller set before counts no more */
	(void)signal(SIGALRM, SIG_DFL); /* whatever a caller left */
	return run(argv[1], argv[2]);
}
