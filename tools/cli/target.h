/* target.h: what "ADDRESS|BOX" on a command line leads to.
 */
#ifndef POPBOX_TARGET_H
#define POPBOX_TARGET_H

#include "store/store.h"

struct target {
	char text[NAME_ADDRESS_TEXT]; /* canonical, for messages */
	bool by_address;
	struct name_address address; /* if by_address */
	struct name_box box;	     /* known after target_find */
};

/* Reads an operand. Says what is wrong; returns the exit code. */
int target_read(const char *operand, struct target *ret_target);

/* Finds the box, inside a transaction. ERR_NOTFOUND: there is no such box, no
 * such address, or the address leads to none. */
MUST_USE enum err target_find(struct store_txn *txn, struct target *target,
			      struct store_box *ret_box);

/* "not there", with the next step; returns code. */
int target_missing(const struct target *target, int code);

#endif
