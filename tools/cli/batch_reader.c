/* SPDX-License-Identifier: MIT */
#include "batch_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/say.h"
#include "popusr/confined.h"
#include "store/secret.h"

enum { HEAD = offsetof(struct batch_line, text) };

static bool is_blank(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r')
			return false;
	}
	return true;
}

/* What the child has: lines as they come, of which one may be too long. */
struct stream {
	int in, out;
	char bytes[BATCH_LINE_MAX + 1];
	size_t len;
	bool skips; /* to the end of a line that is too long */
	struct batch_line line;
};

static void send_line(struct stream *s, size_t len)
{
	if (s->skips)
		batch_line_fault(BATCH_TOO_LONG, &s->line);
	else if (is_blank(s->bytes, len))
		return;
	else
		batch_line_parse(s->bytes, len, &s->line);
	if (!confined_write(s->out, &s->line, HEAD + s->line.len))
		_exit(CODE_LATER); /* root's has ended */
	secret_wipe(&s->line, HEAD + s->line.len);
}

/* All whole lines that are there. */
static void send_lines(struct stream *s)
{
	char *end;

	while ((end = memchr(s->bytes, '\n', s->len)) != NULL) {
		const size_t len = (size_t)(end - s->bytes);

		send_line(s, len);
		s->skips = false;
		secret_wipe(s->bytes, len);
		s->len -= len + 1;
		memmove(s->bytes, end + 1, s->len);
		secret_wipe(s->bytes + s->len, len + 1);
	}
	if (s->len == sizeof s->bytes) {
		secret_wipe(s->bytes, s->len);
		s->skips = true;
		s->len = 0;
	}
}

__attribute__((noreturn)) static void serve(int in, int out)
{
	static struct stream s;
	ssize_t got;

	s.in = in;
	s.out = out;
	json_object_seed(0); /* while it can read its random number */
	if (!confined() || !confined_write(out, "+", 1))
		_exit(CODE_REFUSED);
	while ((got = confined_read(s.in, s.bytes + s.len,
				    sizeof s.bytes - s.len)) > 0) {
		s.len += (size_t)got;
		send_lines(&s);
	}
	if (got == 0 && (s.len || s.skips))
		send_line(&s, s.len);
	_exit(got == 0 ? CODE_DONE : CODE_LATER);
}

static bool settle_input(void)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const bool good = null >= 0 && dup2(null, STDIN_FILENO) == STDIN_FILENO;

	if (null >= 0)
		(void)close(null); /* a copy */
	return good;
}

int batch_reader_start(struct batch_reader *reader)
{
	int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	int pair[2] = {-1, -1};
	pid_t pid = -1;
	char ready = 0;
	bool good;

	reader->fd = -1;
	if (in >= 0 && pipe2(pair, O_CLOEXEC) == 0)
		pid = child_fork(
			&(struct child_keep){-1, -1, {in, pair[1], -1}});
	if (pid == 0)
		serve(in, pair[1]);
	child_watch(&reader->watch, pid, 0);
	if (pair[1] >= 0)
		(void)close(pair[1]); /* the child's end */
	if (in >= 0)
		(void)close(in);
	reader->fd = pair[0];
	good = pid > 0 && confined_read_all(reader->fd, &ready, 1) && settle_input();
	if (good)
		return CODE_DONE;
	batch_reader_stop(reader);
	return say_error(CODE_LATER,
			 "cannot start the process that reads the lines: it "
			 "cannot be confined here, or memory or descriptors "
			 "ran out");
}

void batch_reader_wait(const struct batch_reader *reader)
{
	struct pollfd wait = {.fd = reader->fd, .events = POLLIN};

	while (poll(&wait, 1, -1) < 0 && errno == EINTR)
		;
}

static enum batch_came broken(void)
{
	say_error(CODE_LATER,
		  "the process that reads the lines ended before their end: "
		  "what was answered is done, and nothing else");
	return BATCH_BROKEN;
}

enum batch_came batch_reader_next(struct batch_reader *reader,
				  struct batch_line *line)
{
	ssize_t got = confined_read(reader->fd, (char *)line, HEAD);
	int status;

	if (got > 0 && confined_read_all(reader->fd, (char *)line + got,
				HEAD - (size_t)got) &&
	    line->len <= sizeof line->text &&
	    confined_read_all(reader->fd, line->text, line->len))
		return BATCH_CAME;
	if (got != 0)
		return broken();
	status = child_end(&reader->watch);
	reader->watch.pid = -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == CODE_DONE ? BATCH_END
								     : broken();
}

void batch_reader_stop(struct batch_reader *reader)
{
	if (reader->fd >= 0)
		(void)close(reader->fd); /* read only */
	reader->fd = -1;
	child_stop(&reader->watch);
}
