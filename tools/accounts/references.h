/* SPDX-License-Identifier: MIT */
/* references.h: forwards of this site to addresses of this site, when such an
 * address is renamed or deleted.
 *
 * All calls are made inside a transaction, and may be made again with the same
 * struct. Each looks at every address of the store once, or again after it has
 * deleted one.
 */
#ifndef POPBOX_REFERENCES_H
#define POPBOX_REFERENCES_H

#include "base/text.h"
#include "store/store_write.h"

struct references {
	unsigned long count; /* addresses that are told of */
	struct text said;    /* a sentence of each forward, with its NUL;
			      * references_free frees them */
};

/* Forwards that lead to an address follow it to its new name. Before the change.
 * The new name of a catch-all is a catch-all. */
MUST_USE enum err references_rename(struct store_txn *txn,
				    const struct name_address *from,
				    const struct name_address *to,
				    struct references *references);

/* The same for a domain, with hosts below it. */
MUST_USE enum err references_rename_domain(struct store_txn *txn,
					   const struct name_domain *from,
					   const struct name_domain *to,
					   struct references *references);

/* After this change has deleted addresses: takes forwards to them out of other
 * addresses, and deletes those that lead nowhere else, with the same fate.
 * ERR_INUSE: a postmaster would be among them. */
MUST_USE enum err references_remove(struct store_txn *txn, enum store_fate fate,
				    struct references *references);

/* After this change has deleted addresses or domains: tells which forwards lead
 * to those, and changes nothing. */
MUST_USE enum err references_list(struct store_txn *txn,
				  struct references *references);

/* Says each sentence. */
void references_say(const struct references *references);

void references_free(struct references *references);

#endif
