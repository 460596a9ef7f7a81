/* SPDX-License-Identifier: MIT */
#include "collect.h"

#include <stdlib.h>
#include <string.h>

#include "item.h"
#include "switched.h"

/* Being made from the rows of pending work. */
struct collecting {
	struct store_txn *txn;
	const struct config *config;
	struct plan *plan;
	const struct store_pending *row;
	struct switched *switched;
};

/* The file of a catch-all that the store does not have: of the domain's extension,
 * or none. */
static enum err collect_catchall(const struct collecting *c,
				 const struct store_domain *domain)
{
	const struct plan_item item = {.table = STORE_ADDRESSES,
				       .act = PLAN_REMOVE,
				       .handle = domain->handle,
				       .address = {{"*"}, domain->name}};
	enum err err = item_catchall(c->txn, c->config, c->plan, domain);

	return err == ERR_NOTFOUND ? plan_add(c->plan, &item) : err;
}

/* A purged address, whose domain may be purged as well. */
static enum err remove_address(const struct collecting *c,
			       const struct name_address *name)
{
	const struct plan_item item = {.table = STORE_ADDRESSES,
				       .act = PLAN_REMOVE,
				       .handle = c->row->handle,
				       .address = *name};
	struct store_domain domain;
	enum err err = item_domain_of(c->txn, &name->domain, &domain);

	if (err == ERR_OK && name->local.s[0] == '*')
		return collect_catchall(c, &domain);
	return err == ERR_OK || err == ERR_NOTFOUND ? plan_add(c->plan, &item)
						    : err;
}

