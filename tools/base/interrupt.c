/* SPDX-License-Identifier: MIT */
#include "interrupt.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "say.h"
#include "store/fault.h"

static const int signals[] = {SIGINT, SIGTERM};

enum { SIGNALS = sizeof signals / sizeof *signals };

static const char *volatile text;
static volatile pid_t owner;
static sigset_t before; /* interrupt_hold */

static volatile pid_t faults_owner;

static void on_fault(int number)
{
	static const char why[] =
		": a page of the store is damaged, or popbox has a defect "
		"(run 'popbox check')";
	const char *const parts[] = {"ended by SIG", sigabbrev_np(number), why,
				     text ? ": " : "", text ? text : ""};

	if (getpid() == faults_owner) {
		say_last(parts, sizeof parts / sizeof *parts);
		_exit(CODE_LATER);
	}
	(void)signal(number, SIG_DFL); /* valid numbers: cannot fail */
	(void)raise(number);	       /* comes when this returns */
}

void interrupt_faults(void)
{
	faults_owner = getpid();
	fault_catch(on_fault);
}

/* Children that were forked later have nothing to say. */
static void on_signal(int number)
{
	const char *const parts[] = {"interrupted: ", text};

	if (getpid() == owner)
		say_last(parts, sizeof parts / sizeof *parts);
	(void)signal(number, SIG_DFL); /* valid numbers: cannot fail */
	(void)raise(number);	       /* comes when this returns */
}

void interrupt_start(void)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct sigaction was;

	if (owner == getpid())
		return;
	owner = getpid();
	text = "nothing was changed";
	for (size_t i = 0; i < SIGNALS; i++) {
		/* Valid numbers: these cannot fail. */
		(void)sigaction(signals[i], NULL, &was);
		if (was.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
}

const char *interrupt_says(const char *what)
{
	const char *before_it = text;

	text = what;
	return before_it;
}

void interrupt_hold(void)
{
	sigset_t set;

	(void)sigemptyset(&set); /* valid numbers: these cannot fail */
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaddset(&set, signals[i]);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
}

void interrupt_release(void)
{
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
}
