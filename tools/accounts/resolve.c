/* SPDX-License-Identifier: MIT */
#include "resolve.h"

#include <string.h>

#include "qmail/dotqmail.h"

/* Is a domain of that name retained? Of one that is above the host that was
 * asked for, only if it took mail for hosts below it. */
static enum err find_retained(struct store_txn *txn,
			      const struct name_domain *name, bool above,
			      struct resolve *resolve, bool *ret_closed)
{
	enum err err = ERR_NOTFOUND;

	for (int kind = 0; err == ERR_NOTFOUND && kind < STORE_KINDS; kind++) {
		err = store_parked_domain_get(txn, name, (enum store_kind)kind,
					      &resolve->named,
					      &resolve->parked);
		if (err == ERR_OK && above && !resolve->named.subdomains)
			err = ERR_NOTFOUND;
	}
	*ret_closed = err == ERR_OK;
	return err == ERR_OK ? ERR_NOTFOUND : err;
}

/* The domain of that name, or the nearest one above it that takes mail for the
 * hosts below it. */
static enum err find_domain(struct store_txn *txn, const char *text,
			    struct resolve *resolve, bool *ret_closed)
{
	struct store_domain *named = &resolve->named;
	enum err err = ERR_NOTFOUND;

	*ret_closed = false;
	for (const char *at = text; at && err == ERR_NOTFOUND && !*ret_closed;
	     at = strchr(at, '.')) {
		struct name_domain name;

		at += *at == '.';
		if (name_domain_read(at, strlen(at), &name))
			break;
		err = store_domain_get(txn, &name, named);
		if (err == ERR_OK && at != text && !named->subdomains)
			err = ERR_NOTFOUND;
		else if (err == ERR_NOTFOUND)
			err = find_retained(txn, &name, at != text, resolve,
					    ret_closed);
	}
	return err;
}

static enum err find_row(struct store_txn *txn, const struct name_address *name,
			 enum resolve_kind found, struct resolve *resolve)
{
	enum err err = store_address_get(txn, name, &resolve->address);

	resolve->kind = found;
	if (err != ERR_NOTFOUND)
		return err;
	resolve->kind = RESOLVE_DELETED;
	return store_parked_address_get(txn, name, &resolve->address,
					&resolve->parked);
}

static enum err find_address(struct store_txn *txn, const char *local,
			     size_t len, struct resolve *resolve)
{
	struct name_address name = {.domain = resolve->domain.name};
	enum err err = ERR_NOTFOUND;

	/* A local part that the store cannot have falls to the catch-all. */
	if (!name_local_read(local, len, &name.local))
		err = find_row(txn, &name, RESOLVE_ADDRESS, resolve);
	if (err == ERR_NOTFOUND && resolve->domain.extension &&
	    !name_local_read(local, dotqmail_base(local, len), &name.local)) {
		err = find_row(txn, &name, RESOLVE_ADDRESS, resolve);
		resolve->extended = err == ERR_OK;
	}
	if (err == ERR_NOTFOUND) {
		name.local = (struct name_local){"*"};
		err = find_row(txn, &name, RESOLVE_CATCHALL, resolve);
	}
	if (err == ERR_NOTFOUND)
		resolve->kind = RESOLVE_NOBODY;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err resolve_address(struct store_txn *txn, const char *text,
			 struct resolve *ret_resolve)
{
	const char *at = strrchr(text, '@');
	bool closed;
	enum err err;

	ret_resolve->kind = RESOLVE_FOREIGN;
	ret_resolve->extended = false;
	if (!at)
		return ERR_OK;
	err = find_domain(txn, at + 1, ret_resolve, &closed);
	if (closed)
		ret_resolve->kind = RESOLVE_CLOSED;
	if (err == ERR_NOTFOUND)
		return ERR_OK;
	if (err == ERR_OK)
		ret_resolve->domain = ret_resolve->named;
	if (err == ERR_OK && ret_resolve->named.kind == STORE_ALIAS) {
		err = store_domain_get(txn, &ret_resolve->named.target,
				       &ret_resolve->domain);
		if (err == ERR_NOTFOUND)
			err = ERR_DAMAGED;
	}
	if (err != ERR_OK)
		return err;
	ret_resolve->kind = RESOLVE_ROUTED;
	if (ret_resolve->domain.kind != STORE_POP)
		return ERR_OK;
	return find_address(txn, text, (size_t)(at - text), ret_resolve);
}
