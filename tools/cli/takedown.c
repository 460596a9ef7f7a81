/* SPDX-License-Identifier: MIT */
#include "takedown.h"

#include <string.h>

/* A box that nobody can reach by an address is deleted with the last one. */
static enum err del_box(struct store_txn *txn, const struct name_box *box,
			struct takedown *t)
{
	struct name_address left;
	enum err err = store_box_address_next(txn, box, NULL, &left);

	if (err != ERR_NOTFOUND || t->keep_boxes)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	t->boxes++;
	return store_box_del(txn, box);
}

enum err takedown_domain(struct store_txn *txn, void *arg)
{
	struct takedown *t = arg;
	const struct name_address none = {{""}, t->name};
	struct store_address address;
	enum err err = ERR_OK;

	t->addresses = t->boxes = 0;
	while (err == ERR_OK) {
		err = store_address_next(txn, &none, &address);
		if (err != ERR_OK || strcmp(address.name.domain.s,
					    t->name.s) != 0)
			break;
		t->addresses++;
		err = store_address_del(txn, &address.name, STORE_GOES_ON);
		if (err == ERR_OK && address.has_box)
			err = del_box(txn, &address.box, t);
	}
	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	return store_domain_del(txn, &t->name);
}
