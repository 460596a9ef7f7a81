/* SPDX-License-Identifier: MIT */
/* explain.h: the way of a message and of a login: through qmail's own files as
 * qmail reads them, compared with what the store wants of them.
 */
#ifndef POPBOX_EXPLAIN_H
#define POPBOX_EXPLAIN_H

#include "accounts/site.h"

/* What becomes of the message. Of an address that only forwards inside the
 * site: what becomes of it in the end. */
enum explain {
	EXPLAIN_DELIVERED, /* into Maildirs, forwarded, handed to a program */
	EXPLAIN_REMOTE,	   /* to another host */
	EXPLAIN_LOCAL,	   /* to a user of this machine, popusr apart */
	EXPLAIN_DEFERRED,  /* tried again, until queuelifetime */
	EXPLAIN_BOUNCED,   /* sent back */
	EXPLAIN_REFUSED,   /* at the door, by qmail-smtpd */
};

/* Prints the steps of an address (local@domain, in A-labels), what the store
 * wants otherwise and which command repairs it, the first broken link, and what
 * becomes of the message; then the login. Store and helper are open. Returns
 * the exit code: CODE_NO unless the mail gets where the store wants it. */
int explain(struct site *site, const char *address);

#endif
