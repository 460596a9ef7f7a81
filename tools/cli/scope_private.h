/* SPDX-License-Identifier: MIT */
/* scope_private.h: what the two halves of a scope share: judging a command before it
 * runs (scope.c), and what it wrote (scope_guard.c).
 */
#ifndef POPBOX_SCOPE_PRIVATE_H
#define POPBOX_SCOPE_PRIVATE_H

#include <string.h>

#include "scope.h"

struct scope {
	const char *text;
	bool by_domain;
	struct name_handle handle; /* by_domain: the domain's, for filters */
	struct name_domain domain;
	struct site *site;
	struct store_entry entry;     /* the one that is judged */
	struct store_address address; /* of whatever is looked at */
};

static inline bool scope_same_name(const struct name_handle *a,
				   const struct name_handle *b)
{
	return strcmp(a->s, b->s) == 0;
}

/* Is it his? ERR_NOTFOUND: no, whether it is there or not. */
MUST_USE enum err scope_domain(struct store_txn *txn, const struct scope *scope,
			       const struct name_domain *name);
MUST_USE enum err scope_box(struct store_txn *txn, const struct scope *scope,
			    const struct name_box *box);
/* Is each address of the box? *ret_any: it has one. */
MUST_USE enum err scope_addresses(struct store_txn *txn,
				  const struct scope *scope,
				  const struct name_box *box, bool *ret_any);

/* Are all entries of the journal from first to last? */
MUST_USE enum err scope_entries(struct store_txn *txn, struct scope *scope,
				uint64_t first, uint64_t last);

/* The store_guard of a site with a scope. */
enum err scope_guard(struct store_txn *txn, uint64_t first, uint64_t last,
		     void *arg);

#endif
