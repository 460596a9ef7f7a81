/* SPDX-License-Identifier: MIT */
#include "touched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool touched_add(struct touched *touched, const struct name_domain *name)
{
	if (touched->count &&
	    strcmp(touched->name[touched->count - 1].s, name->s) == 0)
		return true;
	if (touched->count == touched->room) {
		size_t room = touched->room ? touched->room * 2 : 16;
		struct name_domain *more =
			reallocarray(touched->name, room, sizeof *more);

		if (!more)
			return false;
		touched->name = more;
		touched->room = room;
	}
	touched->name[touched->count++] = *name;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct name_domain *x = a, *y = b;

	return strcmp(x->s, y->s);
}

void touched_sort(struct touched *touched)
{
	size_t kept = 0;

	if (touched->count)
		qsort(touched->name, touched->count, sizeof *touched->name,
		      by_name);
	for (size_t i = 0; i < touched->count; i++) {
		if (!kept || by_name(&touched->name[kept - 1],
				     &touched->name[i]) != 0)
			touched->name[kept++] = touched->name[i];
	}
	touched->count = kept;
}

bool touched_has(const struct touched *touched, const struct name_domain *name)
{
	return touched->count &&
	       bsearch(name, touched->name, touched->count, sizeof *name,
		       by_name);
}

void touched_free(struct touched *touched)
{
	free(touched->name);
	*touched = (struct touched){.count = 0};
}

static enum err no_memory(void)
{
	errno = ENOMEM;
	return ERR_SYSTEM;
}

static enum err box_domains(struct store_txn *txn, const struct name_box *box,
			    struct touched *touched)
{
	struct name_address at, *after = NULL;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = store_box_address_next(txn, box, after, &at);
		after = &at;
		if (err == ERR_OK && !touched_add(touched, &at.domain))
			return no_memory();
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err aliases(struct store_txn *txn, const struct name_domain *target,
			struct touched *touched)
{
	struct name_domain at, *after = NULL;
	struct store_domain alias;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = store_alias_next(txn, target, after, &alias);
		at = alias.name;
		after = &at;
		if (err == ERR_OK && !touched_add(touched, &alias.name))
			return no_memory();
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Is it among what comes in a later part? Then its file is written there: that of
 * a large domain once, not with each part. */
static enum err comes_later(struct store_txn *txn, const struct plan *plan,
			    const struct name_domain *name, bool *ret_later)
{
	struct store_pending row = {.table = STORE_ADDRESSES,
				    .address.domain = *name};
	struct touched boxes = {.count = 0};
	enum err err;

	err = store_pending_next(txn, &plan->to, &row);
	if (err == ERR_OK && row.table == STORE_BOXES)
		err = box_domains(txn, &row.box, &boxes);
	touched_sort(&boxes);
	*ret_later = err == ERR_OK &&
		     (touched_has(&boxes, name) ||
		      (row.table == STORE_ADDRESSES &&
		       strcmp(row.address.domain.s, name->s) == 0));
	touched_free(&boxes);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* A part's domains that later parts are not about. */
static enum err drop_later(struct store_txn *txn, const struct plan *plan,
			   struct touched *touched)
{
	size_t kept = 0;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < touched->count; i++) {
		bool later = false;

		err = comes_later(txn, plan, &touched->name[i], &later);
		if (err == ERR_OK && !later)
			touched->name[kept++] = touched->name[i];
	}
	touched->count = kept;
	return err;
}

enum err touched_by(struct store_txn *txn, const struct plan *plan, bool boxes,
		    struct touched *touched)
{
	enum err err = ERR_OK;
	size_t own;

	touched->count = 0;
	for (size_t i = 0; err == ERR_OK && i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];

		if (item->table != STORE_BOXES &&
		    !touched_add(touched, &item->address.domain))
			err = no_memory();
		else if (item->table == STORE_BOXES && boxes &&
			 plan->scope != PLAN_ALL)
			err = box_domains(txn, &item->box, touched);
	}
	touched_sort(touched);
	if (err == ERR_OK && plan->part)
		err = drop_later(txn, plan, touched);
	own = touched->count;
	for (size_t i = 0; err == ERR_OK && i < own; i++) {
		const struct name_domain name = touched->name[i];

		err = aliases(txn, &name, touched);
	}
	touched_sort(touched);
	return err;
}

enum err touched_all(struct store_txn *txn, struct touched *touched)
{
	struct store_domain domain;
	enum err err = store_domain_next(txn, NULL, &domain);

	touched->count = 0;
	while (err == ERR_OK) {
		if (!touched_add(touched, &domain.name))
			return no_memory();
		err = store_domain_next(txn, &domain.name, &domain);
	}
	touched_sort(touched);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}
