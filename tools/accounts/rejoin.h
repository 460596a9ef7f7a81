/* SPDX-License-Identifier: MIT */
/* rejoin.h: what the deletion of a box took, put back when the box is undeleted.
 * The journal's entries of the deletion say what that was.
 */
#ifndef POPBOX_REJOIN_H
#define POPBOX_REJOIN_H

#include "base/text.h"
#include "store/store_write.h"

struct rejoin {
	unsigned long addresses; /* that are back */
	unsigned long groups;	 /* that lead to the box again as well */
	struct text lost; /* what could not be put back and why: texts, each
			   * with its NUL; rejoin_free frees them */
};

/* A box that exists again, and the change that deleted it. */
struct rejoin_box {
	struct name_box box;
	uint64_t group;
};

/* Inside a transaction in which the box exists again. group: the change that
 * deleted it. May be run again with the same struct. ERR_SYSTEM: no memory. */
MUST_USE enum err rejoin(struct store_txn *txn, const struct name_box *box,
			 uint64_t group, struct rejoin *ret_rejoin);

/* The same of many boxes, which it puts in order. Costs two walks through each of
 * the changes, however many boxes it deleted. */
MUST_USE enum err rejoin_all(struct store_txn *txn, struct rejoin_box *box,
			     size_t count, struct rejoin *ret_rejoin);

void rejoin_free(struct rejoin *rejoin);

#endif
