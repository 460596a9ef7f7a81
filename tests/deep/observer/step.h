/* SPDX-License-Identifier: MIT */
/* step.h: runs a command and stops it, and every process and thread that it
 * starts, at each system call, or at all calls of one name. ptrace(2), x86-64
 * and others alike.
 */
#ifndef DEEP_STEP_H
#define DEEP_STEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A system call of the process or thread pid. note is the caller's, kept from
 * before to after. */
struct step_call {
	pid_t pid;
	uint64_t nr;
	uint64_t arg[6];
	int64_t ret; /* negative: an errno */
	uint64_t note;
};

/* Called while the thread stands still: before its call, and behind it. */
typedef void step_stop(void *arg, struct step_call *call);

struct step {
	step_stop *before;
	step_stop *behind;
	void *arg;
	/* Only at the calls with number nr, and only before them, which costs
	 * others no stop (seccomp(2)). note is 0 in a new thread and kept. */
	bool alone;
	unsigned nr;
};

/* Until the last process has ended; the wait status of the command itself, or
 * -1 (errno). Whatever still runs dies with this program. */
int step_run(char **argv, const struct step *step, pid_t *ret_pid);

/* kill -9 for all that runs, at once. Called from a stop. */
void step_kill(void);

/* Up to len bytes of its memory; how many there were. */
size_t step_memory(pid_t pid, uint64_t at, void *bytes, size_t len);

#endif
