/* SPDX-License-Identifier: MIT */
/* strike.c: makes one system call of a command fail, or kills its process there.
 *
 *	strike REPORT NR WHEN ERROR COMMAND [ARG ...]
 *
 * What is struck is, in each process of the command, the WHEN-th call with
 * number NR: it is not made, and ends with errno ERROR, or with kill -9 where
 * that is 0. REPORT gets a byte each time. Ends as the command did.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observer/step.h"

struct strike {
	int report;
	unsigned long when;
	int error;
};

#ifdef __x86_64__
static bool fail(pid_t pid, int error)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) != 0)
		return false;
	regs.orig_rax = (unsigned long long)-1; /* no call at all */
	regs.rax = (unsigned long long)-error;
	return ptrace(PTRACE_SETREGS, pid, 0, &regs) == 0;
}
#elif defined __aarch64__
static bool fail(pid_t pid, int error)
{
	struct user_regs_struct regs;
	struct iovec whole = {&regs, sizeof regs};
	int nr = -1; /* no call at all */
	struct iovec call = {&nr, sizeof nr};

	if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &call) != 0 ||
	    ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &whole) != 0)
		return false;
	regs.regs[0] = (unsigned long long)-error;
	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &whole) == 0;
}
#else
#error "how a call is left out on this processor"
#endif

static void before(void *arg, struct step_call *call)
{
	const struct strike *strike = arg;

	if (++call->note != strike->when)
		return;
	if (write(strike->report, "x", 1) != 1)
		abort();
	if (strike->error ? !fail(call->pid, strike->error)
			  : kill(call->pid, SIGKILL) != 0)
		abort();
}

int main(int argc, char **argv)
{
	struct strike strike;
	struct step step = {.before = before, .arg = &strike, .alone = true};
	pid_t pid;
	int status;

	if (argc < 6) {
		fputs("usage: strike REPORT NR WHEN ERROR COMMAND ...\n",
		      stderr);
		return 2;
	}
	step.nr = (unsigned)strtoul(argv[2], NULL, 10);
	strike.when = strtoul(argv[3], NULL, 10);
	strike.error = (int)strtol(argv[4], NULL, 10);
	strike.report = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			     0600);
	if (strike.report < 0) {
		perror(argv[1]);
		return 2;
	}
	status = step_run(argv + 5, &step, &pid);
	if (status == -1) {
		perror("ptrace");
		return 2;
	}
	if (WIFSIGNALED(status))
		(void)kill(getpid(), WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
