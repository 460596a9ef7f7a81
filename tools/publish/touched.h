/* SPDX-License-Identifier: MIT */
/* touched.h: the domains that a plan is about, for files that have one domain each
 * or are about all of them.
 */
#ifndef POPBOX_TOUCHED_H
#define POPBOX_TOUCHED_H

#include "plan.h"

/* Names of domains, each once and in order when sorted. */
struct touched {
	struct name_domain *name;
	size_t count, room;
};

/* False: no memory. */
bool touched_add(struct touched *touched, const struct name_domain *name);
void touched_sort(struct touched *touched);
bool touched_has(const struct touched *touched, const struct name_domain *name);
void touched_free(struct touched *touched);

/* The domains of the plan's items with their aliases, sorted; with boxes also those
 * of the addresses of its boxes, as the store says by now. Of a part those alone of
 * which no later part is: what a file says of a large domain is written once. A body
 * may run it again. */
MUST_USE enum err touched_by(struct store_txn *txn, const struct plan *plan,
			     bool boxes, struct touched *touched);

/* All domains of the store. */
MUST_USE enum err touched_all(struct store_txn *txn, struct touched *touched);

#endif
