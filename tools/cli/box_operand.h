/* SPDX-License-Identifier: MIT */
/* box_operand.h: what "ADDRESS|BOX" on a command line leads to.
 */
#ifndef POPBOX_BOX_OPERAND_H
#define POPBOX_BOX_OPERAND_H

#include "store/store.h"

struct box_operand {
	char text[NAME_ADDRESS_TEXT]; /* canonical, for messages */
	bool by_address;
	struct name_address address; /* if by_address */
	struct name_box box;	     /* known after box_operand_find */
};

/* Reads an operand. Says what is wrong; returns the exit code. */
int box_operand_read(const char *operand, struct box_operand *ret_target);

/* Finds the box, inside a transaction. ERR_NOTFOUND: there is no such box, no
 * such address, or the address leads to none. */
MUST_USE enum err box_operand_find(struct store_txn *txn,
				   struct box_operand *target,
				   struct store_box *ret_box);

/* "not there", with the next step; returns code. */
int box_operand_missing(const struct box_operand *target, int code);

#endif
