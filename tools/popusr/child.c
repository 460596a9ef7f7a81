/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/drop.h"

enum { TICK_MS = 200 };

/* Where the drop takes the parent's death signal away, the parent may be gone
 * before it is asked for again. */
static pid_t parent;

static bool die_with_parent(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

/* An ignored signal stays ignored over an exec. */
static bool reset_signals(void)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM,
				      SIGPIPE};
	sigset_t none;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		(void)signal(signals[i], SIG_DFL); /* valid numbers */
	return sigemptyset(&none) == 0 &&
	       sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

/* Root's words are wiped where they lie: the child could be made to show them. */
static bool own_environment(void)
{
	static char path[4096] = "PATH=/usr/bin:/bin";
	static char *own[] = {path, NULL, NULL, NULL};
	const char *old = getenv("PATH");

	if (environ == own)
		return true; /* the child of a child has it already */
	if (old && strlen(old) < sizeof path - sizeof "PATH=")
		(void)stpcpy(stpcpy(path, "PATH="), old);
	for (size_t i = 0; environ && environ[i]; i++) {
#ifdef __SANITIZE_ADDRESS__
		if (strncmp(environ[i], "ASAN_OPTIONS=", 13) == 0) {
			own[1] = environ[i]; /* says what a test may say */
			continue;
		}
#endif
		explicit_bzero(environ[i], strlen(environ[i]));
	}
	environ = own;
	return true;
}

static bool close_between(unsigned first, unsigned end)
{
	return first >= end || close_range(first, end - 1, 0) == 0;
}

static int by_number(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool own_descriptors(const struct child_keep *keep)
{
	int fd[3] = {keep->fd[0], keep->fd[1], keep->fd[2]};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned next = 3;

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(keep->out < 0 ? null : keep->out, STDOUT_FILENO) < 0)
		return false;
#ifdef __SANITIZE_ADDRESS__
	if (keep->err < 0)
		null = STDERR_FILENO; /* what a sanitizer finds is said there */
#endif
	if (dup2(keep->err < 0 ? null : keep->err, STDERR_FILENO) < 0)
		return false;
	qsort(fd, 3, sizeof *fd, by_number);
	for (size_t i = 0; i < 3; i++) {
		if (fd[i] < 3)
			continue;
		if (!close_between(next, (unsigned)fd[i]))
			return false;
		next = (unsigned)fd[i] + 1;
	}
	return close_range(next, ~0U, 0) == 0;
}

pid_t child_fork(const struct child_keep *keep)
{
	pid_t pid;

	parent = getpid();
	pid = fork();
	if (pid != 0)
		return pid;
	/* Its parent sees its end, whatever of this could not be had. */
	if (!die_with_parent() || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setsid() < 0 || !reset_signals() || !own_environment() ||
	    !own_descriptors(keep))
		_exit(127);
	return 0;
}

const char *child_drop(uid_t uid, gid_t gid)
{
	const char *why = drop_to(uid, gid);

	if (!why && !die_with_parent())
		why = "its parent has ended";
	return why;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* always there */
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

void child_watch(struct child_watch *watch, pid_t pid, unsigned limit)
{
	*watch = (struct child_watch){.pid = pid,
				      .limit = limit ? limit : CHILD_SILENCE};
	child_heard(watch);
}

void child_heard(struct child_watch *watch)
{
	(void)clock_gettime(CLOCK_MONOTONIC, &watch->since); /* as above */
}

static bool is_stopped(pid_t pid)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_PID, (id_t)pid, &info,
		      WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == pid;
}

bool child_goes_on(struct child_watch *watch)
{
	if (watch->why)
		return false;
	if (is_stopped(watch->pid))
		watch->why = "was stopped by another process";
	else if (seconds_since(&watch->since) >= watch->limit)
		watch->why = "gave no answer for too long";
	else
		return true;
	if (watch->pid > 0)
		(void)kill(watch->pid, SIGKILL); /* ours, not waited for */
	return false;
}

ssize_t child_read(struct child_watch *watch, int fd, void *bytes, size_t room)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t got;
	int ready;

	do {
		ready = poll(&wait, 1, TICK_MS);
		if (ready < 0 && errno != EINTR)
			return -1;
		if (ready <= 0 && !child_goes_on(watch)) {
			errno = ETIMEDOUT;
			return -1;
		}
	} while (ready <= 0);
	do
		got = read(fd, bytes, room);
	while (got < 0 && errno == EINTR);
	child_heard(watch);
	return got;
}

int child_end(struct child_watch *watch)
{
	struct pollfd wait = {.fd = pidfd_open(watch->pid, 0),
			      .events = POLLIN};
	int status;
	pid_t pid;

	child_heard(watch);
	while ((pid = waitpid(watch->pid, &status, WNOHANG)) == 0 ||
	       (pid < 0 && errno == EINTR)) {
		/* Its end comes at once, a stop does not; without descriptors
		 * it only takes longer. */
		if (poll(&wait, 1, TICK_MS) == 0)
			(void)child_goes_on(watch); /* killed, it ends */
	}
	if (wait.fd >= 0)
		(void)close(wait.fd); /* a handle only */
	return pid < 0 ? -1 : status;
}

void child_stop(struct child_watch *watch)
{
	if (watch->pid <= 0)
		return;
	(void)kill(watch->pid, SIGKILL); /* ours, not waited for */
	(void)child_end(watch);		 /* however it ends */
	watch->pid = -1;
}
