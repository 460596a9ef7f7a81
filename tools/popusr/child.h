/* SPDX-License-Identifier: MIT */
/* child.h: a process of ours that gives root up, and how root waits for it: the
 * same for each of them.
 *
 * Other processes of its user may send it any signal, and a defect may put it
 * into a stranger's hands. So it gets nothing of root's that it does not need,
 * and root waits for it only as long as it goes on.
 */
#ifndef POPBOX_CHILD_H
#define POPBOX_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "store/err.h"

/* Seconds that root waits for a sign of life. */
#ifndef CHILD_SILENCE
#define CHILD_SILENCE 300
#endif

/* What goes over: descriptors, -1 for none. The child has the same numbers, but
 * for out and err, which become its 1 and 2. */
struct child_keep {
	int out, err; /* -1: /dev/null */
	int fd[3];
};

/* Forks. In the child, 0: a session of its own, so no terminal and none of its
 * signals; /dev/null as standard input; no other descriptor of the parent's; an
 * environment that has PATH alone, the parent's wiped; signals that
 * end a process do so; it cannot be traced; it dies with its parent. It still is root. -1:
 * errno. */
MUST_USE pid_t child_fork(const struct child_keep *keep);

/* In the child: gives root up for good, as drop_to (drop.h), and keeps the above.
 * NULL, or what failed. */
MUST_USE const char *child_drop(uid_t uid, gid_t gid);

/* Waiting for a child that was forked. */
struct child_watch {
	pid_t pid;
	unsigned limit; /* seconds */
	struct timespec since;
	const char *why; /* NULL: it goes on; else why it was killed */
};

/* With a limit of 0: CHILD_SILENCE. pid may be -1, of one that was never there. */
void child_watch(struct child_watch *watch, pid_t pid, unsigned limit);
/* It gave a sign of life. */
void child_heard(struct child_watch *watch);

/* To be asked a few times a second by whoever waits. False: it was stopped, or
 * was silent for longer than the limit; it is killed then, not waited for, and
 * watch->why says which. */
bool child_goes_on(struct child_watch *watch);

/* Up to so many bytes from a pipe of the child's, as read(2), but no longer than
 * the child goes on; then -1 with ETIMEDOUT. */
ssize_t child_read(struct child_watch *watch, int fd, void *bytes, size_t room);

/* Waits for its end, and kills it if it does not come to it: how it ended, as
 * waitpid says. -1: errno. */
int child_end(struct child_watch *watch);

/* Kills it, if there is one, and waits for that; watch->pid is -1 then. */
void child_stop(struct child_watch *watch);

#endif
