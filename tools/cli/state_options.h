/* SPDX-License-Identifier: MIT */
/* state_options.h: login and delivery on a command line, for handles, domains and
 * boxes alike, by service and until a date; and suspending, which is the shorthand
 * for login off.
 */
#ifndef POPBOX_STATE_OPTIONS_H
#define POPBOX_STATE_OPTIONS_H

#include "args.h"
#include "expiry.h"
#include "store/store.h"

/* The options of every `set`. */
#define STATE_OPTIONS                                                          \
	{"--login", "on|off|SERVICES",                                         \
	 "may its users log in; or by which, as pop=off,smtp=on"},              \
		{"--expires", "DATE|+SPAN|never",                              \
		 "from when on they cannot"},                                  \
		{"--delivery", "on|off|hold",                                  \
		 "is mail delivered, sent back, or kept in qmail's queue"},    \
	{                                                                      \
		"--reason", "TEXT", "why, for those who ask; '' for none"      \
	}

struct state_options {
	bool set_login, login;
	unsigned set_services, off; /* which are said; which of those are off */
	bool set_expires;
	int64_t expires;
	bool resume; /* an end that has come is over, too */
	bool set_delivery;
	enum store_delivery delivery;
	bool set_reason;
	char reason[STORE_REASON_MAX + 1];
};

/* Of every `add`. */
#define STATE_EXPIRES                                                         \
	{                                                                     \
		"--expires", "DATE|+SPAN|never",                              \
			"from when on nobody logs in"                         \
	}
int state_options_expires(const struct args *args, int64_t *ret_expires);

/* What the options say. Returns the exit code. */
int state_options_read(const struct args *args,
		       struct state_options *ret_switches);

/* Those of `suspend` and `resume`. */
int state_options_suspend(const struct args *args,
			  struct state_options *ret_switches);
struct state_options state_options_resume(void);

/* Is there anything to set? */
bool state_options_any(const struct state_options *switches);

void state_options_apply(const struct state_options *switches,
			 struct store_state *state);

#endif
