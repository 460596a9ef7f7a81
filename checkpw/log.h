/* SPDX-License-Identifier: MIT */
/* log.h: one line for every login.
 *
 *	popbox-checkpw: accept ip=192.0.2.7 box=ex1-0001 user=joe@example.com
 *	popbox-checkpw: accept ip=192.0.2.7 box=ex1-0001 app=phone user=joe@...
 *	popbox-checkpw: refuse ip=192.0.2.7 reason=mismatch user=joe@...
 *	popbox-checkpw: error ip=192.0.2.7 reason="store: busy" user=joe@...
 *
 * With --verdict " service=smtp peer=7791" stands before user: who asked.
 * What a ban tool needs stands before anything a stranger can choose. user is
 * printable ASCII without blanks, other bytes as \xHH, cut at 128. No call
 * here is ever given a password.
 */
#ifndef POPBOX_LOG_H
#define POPBOX_LOG_H

#include <stddef.h>

#include "store/config.h"

enum { LOG_USER_MAX = 128 };

struct log_line {
	const char *ip;	  /* TCPREMOTEIP or NULL; shown if it is an address */
	const char *user; /* bytes from a stranger, or NULL */
	size_t user_len;
	const char *asker; /* verdict_asker(), or NULL */
};

/* The text itself if it is an IP address, else "-". */
const char *log_ip(const char *text);

/* app: the app password that was used, or "". */
void log_accept(enum config_log where, const struct log_line *line,
		const char *box, const char *app);
/* reason is a word. */
void log_refuse(enum config_log where, const struct log_line *line,
		const char *reason);
/* what failed, a colon, and why; both ours. */
void log_error(enum config_log where, const struct log_line *line,
	       const char *what, const char *why);

/* What the administrator should know, and no login failed of; all ours. */
void log_note(enum config_log where, const char *what, const char *why,
	      const char *system);

/* The line of a login that a damaged page ended; from a signal handler, at a
 * moment when none of our own calls can have been interrupted in the middle of
 * anything that this needs. */
void log_fault(enum config_log where);

#endif
