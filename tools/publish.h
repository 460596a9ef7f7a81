/* publish.h: making qmail's files say what the store says.
 *
 * Whatever the journal holds after the mark is owed. It is carried out in an
 * order in which a domain is accepted only while its mail can be delivered:
 *
 *	Maildirs, domain directories, .qmail files (by popusr)
 *	users/assign, qmail-newu
 *	control/virtualdomains, HUP
 *	control/rcpthosts
 *	the mark
 *
 * Every step is idempotent, so a crash anywhere costs nothing but doing it
 * again. What cannot be done is said, owed again, and does not stop the rest;
 * of a handle for which something failed no new domain is accepted.
 */
#ifndef POPBOX_PUBLISH_H
#define POPBOX_PUBLISH_H

#include "site.h"

/* Publishes what is owed, or with full everything. Another publisher at work:
 * leaves it to that one, says so. Returns the exit code. */
int publish(struct site *site, bool full);

/* Prints what publish would do, changing nothing; inside a transaction, which
 * may be one that is not going to be committed. *ret_steps counts. */
MUST_USE enum err publish_show(const struct site *site, struct store_txn *txn,
			       bool full, unsigned long *ret_steps);

#endif
