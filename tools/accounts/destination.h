/* SPDX-License-Identifier: MIT */
/* destination.h: whether mail to an address arrives, as far as the store alone
 * says: no forward inside the site may lead nowhere, none back to itself.
 */
#ifndef POPBOX_DESTINATION_H
#define POPBOX_DESTINATION_H

#include "store/store_write.h"

/* Rules that a store may break without being damaged; popbox-store(5). */
enum { DESTINATION_RULE_DEAD = 16, DESTINATION_RULE_LOOP = 17 };

/* What becomes of a forward that leads nowhere. */
enum destination_dead {
	DESTINATION_REFUSE,
	DESTINATION_OFFER, /* the same, and --force is said to take it */
	DESTINATION_TAKE   /* its target may come later */
};

/* An address that was added or changed, inside its transaction. ERR_INVALID, with
 * a reason: a loop, or a forward of its own that leads nowhere. */
MUST_USE enum err destination_judge(struct store_txn *txn,
				    const struct name_address *name,
				    enum destination_dead dead);

/* Both rules over the whole store; report as in store_check, *found goes up. */
MUST_USE enum err destination_check(struct store_txn *txn,
				    store_report *report, void *arg,
				    unsigned long *found);

#endif
