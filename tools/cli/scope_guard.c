/* SPDX-License-Identifier: MIT */
/* scope_guard.c: what a transaction wrote, entry by entry. */
#include "scope_private.h"

static bool same_box(const struct name_box *a, const struct name_box *b)
{
	return a->number == b->number && scope_same_name(&a->handle, &b->handle);
}

static enum err refused(struct store_txn *txn, struct scope *scope)
{
	char object[STORE_OBJECT_TEXT] = "";

	if (store_entry_object(&scope->entry, object) != ERR_OK)
		return ERR_DAMAGED;
	scope->site->outside = true;
	return store_refuse(txn, ERR_INVALID,
			    "it would change what is outside of '%s': nothing "
			    "was changed",
			    scope->text);
}

/* Did this row of an address lead to that box? */
static enum err leads_to(struct scope *scope, const uint8_t *row, size_t len,
			 const struct name_box *box, bool *leads)
{
	const struct store_entry *e = &scope->entry;
	enum err err;

	if (len == 0)
		return ERR_OK;
	err = store_address_row(e->key, e->key_len, row, len, &scope->address);
	if (err == ERR_OK && scope->address.has_box &&
	    same_box(&scope->address.box, box))
		*leads = true;
	return err;
}

/* A box without an address any more: did one of his lead to it in this change? */
static enum err was_his(struct store_txn *txn, struct scope *scope,
			const struct name_box *box, uint64_t first,
			uint64_t last)
{
	struct store_entry *const e = &scope->entry;
	bool leads = false;
	enum err err = ERR_OK;

	for (uint64_t at = first; err == ERR_OK && !leads && at <= last; at++) {
		err = store_journal_next(txn, at - 1, e);
		if (err != ERR_OK || e->table != STORE_ADDRESSES)
			continue;
		err = leads_to(scope, e->before, e->before_len, box, &leads);
		if (err == ERR_OK)
			err = leads_to(scope, e->after, e->after_len, box,
				       &leads);
	}
	return err == ERR_OK && !leads ? ERR_NOTFOUND : err;
}

static enum err box_is_his(struct store_txn *txn, struct scope *scope,
			   uint64_t first, uint64_t last)
{
	struct store_domain domain;
	struct name_box box;
	bool any;
	enum err err = store_entry_box(&scope->entry, &box);

	if (err != ERR_OK || !scope->by_domain)
		return err == ERR_OK ? scope_box(txn, scope, &box) : err;
	err = store_domain_get(txn, &scope->domain, &domain);
	if (err == ERR_OK && !scope_same_name(&domain.handle, &box.handle))
		err = ERR_NOTFOUND;
	if (err == ERR_OK)
		err = scope_addresses(txn, scope, &box, &any);
	return err == ERR_OK && !any ? was_his(txn, scope, &box, first, last)
				     : err;
}

/* The box of a row is his by its handle; of a domain's scope the box has an entry
 * of its own, or is his as it was. */
static enum err row_is_his(struct store_txn *txn, struct scope *scope,
			   const uint8_t *row, size_t len)
{
	const struct store_entry *e = &scope->entry;
	struct store_domain domain;
	bool any;
	enum err err;

	if (len == 0)
		return ERR_OK;
	err = store_address_row(e->key, e->key_len, row, len, &scope->address);
	if (err != ERR_OK || !scope->address.has_box)
		return err;
	if (!scope->by_domain)
		return scope_box(txn, scope, &scope->address.box);
	err = store_domain_get(txn, &scope->domain, &domain);
	if (err == ERR_OK &&
	    !scope_same_name(&domain.handle, &scope->address.box.handle))
		err = ERR_NOTFOUND;
	return err == ERR_OK ? scope_addresses(txn, scope, &scope->address.box,
					      &any)
			     : err;
}

static enum err address_is_his(struct store_txn *txn, struct scope *scope)
{
	const struct store_entry *e = &scope->entry;
	struct name_address name;
	enum err err = store_entry_address(e, &name);

	if (err == ERR_OK)
		err = scope_domain(txn, scope, &name.domain);
	if (err == ERR_OK)
		err = row_is_his(txn, scope, e->before, e->before_len);
	return err == ERR_OK ? row_is_his(txn, scope, e->after, e->after_len)
			     : err;
}

/* Of the entries from first to last each one. ERR_NOTFOUND: one is not; it is in
 * scope->entry, unless that was lost over a box. */
enum err scope_entries(struct store_txn *txn, struct scope *scope,
			     uint64_t first, uint64_t last)
{
	enum err err = ERR_OK;

	for (uint64_t at = first; err == ERR_OK && at <= last; at++) {
		err = store_journal_next(txn, at - 1, &scope->entry);
		if (err != ERR_OK)
			break;
		switch (scope->entry.table) {
		case STORE_HANDLES:
		case STORE_DOMAINS:
			err = ERR_NOTFOUND;
			break;
		case STORE_BOXES:
			err = box_is_his(txn, scope, first, last);
			break;
		case STORE_ADDRESSES:
			err = address_is_his(txn, scope);
			break;
		}
	}
	return err;
}

enum err scope_guard(struct store_txn *txn, uint64_t first, uint64_t last,
		      void *arg)
{
	struct scope *scope = arg;
	enum err err = scope_entries(txn, scope, first, last);

	return err == ERR_NOTFOUND ? refused(txn, scope) : err;
}
