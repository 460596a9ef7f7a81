/* explain.h: the way of a message and of a login, walked through qmail's own
 * files as qmail would read them, and through the store.
 */
#ifndef POPBOX_EXPLAIN_H
#define POPBOX_EXPLAIN_H

#include "site.h"

/* What becomes of the message. */
enum explain {
	EXPLAIN_DELIVERED, /* into Maildirs, forwarded, handed to a program */
	EXPLAIN_REMOTE,	   /* to another host */
	EXPLAIN_LOCAL,	   /* to a user of this machine */
	EXPLAIN_DEFERRED,  /* tried again, until queuelifetime */
	EXPLAIN_BOUNCED,   /* sent back */
	EXPLAIN_REFUSED,   /* at the door, by qmail-smtpd */
};

/* Prints the steps of local@domain (A-labels), the first broken link, and what
 * becomes of it; then the login. Store and helper are open. Returns the exit
 * code: CODE_NO unless the mail gets somewhere. */
int explain(struct site *site, const char *local, const char *domain);

#endif
