/* SPDX-License-Identifier: MIT */
/* quota.c: what holds for a box, of what the three levels say. */
#include <string.h>

#include "store.h"

static void take_larger(uint64_t *number, uint64_t other)
{
	if (other > *number)
		*number = other;
}

/* The larger of what its domains name; {0, 0} where none names anything. They are
 * sorted: each domain is read once. */
static enum err of_domains(struct store_txn *txn, const struct name_box *name,
			   struct store_quota *quota)
{
	struct name_address next, address = {{""}, {""}};
	struct store_domain domain;
	enum err err = store_box_address_next(txn, name, NULL, &next);

	while (err == ERR_OK) {
		if (strcmp(next.domain.s, address.domain.s) != 0) {
			err = store_domain_get(txn, &next.domain, &domain);
			if (err != ERR_OK) /* an address leads here from it */
				return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
			take_larger(&quota->bytes, domain.quota.bytes);
			take_larger(&quota->messages, domain.quota.messages);
		}
		address = next;
		err = store_box_address_next(txn, name, &address, &next);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* The first of the levels that says something does. */
static uint64_t first_of(uint64_t box, uint64_t domains, uint64_t handle)
{
	uint64_t said = box ? box : domains ? domains : handle;

	return said == STORE_UNLIMITED ? 0 : said;
}

enum err store_box_quota(struct store_txn *txn, const struct store_box *box,
			 struct store_quota *ret_quota)
{
	const struct store_quota quota = box->quota, *own = &quota;
	struct store_quota domains = {0, 0};
	struct store_handle handle;
	enum err err = store_handle_get(txn, &box->name.handle, &handle);

	if (err == ERR_OK && (!own->bytes || !own->messages))
		err = of_domains(txn, &box->name, &domains);
	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
	ret_quota->bytes =
		first_of(own->bytes, domains.bytes, handle.quota.bytes);
	ret_quota->messages = first_of(own->messages, domains.messages,
				       handle.quota.messages);
	return ERR_OK;
}
