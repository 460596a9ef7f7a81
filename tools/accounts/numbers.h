/* SPDX-License-Identifier: MIT */
/* numbers.h: the number that a new box gets.
 *
 * The store counts, and never gives a number twice. A store that comes from a
 * backup, or was made anew, does not know the boxes that were made after it, but
 * their directories are there, with mail in them: such a number is passed over.
 * No name below the mail root moves the counter by more than its own number:
 * popusr can make a name of any number.
 */
#ifndef POPBOX_NUMBERS_H
#define POPBOX_NUMBERS_H

#include "base/strtab.h"
#include "popusr/asuser.h"
#include "store/store_write.h"

/* What was seen of the directories of each handle. Begins as zeroes and the
 * helper. */
struct numbers {
	struct asuser *asuser;
	struct strtab handles;
	struct numbers_run *run; /* of each handle; malloc'ed */
	size_t room;
};

/* The number of the next new box of a handle, inside a transaction; ask again
 * after each box that was added. ERR_NOTFOUND: no such handle. ERR_INVALID: no
 * number is left. ERR_SYSTEM with a reason: it is not known which directories
 * are there. */
MUST_USE enum err numbers_next(struct store_txn *txn, struct numbers *numbers,
			       const struct name_handle *handle,
			       uint32_t *ret_number);

/* The same for a handle's first box, its postmaster's, which may have the
 * number 0. */
MUST_USE enum err numbers_first(struct store_txn *txn, struct numbers *numbers,
				const struct name_handle *handle,
				uint32_t *ret_number);

void numbers_free(struct numbers *numbers);

#endif
