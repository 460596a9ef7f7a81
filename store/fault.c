/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <signal.h>
#include <stddef.h>

void fault_catch(void (*handler)(int number))
{
	static const int faults[] = {
		SIGABRT,
#ifndef __SANITIZE_ADDRESS__ /* which tells more of these */
		SIGSEGV, SIGBUS, SIGFPE,
#endif
	};
	const struct sigaction action = {.sa_handler = handler};
	sigset_t set;

	(void)sigemptyset(&set); /* valid numbers, all of them */
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		(void)sigaction(faults[i], &action, NULL);
		(void)sigaddset(&set, faults[i]);
	}
	/* A fault that the caller had blocked would kill. */
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}
