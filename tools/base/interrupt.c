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

void interrupt_says(const char *what)
{
	text = what;
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

struct held {
	store_body *body;
	void *arg;
	bool holds;
	const char *text; /* what was to be said before */
};

/* What comes behind the body is the commit. */
static enum err held_body(struct store_txn *txn, void *arg)
{
	struct held *held = arg;
	enum err err = held->body(txn, held->arg);

	if (err == ERR_OK && !held->holds) {
		interrupt_hold();
		held->holds = true;
		/* A fault cannot be held. */
		held->text = text;
		interrupt_says("'popbox log' shows whether the store was "
			       "changed");
	}
	return err;
}

enum err interrupt_commit(struct store *store, const struct store_actor *actor,
			  store_body *body, void *arg, uint64_t *ret_last,
			  const char *then)
{
	struct held held = {body, arg, false, NULL};
	enum err err = store_write(store, actor, held_body, &held, true,
				   ret_last);

	if (err == ERR_OK)
		interrupt_says(then);
	else if (held.holds)
		interrupt_says(held.text);
	if (held.holds)
		interrupt_release();
	return err;
}
