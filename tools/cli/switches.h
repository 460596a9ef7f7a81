/* switches.h: login and delivery on a command line, for handles, domains and
 * boxes alike; and suspending, which is the shorthand for login off.
 */
#ifndef POPBOX_SWITCHES_H
#define POPBOX_SWITCHES_H

#include "args.h"
#include "store/store.h"

/* The options of every `set`. */
#define SWITCHES_OPTIONS                                                      \
	{"--login", "on|off", "may its users log in"},                        \
		{"--delivery", "on|off|hold",                                 \
		 "is mail delivered, sent back, or kept in qmail's queue"},   \
	{                                                                     \
		"--reason", "TEXT", "why, for those who ask; '' for none"     \
	}

struct switches {
	bool set_login, login;
	bool set_delivery;
	enum store_delivery delivery;
	bool set_reason;
	char reason[STORE_REASON_MAX + 1];
};

/* What the options say. Returns the exit code. */
int switches_read(const struct args *args, struct switches *ret_switches);

/* Those of `suspend` and `resume`. */
int switches_suspend(const struct args *args, struct switches *ret_switches);
struct switches switches_resume(void);

/* Is there anything to set? */
bool switches_any(const struct switches *switches);

void switches_apply(const struct switches *switches, struct store_state *state);

#endif
