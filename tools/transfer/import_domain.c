/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/idn.h"
#include "import_private.h"

static struct import_domain *new_domain(struct import *import)
{
	if (import->domains == import->domain_room) {
		size_t room =
			import->domain_room ? import->domain_room * 2 : 16;
		struct import_domain *more =
			reallocarray(import->domain, room, sizeof *more);

		if (!more)
			return NULL;
		import->domain = more;
		import->domain_room = room;
	}
	import->domain[import->domains] = (struct import_domain){.fresh = NULL};
	return &import->domain[import->domains++];
}

static enum err no_memory(void)
{
	errno = ENOMEM;
	return ERR_SYSTEM;
}

__attribute__((format(printf, 2, 3))) MUST_USE static enum err
domain_refuse(struct import_domain *domain, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&domain->why, format, args);
	va_end(args);
	if (len >= 0)
		return ERR_OK;
	domain->why = NULL;
	return no_memory();
}

bool import_subdomains(const struct import *import,
		       const struct name_domain *name)
{
	return import->how->subdomains_said
		       ? import->how->subdomains
		       : oldroutes_subdomains(&import->old, name);
}

/* Whose the domain is, as the row or the file of handles says. NULL: neither. */
static const struct name_handle *
said_handle(const struct import *import, const struct import_account *account)
{
	return account->has_handle ? &account->handle
				   : handlemap_find(&import->how->map,
						    &account->address.domain);
}

/* A domain that is to be made, with the handle that the row or the command line
 * names. */
static enum err plan_domain(const struct import *import,
			    const struct import_account *account,
			    struct import_domain *domain)
{
	const char *name = account->address.domain.s;
	char utf8[NAME_DOMAIN_MAX + 1];
	struct name_domain again;
	const char *why = idn_new_domain(name, &again, utf8);
	const struct name_handle *handle = said_handle(import, account);

	if (!handle && import->how->has_handle)
		handle = &import->how->handle;
	if (why)
		return domain_refuse(domain, "the domain '%s': %s", name, why);
	if (!handle)
		return domain_refuse(
			domain,
			"there is no domain '%s' (name its handle in the "
			"column 'handle', by --handle H or by --handles "
			"FILE, and popbox makes it)",
			name);
	domain->handle = *handle;
	domain->fresh = calloc(1, sizeof *domain->fresh);
	if (!domain->fresh)
		return no_memory();
	domain->fresh->name = account->address.domain;
	memcpy(domain->fresh->utf8, account->utf8, sizeof domain->fresh->utf8);
	domain->fresh->handle = domain->handle;
	domain->fresh->kind = STORE_POP;
	domain->fresh->subdomains =
		import_subdomains(import, &account->address.domain);
	return ERR_OK;
}

static enum err look_domain(struct import *import, struct store_txn *txn,
			    const struct import_account *account,
			    struct import_domain *domain)
{
	struct store_domain row;
	enum err err = store_domain_get(txn, &account->address.domain, &row);

	if (err == ERR_NOTFOUND)
		return plan_domain(import, account, domain);
	if (err != ERR_OK)
		return err;
	domain->handle = row.handle;
	if (row.kind == STORE_ALIAS)
		return domain_refuse(domain,
			      "the domain '%s' is another name of '%s' (give "
			      "its addresses there)",
			      row.name.s, row.target.s);
	if (row.kind != STORE_POP)
		return domain_refuse(domain,
			      "the domain '%s' is not of kind pop: it has no "
			      "addresses here",
			      row.name.s);
	return ERR_OK;
}

/* Looked at once, with the first row that names it. */
enum err import_domain_plan(struct import *import, struct store_txn *txn,
			    const struct import_account *account,
			    struct import_domain **ret_domain)
{
	size_t number;

	if (!strtab_add(&import->names, account->address.domain.s, &number))
		return no_memory();
	if (number < import->domains) {
		*ret_domain = &import->domain[number];
		return ERR_OK;
	}
	*ret_domain = new_domain(import);
	if (!*ret_domain)
		return no_memory();
	return look_domain(import, txn, account, *ret_domain);
}

enum err import_domain_judge(struct import *import, struct store_txn *txn,
			     const struct import_account *account,
			     char *ret_why, size_t room)
{
	const struct name_handle *handle = said_handle(import, account);
	struct import_domain *domain;
	enum err err;

	if (!account->has_address)
		return ERR_OK;
	err = import_domain_plan(import, txn, account, &domain);
	if (err != ERR_OK)
		return err;
	if (domain->why)
		(void)snprintf(ret_why, room, "%s", domain->why);
	else if (handle && strcmp(handle->s, domain->handle.s) != 0)
		(void)snprintf(ret_why, room,
			       "the domain '%s' belongs to the handle '%s'",
			       account->address.domain.s, domain->handle.s);
	return ERR_OK;
}

void import_domain_forget(struct import *import)
{
	for (size_t i = 0; i < import->domains; i++) {
		free(import->domain[i].fresh);
		free(import->domain[i].why);
		strtab_free(&import->domain[i].files);
	}
	import->domains = 0;
	strtab_free(&import->names);
}
