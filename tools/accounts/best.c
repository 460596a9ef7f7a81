/* SPDX-License-Identifier: MIT */
#include "best.h"

#include <string.h>

enum { LOOKED_AT = 100 };

unsigned best_rank(const struct name_local *local)
{
	if (strcmp(local->s, "*") == 0)
		return 2;
	return strcmp(local->s, "postmaster") == 0;
}

/* A lower one is better. */
static enum err rank(struct store_txn *txn, const struct name_box *box,
		     const struct name_address *name, unsigned *ret_rank)
{
	struct store_domain domain;
	struct store_address address;
	enum err err = store_domain_get(txn, &name->domain, &domain);

	if (err == ERR_OK)
		err = store_address_get(txn, name, &address);
	if (err == ERR_NOTFOUND)
		return ERR_DAMAGED;
	if (err == ERR_OK)
		*ret_rank = best_rank(&name->local) * 4 +
			    (strcmp(domain.handle.s, box->handle.s) ? 2 : 0) +
			    (address.forwards_len ? 1 : 0);
	return err;
}

enum err best_address(struct store_txn *txn, const struct name_box *box,
		      struct name_address *ret_name)
{
	struct name_address best, at;
	unsigned lowest = 0, this;
	enum err err = store_box_address_next(txn, box, NULL, &best);

	if (err != ERR_OK)
		return err;
	at = best;
	err = store_box_address_next(txn, box, &at, &at);
	if (err == ERR_OK)
		err = rank(txn, box, &best, &lowest);
	for (int i = 1; err == ERR_OK && i < LOOKED_AT; i++) {
		err = rank(txn, box, &at, &this);
		if (err == ERR_OK && this < lowest) {
			lowest = this;
			best = at;
		}
		if (err == ERR_OK)
			err = lowest ? store_box_address_next(txn, box, &at, &at)
				     : ERR_NOTFOUND;
	}
	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	*ret_name = best;
	return ERR_OK;
}
