#include "collect.h"

#include <stdlib.h>
#include <string.h>

#include "item.h"
#include "switched.h"

/* Being made from what the journal says after the mark. */
struct collecting {
	struct store_txn *txn;
	const struct config *config;
	struct plan *plan;
	const struct store_entry *entry;
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

/* A purged address: where its file is says the domain, which is there, or
 * parked; or was purged with it, and find_homes will tell. */
static enum err remove_address(const struct collecting *c,
			       const struct name_address *name)
{
	struct plan_item item = {
		.table = STORE_ADDRESSES, .act = PLAN_REMOVE, .address = *name};
	struct store_domain domain;
	enum err err = item_domain_of(c->txn, &name->domain, &domain);

	if (err == ERR_OK && name->local.s[0] == '*')
		return collect_catchall(c, &domain);
	if (err == ERR_OK)
		item.handle = domain.handle;
	else if (err != ERR_NOTFOUND)
		return err;
	return plan_add(c->plan, &item);
}

static bool is_home(const struct plan_item *domain,
		    const struct plan_item *address)
{
	return domain->table == STORE_DOMAINS && domain->act == PLAN_REMOVE &&
	       domain->domain->kind == STORE_POP &&
	       strcmp(domain->address.domain.s, address->address.domain.s) == 0;
}

/* The purged domain of a purged address: right before it; or behind, where the
 * two fell into different parts and the domain was owed again. */
static size_t find_home(const struct plan *plan, size_t address)
{
	size_t i = address;

	while (i-- > 0) {
		if (is_home(&plan->item[i], &plan->item[address]))
			return i;
	}
	for (i = address + 1; i < plan->count; i++) {
		if (is_home(&plan->item[i], &plan->item[address]))
			break;
	}
	return i;
}

/* Who has no domain in all that is owed has no directory either. */
static void find_homes(struct plan *plan)
{
	size_t kept = 0, home = plan->count;

	for (size_t i = 0; i < plan->count; i++) {
		struct plan_item *item = &plan->item[i];

		if (item->table == STORE_DOMAINS)
			home = i; /* mostly, the next addresses are its */
		if (item->handle.s[0])
			continue;
		if (home == plan->count || !is_home(&plan->item[home], item))
			home = find_home(plan, i);
		if (home < plan->count)
			item->handle = plan->item[home].handle;
	}
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->item[i].handle.s[0])
			plan->item[kept++] = plan->item[i];
	}
	plan->count = kept;
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
	if (err != ERR_NOTFOUND)
		return err;
	if (c->entry->op == STORE_PURGE)
		return remove_address(c, name);
	return name->local.s[0] == '*' ? collect_extension(c, &name->domain)
				       : ERR_OK;
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
	struct store_domain of;
	enum err err = ERR_OK;

	*ret_wanted = address->has_box &&
		      (switched_has_box(switched, &address->box) ||
		       switched_has_handle(switched, &address->box.handle));
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

/* A change that leaves the delivery as it was is in no .qmail file. */
static bool same_delivery(const struct store_state *was,
			  const struct store_state *is)
{
	return was->delivery == is->delivery;
}

/* A handle that is not there says nothing. */
static enum err handle_said(const struct store_entry *e, const uint8_t *row,
			    size_t len, struct store_state *ret_state)
{
	struct store_handle handle = {.state.delivery = STORE_DELIVER};
	enum err err = ERR_OK;

	if (len)
		err = store_handle_row(e->key, e->key_len, row, len, &handle);
	*ret_state = handle.state;
	return err;
}

static enum err collect_handle(const struct collecting *c)
{
	const struct store_entry *e = c->entry;
	struct store_state was, is;
	struct name_handle name;
	enum err err = handle_said(e, e->before, e->before_len, &was);

	if (err == ERR_OK)
		err = handle_said(e, e->after, e->after_len, &is);
	if (err != ERR_OK || same_delivery(&was, &is))
		return err; /* a handle itself has no file */
	if (name_handle_read((const char *)e->key, e->key_len, &name))
		return ERR_DAMAGED;
	/* One that comes or goes has nothing but what is deleted. */
	return e->op == STORE_SET ? handle_addresses(c, &name)
				  : switched_handle(c->switched, &name);
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

static enum err collect_domain_set(const struct collecting *c)
{
	const struct store_entry *e = c->entry;
	struct store_domain was, is;
	enum err err = store_domain_row(e->key, e->key_len, e->before,
					e->before_len, &was);

