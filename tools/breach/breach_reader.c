/* SPDX-License-Identifier: MIT */
#include "breach_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"
#include "popusr/confined.h"

enum { HEAD = offsetof(struct breach_block, key), READ = 16384 };

struct sending {
	int out;
	struct breach_block block;
};

static void send_block(struct sending *s)
{
	const size_t len = HEAD + s->block.keys * sizeof s->block.key[0];

	if (!confined_write(s->out, &s->block, len))
		_exit(CODE_LATER); /* root's has ended */
	s->block.keys = 0;
}

static void on_key(void *arg, uint64_t key)
{
	struct sending *s = arg;

	s->block.key[s->block.keys++] = key;
	if (s->block.keys == BREACH_BLOCK)
		send_block(s);
}

static void send_report(struct sending *s, const struct breach_list *list)
{
	const struct breach_report report = {list->line, list->skipped,
					     list->form, list->fault};

	if (s->block.keys)
		send_block(s);
	send_block(s);
	if (!confined_write(s->out, &report, sizeof report))
		_exit(CODE_LATER); /* as above */
}

__attribute__((noreturn)) static void serve(int in, int out, bool words)
{
	static struct sending s;
	static struct breach_list list;
	static char bytes[READ];
	bool good = true;
	ssize_t got;

	s.out = out;
	list.form = words ? BREACH_WORDS : BREACH_UNSEEN;
	if (!confined() || !confined_write(out, "+", 1))
		_exit(CODE_REFUSED);
	do {
		got = confined_read(in, bytes, sizeof bytes);
		if (got < 0)
			_exit(CODE_LATER);
		s.block.read += (uint64_t)got;
		good = breach_list_feed(&list, bytes, (size_t)got, on_key, &s);
	} while (good && got > 0);
	send_report(&s, &list);
	_exit(CODE_DONE);
}

int breach_reader_start(struct breach_reader *reader, int fd, const char *name,
			bool words)
{
	int pair[2] = {-1, -1};
	pid_t pid = -1;
	char ready = 0;

	reader->name = name;
	if (pipe2(pair, O_CLOEXEC) == 0)
		pid = child_fork(
			&(struct child_keep){-1, -1, {fd, pair[1], -1}});
	if (pid == 0)
		serve(fd, pair[1], words);
	child_watch(&reader->watch, pid, 0);
	if (pair[1] >= 0)
		(void)close(pair[1]); /* the child's end */
	reader->fd = pair[0];
	if (pid > 0 && confined_read_all(reader->fd, &ready, 1))
		return CODE_DONE;
	breach_reader_stop(reader);
	return say_error(CODE_LATER,
			 "cannot start the process that reads '%s': it cannot "
			 "be confined here, or memory or descriptors ran out",
			 name);
}

/* All of it, while the child goes on. */
static bool take(struct breach_reader *reader, void *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t got = child_read(&reader->watch, reader->fd,
					 (char *)bytes + at, len - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

static int judge(const struct breach_reader *reader)
{
	const struct breach_report *report = &reader->report;
	const unsigned long long line = report->line;

	if (report->fault == BREACH_NTLM)
		return say_error(CODE_REFUSED,
				 "%s:%llu: this is a list of NT hashes: "
				 "popbox needs the one of SHA-1 sums",
				 reader->name, line);
	if (report->fault != BREACH_GOOD)
		return say_error(CODE_REFUSED,
				 "%s:%llu: no SHA-1 sum, as the lines before "
				 "are (if it is a list of words: --words)",
				 reader->name, line);
	return CODE_DONE;
}

int breach_reader_next(struct breach_reader *reader)
{
	struct breach_block *block = &reader->block;
	bool good = take(reader, block, HEAD) && block->keys <= BREACH_BLOCK &&
		    take(reader, block->key,
			 block->keys * sizeof block->key[0]);

	if (good && block->keys == 0)
		good = take(reader, &reader->report, sizeof reader->report);
	if (good)
		return block->keys ? CODE_DONE : judge(reader);
	if (reader->watch.why)
		return say_error(CODE_LATER,
				 "cannot read '%s': its process %s and was "
				 "ended",
				 reader->name, reader->watch.why);
	return say_error(CODE_LATER,
			 "cannot read '%s': it cannot be read to its end, or "
			 "the process that reads it failed",
			 reader->name);
}

void breach_reader_stop(struct breach_reader *reader)
{
	if (reader->fd >= 0)
		(void)close(reader->fd); /* read only */
	reader->fd = -1;
	child_stop(&reader->watch);
}
