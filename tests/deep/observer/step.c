/* SPDX-License-Identifier: MIT */
#include "step.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	THREADS = 512,
	CALL_STOP = SIGTRAP | 0x80,
	CALL_EVENT = SIGTRAP | PTRACE_EVENT_SECCOMP << 8,
};

struct thread {
	bool used;
	bool inside; /* of a system call */
	struct step_call call;
};

static struct thread threads[THREADS];

static struct thread *find(pid_t pid, bool *ret_new)
{
	struct thread *free_one = NULL;

	*ret_new = false;
	for (size_t i = 0; i < THREADS; i++) {
		if (threads[i].used && threads[i].call.pid == pid)
			return &threads[i];
		if (!threads[i].used && !free_one)
			free_one = &threads[i];
	}
	if (!free_one)
		abort(); /* so many threads does no command of ours start */
	*free_one = (struct thread){.used = true, .call.pid = pid};
	*ret_new = true;
	return free_one;
}

static void at_call(struct thread *thread, const struct step *step)
{
	struct __ptrace_syscall_info info = {0};
	struct step_call *call = &thread->call;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, call->pid, sizeof info, &info) <= 0)
		return; /* killed meanwhile */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		call->nr = info.entry.nr;
		memcpy(call->arg, info.entry.args, sizeof call->arg);
		call->note = 0;
		thread->inside = true;
		step->before(step->arg, call);
	} else if (info.op == PTRACE_SYSCALL_INFO_SECCOMP) {
		call->nr = info.seccomp.nr;
		memcpy(call->arg, info.seccomp.args, sizeof call->arg);
		step->before(step->arg, call);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && thread->inside) {
		call->ret = info.exit.rval;
		thread->inside = false;
		step->behind(step->arg, call);
	}
}

/* One stop; the signal to go on with. */
static int stopped(pid_t pid, int status, const struct step *step)
{
	const int number = WSTOPSIG(status);
	bool fresh;
	struct thread *thread = find(pid, &fresh);

	if (number == CALL_STOP || status >> 8 == CALL_EVENT)
		at_call(thread, step);
	else if (number == SIGTRAP && status >> 16)
		return 0; /* it has forked, or runs another program */
	else if (fresh && number == SIGSTOP)
		return 0; /* a new one begins so */
	else
		return number;
	return 0;
}

static long go_on(pid_t pid, const struct step *step, int number)
{
	return ptrace(step->alone ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0,
		      number);
}

static int follow(pid_t first, const struct step *step)
{
	int answer = -1, status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		bool fresh;

		if (WIFSTOPPED(status)) {
			int number = stopped(pid, status, step);

			/* Fails only for one that was killed. */
			(void)go_on(pid, step, number);
			continue;
		}
		find(pid, &fresh)->used = false;
		if (pid == first)
			answer = status;
	}
	return answer;
}

/* Every call with this number stops its caller, if a tracer asks for that. */
static bool filter(unsigned nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog all = {sizeof code / sizeof *code, code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) == 0;
}

static void be_command(char **argv, const struct step *step)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0 || raise(SIGSTOP) != 0 ||
	    (step->alone && !filter(step->nr)))
		_exit(126);
	execv(argv[0], argv);
	_exit(127);
}

int step_run(char **argv, const struct step *step, pid_t *ret_pid)
{
	static const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
				    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
				    PTRACE_O_TRACEEXEC |
				    PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;
	pid_t pid = fork();
	bool fresh;
	int status;

	if (pid == 0)
		be_command(argv, step);
	*ret_pid = pid;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0, options) != 0)
		return -1;
	(void)find(pid, &fresh);
	if (go_on(pid, step, 0) != 0)
		return -1;
	return follow(pid, step);
}

void step_kill(void)
{
	for (size_t i = 0; i < THREADS; i++) {
		if (threads[i].used) /* or it has ended */
			(void)kill(threads[i].call.pid, SIGKILL);
	}
}

size_t step_memory(pid_t pid, uint64_t at, void *bytes, size_t len)
{
	size_t got = 0;

	/* In parts: what lies behind a string may be no memory of its own. */
	while (got < len) {
		size_t part = 4096 - (size_t)((at + got) & 4095);
		struct iovec here, there;
		ssize_t n;

		if (part > len - got)
			part = len - got;
		here = (struct iovec){(char *)bytes + got, part};
		there = (struct iovec){(void *)(uintptr_t)(at + got), part};
		n = process_vm_readv(pid, &here, 1, &there, 1, 0);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}
