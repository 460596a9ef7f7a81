/* SPDX-License-Identifier: MIT */
/* best.h: which of a box's addresses stands for it in a list: the one that
 * people write to. In this order:
 *
 *	not the catch-all
 *	not postmaster
 *	in a domain of the box's own handle
 *	one that leads to the box alone
 *	the first by domain, then by local part
 */
#ifndef POPBOX_BEST_H
#define POPBOX_BEST_H

#include "store/store.h"

/* ERR_NOTFOUND: it has none. Of a box with hundreds of addresses the first ones
 * are looked at. */
MUST_USE enum err best_address(struct store_txn *txn,
			       const struct name_box *box,
			       struct name_address *ret_name);

/* How far down is it by its local part alone? 0: no reason against it. */
unsigned best_rank(const struct name_local *local);

#endif
