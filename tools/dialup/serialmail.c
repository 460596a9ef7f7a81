/* SPDX-License-Identifier: MIT */
#include "serialmail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"
#include "popusr/child.h"
#include "popusr/relay.h"
#include "round.h"

enum { TICK_MS = 200, MERCY_S = 5 };

static volatile sig_atomic_t asked; /* to end: which signal */

static void on_end(int number)
{
	asked = number;
}

/* A terminal's Ctrl-C does not reach the round, which has none. */
static void catch_ends(void)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	const struct sigaction action = {.sa_handler = on_end};
	struct sigaction was;

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		/* Valid numbers: these cannot fail. */
		(void)sigaction(ends[i], NULL, &was);
		if (was.sa_handler != SIG_IGN)
			(void)sigaction(ends[i], &action, NULL);
	}
}

/* Our own sender lies beside us, in a directory that popusr need not reach. */
static int find_own(void)
{
	static const char name[] = "popbox-maildirsmtp";
	char path[PATH_MAX + sizeof name];
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[len > 0 ? len : 0] = 0;
	slash = strrchr(path, '/');
	path[slash ? slash + 1 - path : 0] = 0;
	len = (ssize_t)strlen(path);
	memcpy(path + len, name, sizeof name);
	return open(path, O_PATH | O_CLOEXEC);
}

/* What came from one pipe. False: its end. */
static bool take(const struct pollfd *from, struct relay *relay,
		 struct child_watch *watch)
{
	char bytes[4096];
	ssize_t got;

	if (from->fd < 0 || !from->revents)
		return from->fd >= 0;
	got = read(from->fd, bytes, sizeof bytes);
	if (got < 0)
		return errno == EINTR;
	child_heard(watch);
	relay_put(relay, bytes, (size_t)got);
	return got > 0;
}

/* Tells the round once to end. It has a moment for that. */
static void pass_on(struct child_watch *watch)
{
	static bool done;

	if (!asked || done)
		return;
	done = true;
	(void)kill(watch->pid, SIGTERM); /* ours, not waited for */
	watch->limit = MERCY_S;
	child_heard(watch);
}

/* Passes on what the round says, until it is done. */
static void follow(struct child_watch *watch, int out, int err)
{
	struct relay relay[2] = {{.to = stdout}, {.to = stderr}};
	struct pollfd from[2] = {{.fd = out, .events = POLLIN},
				 {.fd = err, .events = POLLIN}};

	while (from[0].fd >= 0 || from[1].fd >= 0) {
		int ready = poll(from, 2, TICK_MS);

		pass_on(watch);
		if (!child_goes_on(watch))
			break;
		for (size_t i = 0; ready > 0 && i < 2; i++) {
			if (!take(&from[i], &relay[i], watch))
				from[i].fd = -1;
		}
	}
	for (size_t i = 0; i < 2; i++)
		relay_end(&relay[i]);
}

static int settle(struct child_watch *watch)
{
	const int status = child_end(watch);

	if (asked) {
		(void)signal(asked, SIG_DFL); /* valid numbers: cannot fail */
		(void)raise(asked);	      /* as if it had come now */
	}
	if (watch->why)
		return say_error(CODE_LATER, "the round %s: it was ended",
				 watch->why);
	if (WIFEXITED(status) && (WEXITSTATUS(status) == CODE_DONE ||
				  WEXITSTATUS(status) == CODE_LATER))
		return WEXITSTATUS(status);
	return say_error(CODE_LATER, "the round was ended by a signal");
}

static void close_pair(const int pair[2])
{
	for (size_t i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			(void)close(pair[i]); /* a pipe */
	}
}

int serialmail(const struct site *site, const struct serialmail *how)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, code, own = find_own();
	struct child_watch watch;
	pid_t pid = -1;

	catch_ends();
	(void)fflush(NULL); /* said once */
	if (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0)
		pid = child_fork(
			&(struct child_keep){out[1], err[1], {own, -1, -1}});
	if (pid == 0)
		_exit(say_finish(round_run(site, how, own)));
	if (pid < 0) {
		code = say_error(CODE_LATER, "cannot start the round: %s",
				 strerror(errno));
	} else {
		(void)close(out[1]); /* the child's ends */
		(void)close(err[1]);
		out[1] = err[1] = -1;
		child_watch(&watch, pid, 0);
		follow(&watch, out[0], err[0]);
		code = settle(&watch);
	}
	close_pair(out);
	close_pair(err);
	if (own >= 0)
		(void)close(own); /* a handle only */
	return code;
}
