/* SPDX-License-Identifier: MIT */
/* target_operand.h: what TARGET on a command line makes of an address.
 */
#ifndef POPBOX_TARGET_OPERAND_H
#define POPBOX_TARGET_OPERAND_H

#include "store/store_write.h"

/* Adds one target to an address whose name is set, inside a transaction: a box
 * (ex1-0001), an address of ours that leads to one box and nowhere else, or any
 * other address, as a forward: then a group that changes later changes all that
 * leads to it. An address leads to one box; a further one is reached through an
 * address of its own. ERR_INVALID, with a reason. */
MUST_USE enum err target_operand_add(struct store_txn *txn, const char *target,
				     struct store_address *address);

/* Adds a forward as it is written, unless it is there. ERR_INVALID, with a reason:
 * there is no room. */
MUST_USE enum err target_operand_forward(struct store_txn *txn,
					 const char *text,
					 struct store_address *address);

#endif
