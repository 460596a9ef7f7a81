/* SPDX-License-Identifier: MIT */
#include "domain_boxes.h"

#include <stdlib.h>
#include <string.h>

#include "best.h"

static enum err add(struct domain_boxes *members,
		    const struct store_address *address)
{
	if (members->count == members->room) {
		size_t room = members->room ? members->room * 2 : 64;
		struct domain_box *more =
			reallocarray(members->member, room, sizeof *more);

		if (!more)
			return ERR_SYSTEM;
		members->member = more;
		members->room = room;
	}
	members->member[members->count++] =
		(struct domain_box){address->box, address->name.local};
	return ERR_OK;
}

static int by_box(const struct domain_box *a, const struct domain_box *b)
{
	int order = strcmp(a->box.handle.s, b->box.handle.s);

	return order ? order
		     : (a->box.number > b->box.number) -
			       (a->box.number < b->box.number);
}

static int by_all(const void *a, const void *b)
{
	const struct domain_box *x = a, *y = b;
	int order = by_box(x, y);

	if (order == 0)
		order = (int)best_rank(&x->local) - (int)best_rank(&y->local);
	return order ? order : strcmp(x->local.s, y->local.s);
}

static void sort(struct domain_boxes *members)
{
	size_t kept = 0;

	if (members->count)
		qsort(members->member, members->count,
		      sizeof *members->member, by_all);
	for (size_t i = 0; i < members->count; i++) {
		if (!kept || by_box(&members->member[kept - 1],
				    &members->member[i]) != 0)
			members->member[kept++] = members->member[i];
	}
	members->count = kept;
}

enum err domain_boxes_collect(struct store_txn *txn,
			      const struct name_domain *domain,
			      struct domain_boxes *members)
{
	struct name_address at = {{""}, *domain};
	struct store_address address;
	enum err err = ERR_OK;

	members->count = 0;
	while (err == ERR_OK) {
		err = store_address_next(txn, &at, &address);
		if (err != ERR_OK ||
		    strcmp(address.name.domain.s, domain->s) != 0)
			break;
		at = address.name;
		if (address.has_box)
			err = add(members, &address);
	}
	if (err == ERR_OK || err == ERR_NOTFOUND)
		sort(members);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

void domain_boxes_free(struct domain_boxes *members)
{
	free(members->member);
	*members = (struct domain_boxes){NULL, 0, 0};
}
