/* SPDX-License-Identifier: MIT */
#include "batch_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/say.h"
#include "store/secret.h"

enum { NOBODY = 65534, HEAD = offsetof(struct batch_line, text) };

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

/* Reading, writing, memory, and the end; the rest of them is asked by nobody but
 * tools that look for defects. */
static const unsigned allowed[] = {
	SYS_read, SYS_write, SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap,
	SYS_madvise, SYS_exit, SYS_exit_group, SYS_rt_sigreturn,
	SYS_rt_sigprocmask, SYS_getpid, SYS_gettid, SYS_clock_gettime,
};

enum { ALLOWED = sizeof allowed / sizeof *allowed };

/* All but these are refused with EPERM. */
static bool confine(void)
{
#if defined(THIS_ARCH) && !defined(__SANITIZE_ADDRESS__)
	struct sock_filter code[ALLOWED + 6];
	struct sock_fprog program = {.filter = code};
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						 THIS_ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						 SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned char i = 0; i < ALLOWED; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, allowed[i],
			(unsigned char)(ALLOWED - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						 SECCOMP_RET_ERRNO | EPERM);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						 SECCOMP_RET_ALLOW);
	program.len = n;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
#else
	return true;
#endif
}

static ssize_t read_some(int fd, char *bytes, size_t room)
{
	ssize_t got;

	do
		got = read(fd, bytes, room);
	while (got < 0 && errno == EINTR);
	return got;
}

static void write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t put = write(fd, at, len);

		if (put < 0 && errno != EINTR)
			_exit(CODE_LATER); /* root's has ended */
		if (put > 0) {
			at += put;
			len -= (size_t)put;
		}
	}
}

static bool is_blank(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!memchr(" \t\r", bytes[i], 3))
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
	write_all(s->out, &s->line, HEAD + s->line.len);
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
	if (child_drop(geteuid() == 0 ? NOBODY : geteuid(),
		       geteuid() == 0 ? NOBODY : getegid()) ||
	    !confine())
		_exit(CODE_REFUSED);
	write_all(out, "+", 1);
	while ((got = read_some(s.in, s.bytes + s.len,
				sizeof s.bytes - s.len)) > 0) {
		s.len += (size_t)got;
		send_lines(&s);
	}
	if (got == 0 && (s.len || s.skips))
		send_line(&s, s.len);
	_exit(got == 0 ? CODE_DONE : CODE_LATER);
}

/* Of whatever length the parts are in which it comes. */
static bool read_all(int fd, void *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t got = read_some(fd, (char *)bytes + at, len - at);

		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
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
	good = pid > 0 && read_all(reader->fd, &ready, 1) && settle_input();
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
	ssize_t got = read_some(reader->fd, (char *)line, HEAD);
	int status;

	if (got > 0 && read_all(reader->fd, (char *)line + got,
				HEAD - (size_t)got) &&
	    line->len <= sizeof line->text &&
	    read_all(reader->fd, line->text, line->len))
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
	if (reader->watch.pid <= 0)
		return;
	(void)kill(reader->watch.pid, SIGKILL); /* ours, not waited for */
	(void)child_end(&reader->watch);	/* however it ends */
	reader->watch.pid = -1;
}
