/* SPDX-License-Identifier: MIT */
#include "postmaster.h"

#include <stdlib.h>
#include <string.h>

#include "destination.h"
#include "target_operand.h"

/* The postmaster of the first domain of this handle that has one. */
static enum err copy_first(struct store_txn *txn, struct postmaster *pm)
{
	struct store_address *address = &pm->address;
	struct name_address name = address->name;
	struct store_domain domain;
	enum err err = store_handle_domain_next(txn, &pm->owner, NULL, &domain);

	while (err == ERR_OK) {
		struct name_address there = {name.local, domain.name};

		err = store_address_get(txn, &there, address);
		address->name = name;
		if (err != ERR_NOTFOUND)
			return err;
		err = store_handle_domain_next(txn, &pm->owner, &domain.name,
					       &domain);
	}
	return err;
}

/* A new box: 0000, or if the handle has given numbers before, the next one. One
 * is enough for several domains. */
static enum err set_new_box(struct store_txn *txn, struct postmaster *pm)
{
	struct name_box *box = &pm->address.box;
	enum err err = ERR_OK;

	pm->address.has_box = true;
	pm->new_box = !pm->made.handle.s[0];
	if (pm->new_box) {
		pm->made.handle = pm->owner;
		err = numbers_first(txn, pm->numbers, &pm->owner,
				    &pm->made.number);
	}
	*box = pm->made;
	return err;
}

/* TARGET; else the handle's box 0000; else what its first domain does; else a
 * new box. */
static enum err set_target(struct store_txn *txn, struct postmaster *pm)
{
	struct store_address *address = &pm->address;
	struct store_box box;
	enum err err;

	*address = (struct store_address){
		.name = {{"postmaster"}, pm->domain}};
	pm->new_box = false;
	if (pm->target)
		return target_operand_add(txn, pm->target, address);
	address->box = (struct name_box){pm->owner, 0};
	err = store_box_get(txn, &address->box, &box);
	address->has_box = err == ERR_OK;
	if (err == ERR_NOTFOUND)
		err = copy_first(txn, pm);
	return err == ERR_NOTFOUND ? set_new_box(txn, pm) : err;
}

/* The address as it shall be, and its new box, if it gets one, in the store. */
static enum err prepare(struct store_txn *txn, struct postmaster *pm)
{
	enum err err = set_target(txn, pm);

	if (err == ERR_OK && pm->new_box)
		err = store_box_add(txn, &(struct store_box){
						 .name = pm->address.box,
						 .title = "postmaster"});
	return err;
}

enum err postmaster_add(struct store_txn *txn, struct postmaster *pm)
{
	enum err err = prepare(txn, pm);

	if (err == ERR_OK)
		err = store_address_add(txn, &pm->address);
	return err == ERR_OK && pm->target
		       ? destination_judge(txn, &pm->address.name,
					   DESTINATION_REFUSE)
		       : err;
}

enum err postmaster_turn(struct store_txn *txn, struct postmaster *pm)
{
	struct store_address *old = malloc(sizeof *old);
	enum err err = ERR_SYSTEM;

	if (old)
		err = store_address_get(
			txn, &(struct name_address){{"postmaster"}, pm->domain},
			old);
	if (err == ERR_OK)
		err = prepare(txn, pm);
	if (err == ERR_OK) {
		old->has_box = pm->address.has_box;
		old->box = pm->address.box;
		if (!old->forwards_len) {
			old->forwards_len = pm->address.forwards_len;
			memcpy(old->forwards, pm->address.forwards,
			       sizeof old->forwards);
		}
		pm->address = *old;
		err = store_address_set(txn, old);
	}
	free(old);
	return err;
}