	if (err == ERR_OK)
		err = store_domain_row(e->key, e->key_len, e->after,
				       e->after_len, &is);
	if (err == ERR_OK && was.extension && !is.extension)
		err = end_extension(c, &is.name);
	if (err != ERR_OK || (same_delivery(&was.state, &is.state) &&
			      strcmp(was.handle.s, is.handle.s) == 0))
		return err;
	err = domain_addresses(c, &is.name);
	return err == ERR_OK ? parked_of_domain(c, &is.name) : err;
}

static enum err collect_domain(const struct collecting *c)
{
	const struct store_entry *e = c->entry;
	const bool goes = e->op == STORE_PURGE || e->op == STORE_DEL;
	struct store_domain gone;
	struct name_domain name;
	enum err err = store_entry_domain(e, &name);

	if (err == ERR_OK && goes)
		err = store_domain_row(e->key, e->key_len, e->before,
				       e->before_len, &gone);
	if (err == ERR_OK)
		err = item_name(c->txn, c->plan, &name, goes ? &gone : NULL);
	if (err == ERR_OK && !goes)
		err = collect_extension(c, &name);
	if (err == ERR_OK && e->op == STORE_PURGE && gone.extension)
		err = remove_extension(c, &gone);
	return err;
}

static enum err collect_box_set(const struct collecting *c)
{
	const struct store_entry *e = c->entry;
	struct store_box was, is;
	enum err err = store_box_row(e->key, e->key_len, e->before,
				     e->before_len, &was);

	if (err == ERR_OK)
		err = store_box_row(e->key, e->key_len, e->after, e->after_len,
				    &is);
	if (err != ERR_OK || same_delivery(&was.state, &is.state))
		return err;
	err = box_addresses(c, &is.name);
	return err == ERR_OK ? switched_box(c->switched, &is.name) : err;
}

/* What still leads to the box that it was, to be deleted later, follows. */
static enum err collect_box_here(const struct collecting *c,
				 const struct store_box *box)
{
	enum err err = item_box_here(c->txn, c->plan, box);

	return err == ERR_OK && box->other.handle.s[0]
		       ? switched_box(c->switched, &box->other)
		       : err;
}

static enum err collect_box(const struct collecting *c)
{
	struct store_parked parked;
	struct name_box name;
	struct store_box box;
	enum err err = store_entry_box(c->entry, &name);

	if (err == ERR_OK)
		err = store_box_get(c->txn, &name, &box);
	if (err == ERR_OK)
		return collect_box_here(c, &box);
	if (err != ERR_NOTFOUND || c->entry->op != STORE_PURGE)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	err = store_parked_box_get(c->txn, &name, &box, &parked);
	return err == ERR_NOTFOUND ? item_box(c->plan, &name, PLAN_REMOVE)
				   : err;
}

/* What one entry is about, as the store says it now. */
static enum err add_entry(const struct collecting *c)
{
	const bool set = c->entry->op == STORE_SET;
	struct name_address name;
	enum err err;

	if (c->entry->op == STORE_PASSWORD)
		return ERR_OK; /* is in no file */
	switch (c->entry->table) {
	case STORE_HANDLES:
		return collect_handle(c);
	case STORE_DOMAINS:
		err = set ? collect_domain_set(c) : ERR_OK;
		return err == ERR_OK ? collect_domain(c) : err;
	case STORE_BOXES:
		return set ? collect_box_set(c) : collect_box(c);
	case STORE_ADDRESSES:
		err = store_entry_address(c->entry, &name);
		return err == ERR_OK ? collect_address(c, &name) : err;
	}
	return ERR_DAMAGED;
}

enum err collect_owed(struct store_txn *txn, const struct config *config,
		      enum plan_scope scope, uint64_t horizon,
		      struct plan *plan)
{
	struct store_entry *entry = malloc(sizeof *entry);
	struct switched switched = {0};
	const struct collecting c = {txn, config, plan, entry, &switched};
	char why[STORE_WHY_MAX + 1];
	uint64_t at = 0, tried = 0;
	enum err err = entry ? store_published(txn, &at) : ERR_SYSTEM;

	if (err == ERR_OK)
		err = store_tried(txn, &tried);
	if (err == ERR_OK && scope == PLAN_FRESH)
		at = tried;
	while (err == ERR_OK && !plan->part) {
		err = store_journal_next(txn, at, entry);
		if (err != ERR_OK)
			break;
		at = entry->number;
		plan->entry = at;
		plan->stays = entry->op == STORE_SET;
		if (at > tried || store_entry_why(entry, why))
			err = add_entry(&c);
		plan->part = plan->count >= PLAN_PART && at < horizon;
	}
	if (err == ERR_OK || err == ERR_NOTFOUND) {
		enum err all = parked_of_switched(&c);

		err = all == ERR_OK ? err : all;
	}
	if (plan->part)
		plan->upto = at;
	else if (err == ERR_NOTFOUND)
		find_homes(plan);
	switched_free(&switched);
	free(entry);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}