/* The file that a domain's extension needs. */
static enum err collect_extension(const struct collecting *c,
				  const struct name_domain *name)
{
	struct store_domain domain;
	enum err err = item_domain_of(c->txn, name, &domain);

	if (err == ERR_OK && domain.extension)
		err = item_catchall(c->txn, c->config, c->plan, &domain);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* As the store says it now: in it, parked, or purged. */
static enum err collect_address(const struct collecting *c,
				const struct name_address *name)
{
	struct store_address address;
	struct store_parked parked = {.bounce = false};
	enum err err = store_address_get(c->txn, name, &address);

	if (err == ERR_NOTFOUND)
		err = store_parked_address_get(c->txn, name, &address, &parked);
	if (err == ERR_OK)
		return item_address(c->txn, c->config, c->plan, &address,
				    parked.bounce);
	return err == ERR_NOTFOUND ? remove_address(c, name) : err;
}

static enum err domain_addresses(const struct collecting *c,
				 const struct name_domain *name)
{
	struct name_address at = {{""}, *name};
	struct store_address address;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = store_address_next(c->txn, &at, &address);
		if (err != ERR_OK ||
		    strcmp(address.name.domain.s, name->s) != 0)
			break;
		at = address.name;
		err = item_address(c->txn, c->config, c->plan, &address, false);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err box_addresses(const struct collecting *c,
			      const struct name_box *box)
{
	struct name_address at, *after = NULL;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = store_box_address_next(c->txn, box, after, &at);
		if (err == ERR_OK)
			err = collect_address(c, &at);
		after = &at;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Deleted addresses take part in what is switched for mail on its way to them:
 * those of a domain stand together. */
static enum err parked_of_domain(const struct collecting *c,
				 const struct name_domain *domain)
{
	struct name_address at = {{""}, *domain};
	struct store_address address;
	struct store_parked parked;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = store_parked_address_next(c->txn, &at, &address, &parked);
		if (err != ERR_OK ||
		    strcmp(address.name.domain.s, domain->s) != 0)
			break;
		at = address.name;
		err = collect_address(c, &at);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Does it go by a switch of its box, or of the handle of that or of its domain? */
static enum err goes_by(const struct collecting *c,
			const struct store_address *address, bool *ret_wanted)
{
	const struct switched *switched = c->switched;
	struct name_box box = address->box;
	struct store_domain of;
	struct store_box row;
	enum err err = ERR_OK;

	*ret_wanted = address->has_box && switched_has_box(switched, &box);
	if (!*ret_wanted && address->has_box)
		err = item_mail_box(c->txn, &box, &row);
	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	*ret_wanted = address->has_box &&
		      (switched_has_box(switched, &box) ||
		       switched_has_handle(switched, &box.handle));
	if (*ret_wanted || !switched->handles.count)
		return ERR_OK;
	err = item_domain_of(c->txn, &address->name.domain, &of);
	if (err == ERR_NOTFOUND)
		return ERR_DAMAGED; /* it is purged with it */
	*ret_wanted =
		err == ERR_OK && switched_has_handle(switched, &of.handle);
	return err;
}

/* So does the file of a deleted domain that dials in. */
static enum err parked_dialups(const struct collecting *c)
{
	struct store_domain domain;
	struct store_parked parked;
	enum err err = store_parked_domain_next(c->txn, NULL, &domain, &parked);

	while (err == ERR_OK) {
		if (domain.kind == STORE_DIALUP &&
		    switched_has_handle(c->switched, &domain.handle))
			err = item_name(c->txn, c->plan, &domain.name, NULL);
		if (err == ERR_OK)
			err = store_parked_domain_next(c->txn, &domain, &domain,
						       &parked);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err parked_addresses(const struct collecting *c)
{
	struct store_address address;
	struct store_parked parked;
	enum err err = store_parked_address_next(c->txn, NULL, &address, &parked);

	while (err == ERR_OK) {
		const struct name_address name = address.name;
		bool wanted;

		err = goes_by(c, &address, &wanted);
		if (err == ERR_OK && wanted)
			err = collect_address(c, &name);
		if (err == ERR_OK)
			err = store_parked_address_next(c->txn, &name, &address,
							&parked);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Those of handles and boxes lie anywhere: one walk for all that was switched,
 * since a walk for each would never end in a store where many are deleted. */
static enum err parked_of_switched(const struct collecting *c)
{
	enum err err = ERR_OK;

	if (!c->switched->handles.count && !c->switched->boxes.count)
		return ERR_OK;
	switched_sort(c->switched);
	if (c->switched->handles.count)
		err = parked_dialups(c);
	return err == ERR_OK ? parked_addresses(c) : err;
}

/* A quota or a reply may be another one, or none: it is in the box, and in the files of
 * all addresses that lead there. */
static enum err files_of_box(const struct collecting *c,
			     const struct name_box *name)
{
	struct store_box box;
	enum err err = store_box_get(c->txn, name, &box);

	if (err == ERR_OK)
		err = item_box_here(c->txn, c->plan, &box, c->row->what);
	if (err == ERR_OK)
		err = box_addresses(c, name);
	if (err == ERR_OK || err == ERR_NOTFOUND)
		err = switched_box(c->switched, name);
	return err;
}

/* A box with addresses in a row is collected once. */
static enum err quota_domain(const struct collecting *c,
			     const struct name_domain *name)
{
	struct name_address at = {{""}, *name};
	struct name_box last = {.number = 0};
	struct store_address address;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = store_address_next(c->txn, &at, &address);
		if (err != ERR_OK ||
		    strcmp(address.name.domain.s, name->s) != 0)
			break;
		at = address.name;
		if (address.has_box &&
		    (address.box.number != last.number ||
		     strcmp(address.box.handle.s, last.handle.s) != 0)) {
			last = address.box;
			err = files_of_box(c, &last);
		}
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err quota_handle(const struct collecting *c,
			     const struct name_handle *name)
{
	const struct name_box first = {*name, 0};
	struct store_box box;
	enum err err = store_box_get(c->txn, &first, &box);

	if (err == ERR_NOTFOUND)
		err = store_box_next(c->txn, &first, &box);
	while (err == ERR_OK && strcmp(box.name.handle.s, name->s) == 0) {
		err = files_of_box(c, &box.name);
		if (err == ERR_OK)
			err = store_box_next(c->txn, &box.name, &box);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Everything whose mail goes by the switch of this handle. */
static enum err handle_addresses(const struct collecting *c,
				 const struct name_handle *name)
{
	const struct name_box first = {*name, 0};
	struct store_domain domain;
	struct store_box box;
	enum err err = store_handle_domain_next(c->txn, name, NULL, &domain);

	while (err == ERR_OK) {
		err = domain.kind == STORE_DIALUP
			      ? item_domain(c->txn, c->plan, &domain, PLAN_MAKE,
					    false)
			      : domain_addresses(c, &domain.name);
		if (err == ERR_OK)
			err = store_handle_domain_next(c->txn, name,
						       &domain.name, &domain);
	}
	if (err == ERR_NOTFOUND)
		err = store_box_get(c->txn, &first, &box);
	if (err == ERR_NOTFOUND)
		err = store_box_next(c->txn, &first, &box);
	while (err == ERR_OK && strcmp(box.name.handle.s, name->s) == 0) {
		err = box_addresses(c, &box.name);
		if (err == ERR_OK)
			err = store_box_next(c->txn, &box.name, &box);
	}
	return err == ERR_OK || err == ERR_NOTFOUND
		       ? switched_handle(c->switched, name)
		       : err;
}

static enum err end_extension(const struct collecting *c,
			      const struct name_domain *name)
{
	struct store_domain domain;
	enum err err = item_domain_of(c->txn, name, &domain);

	if (err == ERR_OK)
		err = collect_catchall(c, &domain);
	return err == ERR_NOTFOUND ? ERR_OK : err; /* purged, with its files */
}

/* A purged domain's directory is to be empty. */
static enum err remove_extension(const struct collecting *c,
				 const struct store_domain *gone)
{
	const struct plan_item item = {.table = STORE_ADDRESSES,
				       .act = PLAN_REMOVE,
				       .handle = gone->handle,
				       .address = {{"*"}, gone->name}};
	struct store_domain domain;
	enum err err = item_domain_of(c->txn, &gone->name, &domain);

	return err == ERR_NOTFOUND ? plan_add(c->plan, &item) : err;
}

/* A handle has no file of its own. */
static enum err collect_handle(const struct collecting *c)
{
	const struct name_handle *name = &c->row->handle;
	enum err err = ERR_OK;

	if (c->row->what & STORE_PENDING_SWITCHED)
		err = handle_addresses(c, name);
	return err == ERR_OK && c->row->what & STORE_PENDING_QUOTA
		       ? quota_handle(c, name)
		       : err;
}

static enum err collect_domain(const struct collecting *c)
{
	const struct store_pending *row = c->row;
	const struct name_domain *name = &row->address.domain;
	enum err err = ERR_OK;

	if (row->what & STORE_PENDING_EXTENSION)
		err = end_extension(c, name);
	if (err == ERR_OK && row->what & STORE_PENDING_SWITCHED)
		err = domain_addresses(c, name);
	if (err == ERR_OK && row->what & STORE_PENDING_SWITCHED)
		err = parked_of_domain(c, name);
	if (err == ERR_OK && row->what & STORE_PENDING_QUOTA)
		err = quota_domain(c, name);
	if (err == ERR_OK)
		err = item_name(c->txn, c->plan, name,
				row->was ? &row->domain : NULL);
	if (err == ERR_OK && !row->was)
		err = collect_extension(c, name);
	if (err == ERR_OK && row->was && row->domain.extension)
		err = remove_extension(c, &row->domain);
	return err;
}

/* What leads to the box that it was, and is retained, follows. */
static enum err collect_box_here(const struct collecting *c,
				 const struct store_box *box)
{
	enum err err = item_box_here(c->txn, c->plan, box, c->row->what);

	return err == ERR_OK && box->other.handle.s[0]
		       ? switched_box(c->switched, &box->name)
		       : err;
}

/* The Maildir of a box that is deleted stays, until it is purged. */
static enum err collect_maildir(const struct collecting *c)
{
	const struct name_box *name = &c->row->box;
	struct store_parked parked;
	struct store_box box;
	enum err err = store_box_get(c->txn, name, &box);

	if (err == ERR_OK)
		return collect_box_here(c, &box);
	if (err == ERR_NOTFOUND)
		err = store_parked_box_get(c->txn, name, &box, &parked);
	return err == ERR_NOTFOUND ? item_box(c->plan, name, PLAN_REMOVE)
				   : err;
}

static enum err collect_box(const struct collecting *c)
{
	const unsigned files = STORE_PENDING_QUOTA | STORE_PENDING_VACATION;
	const struct name_box *name = &c->row->box;
	enum err err = ERR_OK;

	if (c->row->what & STORE_PENDING_SWITCHED)
		err = box_addresses(c, name);
	if (err == ERR_OK && c->row->what & STORE_PENDING_SWITCHED)
		err = switched_box(c->switched, name);
	if (err == ERR_OK && c->row->what & files)
		err = files_of_box(c, name);
	return err == ERR_OK && c->row->what & STORE_PENDING_SAYS
		       ? collect_maildir(c)
		       : err;
}

/* What one row is about, as the store says it now. */
static enum err add_row(const struct collecting *c)
{
	switch (c->row->table) {
	case STORE_HANDLES:
		return collect_handle(c);
	case STORE_DOMAINS:
		return collect_domain(c);
	case STORE_BOXES:
		return collect_box(c);
	case STORE_ADDRESSES:
		return collect_address(c, &c->row->address);
	}
	return ERR_DAMAGED;
}

/* A row that was tried is none of this plan, but keeps new domains of its handle
 * back. Rows come in the order of handles. */
static enum err block(struct plan *plan, const struct store_pending *row)
{
	struct name_handle *more;

	if (plan->blocks &&
	    strcmp(plan->block[plan->blocks - 1].s, row->handle.s) == 0)
		return ERR_OK;
	more = reallocarray(plan->block, plan->blocks + 1, sizeof *more);
	if (!more)
		return ERR_SYSTEM;
	plan->block = more;
	plan->block[plan->blocks++] = row->handle;
	return ERR_OK;
}

static enum err take(const struct collecting *c, enum plan_scope scope)
{
	struct plan *plan = c->plan;

	if (scope == PLAN_FRESH && !store_pending_fresh(c->row))
		return block(plan, c->row);
	plan->rows++;
	plan->first = c->row->first;
	plan->last = c->row->last;
	plan->since = c->row->since;
	plan->stays = c->row->stays;
	return add_row(c);
}

enum err collect_pending(struct store_txn *txn, const struct config *config,
			 enum plan_scope scope,
			 const struct store_pending *from, bool part,
			 struct plan *plan)
{
	struct store_pending *row = malloc(sizeof *row);
	struct switched switched = {0};
	const struct collecting c = {txn, config, plan, row, &switched};
	enum err err = row ? store_pending_next(txn, from, row) : ERR_SYSTEM;

	while (err == ERR_OK) {
		err = take(&c, scope);
		plan->part = part && plan->count >= PLAN_PART;
		if (err != ERR_OK || plan->part)
			break;
		err = store_pending_next(txn, row, row);
	}
	if (err == ERR_OK || err == ERR_NOTFOUND)
		err = parked_of_switched(&c);
	if (err == ERR_OK && plan->part)
		plan->to = *row;
	switched_free(&switched);
	free(row);
	return err;
}
