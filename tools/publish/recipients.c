/* SPDX-License-Identifier: MIT */
#include "recipients.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "item.h"
#include "plan.h"
#include "qmail/dotqmail_lines.h"

static enum err no_memory(void)
{
	errno = ENOMEM;
	return ERR_SYSTEM;
}

void recipients_free(struct recipients *recipients)
{
	pairs_free(&recipients->domains);
	pairs_free(&recipients->there);
	pairs_free(&recipients->forwards);
}

/* A domain as it is asked for, and the one that has its addresses. */
struct domain {
	struct store_txn *txn;
	const struct config *config;
	struct recipients *to;
	struct store_domain named, home;
	bool catch_all; /* there is one, and it takes mail */
};

static enum err put_there(const struct domain *domain, const char *local)
{
	char key[NAME_ADDRESS_TEXT];

	(void)snprintf(key, sizeof key, "%.64s@%s",
		       strcmp(local, "*") == 0 ? "" : local,
		       domain->named.name.s); /* it fits */
	return pairs_add(&domain->to->there, key, "OK") ? ERR_OK : no_memory();
}

/* What a .qmail file does with mail. */
struct fate {
	bool there; /* it does not bounce */
	bool box;   /* it is put into a Maildir */
};

static enum err read_fate(const struct config *config, char *text, size_t len,
			  struct fate *ret_fate)
{
	size_t count = 0;
	struct dotqmail_line *line = dotqmail_split(text, len, &count);

	if (!line)
		return no_memory();
	*ret_fate = (struct fate){.there = true};
	for (size_t n = 0; n < count; n++) {
		const enum dotqmail_does does = dotqmail_does(config, &line[n]);

		ret_fate->there &= does != DOTQMAIL_BOUNCE;
		ret_fate->box |= does == DOTQMAIL_MAILDIR;
	}
	free(line);
	return ERR_OK;
}

/* By the file that is published for it: one function judges both. */
static enum err judge(const struct domain *domain,
		      struct store_address *address, bool bounce,
		      struct fate *ret_fate)
{
	struct plan plan = {0};
	enum err err = item_address(domain->txn, domain->config, &plan, address,
				    bounce);

	*ret_fate = (struct fate){.there = false};
	if (err == ERR_OK && plan.count && plan.item[0].text)
		err = read_fate(domain->config, plan.item[0].text,
				plan.item[0].len, ret_fate);
	plan_free(&plan);
	return err;
}

/* The part of an address that leads to a box: an address of that box, since no map
 * knows boxes. */
static enum err put_box(const struct domain *domain,
			const struct store_address *address, struct text *out)
{
	struct name_address to = {address->name.local, domain->named.name};
	char text[NAME_ADDRESS_TEXT];
	enum err err = ERR_OK;

	if (strcmp(to.local.s, "*") == 0)
		err = store_box_address_next(domain->txn, &address->box, NULL,
					     &to);
	while (err == ERR_OK && strcmp(to.local.s, "*") == 0)
		err = store_box_address_next(domain->txn, &address->box, &to,
					     &to);
	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	name_address_text(&to, text);
	return text_put(out, text, strlen(text)) ? ERR_OK : no_memory();
}

static enum err put_value(const struct domain *domain,
			  const struct store_address *address, bool box,
			  struct text *out)
{
	enum err err = box ? put_box(domain, address, out) : ERR_OK;

	for (size_t at = 0; err == ERR_OK && at < address->forwards_len;) {
		const char *forward = address->forwards + at;
		const size_t len = strlen(forward);

		if ((out->len && !text_put(out, ", ", 2)) ||
		    !text_put(out, forward, len))
			err = no_memory();
		at += len + 1;
	}
	return err;
}

/* Where a catch-all is, each address of its own leads to itself: of a key that is
 * missing Postfix asks for the catch-all. */
static enum err put_forwards(const struct domain *domain,
			     const struct store_address *address, bool box)
{
	const bool all = strcmp(address->name.local.s, "*") == 0;
	char key[NAME_ADDRESS_TEXT];
	struct text value = {NULL, 0, 0, false};
	enum err err = ERR_OK;

	if (!address->forwards_len && !all && !domain->catch_all)
		return ERR_OK;
	(void)snprintf(key, sizeof key, "%.64s@%s",
		       all ? "" : address->name.local.s,
		       domain->named.name.s); /* it fits */
	err = put_value(domain, address, box, &value);
	if (err == ERR_OK && value.len &&
	    !pairs_add(&domain->to->forwards, key, value.bytes))
		err = no_memory();
	free(value.bytes);
	return err;
}

static enum err put_live(struct domain *domain, struct store_address *address)
{
	struct fate fate;
	enum err err = judge(domain, address, false, &fate);

	if (err != ERR_OK || !fate.there)
		return err;
	domain->catch_all |= strcmp(address->name.local.s, "*") == 0;
	err = put_there(domain, address->name.local.s);
	return err == ERR_OK ? put_forwards(domain, address, fate.box) : err;
}

static enum err put_parked(const struct domain *domain)
{
	struct name_address at = {{""}, domain->home.name};
	struct store_address address;
	struct store_parked parked;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		struct fate fate;

		err = store_parked_address_next(domain->txn, &at, &address,
						&parked);
		if (err != ERR_OK || strcmp(address.name.domain.s,
					    domain->home.name.s) != 0)
			break;
		at = address.name;
		err = judge(domain, &address, parked.bounce, &fate);
		if (err == ERR_OK && fate.there)
			err = put_there(domain, at.local.s);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err put_addresses(struct domain *domain)
{
	const struct name_address all = {{"*"}, domain->home.name};
	struct name_address at = {{""}, domain->home.name};
	struct store_address address;
	enum err err = store_address_get(domain->txn, &all, &address);

	/* Before the others, which may stand before it: '!' comes before '*'. */
	if (err == ERR_OK)
		err = put_live(domain, &address);
	else if (err == ERR_NOTFOUND)
		err = ERR_OK;
	while (err == ERR_OK) {
		err = store_address_next(domain->txn, &at, &address);
		if (err != ERR_OK || strcmp(address.name.domain.s,
					    domain->home.name.s) != 0)
			break;
		at = address.name;
		if (strcmp(at.local.s, "*") != 0)
			err = put_live(domain, &address);
	}
	if (err == ERR_OK || err == ERR_NOTFOUND)
		err = put_parked(domain);
	/* No key says joe+tag. */
	if (err == ERR_OK && domain->home.extension)
		err = put_there(domain, "*");
	return err;
}

/* A relay, a backup, or a host that dials in. */
static enum err put_routed(const struct domain *domain)
{
	enum store_delivery delivery = domain->named.state.delivery;
	struct store_handle handle;
	enum err err = store_handle_get(domain->txn, &domain->named.handle,
					&handle);

	if (err == ERR_OK)
		delivery = store_delivery_and(delivery, handle.state.delivery);
	if (err == ERR_NOTFOUND)
		err = ERR_DAMAGED;
	if (err != ERR_OK || (domain->named.kind == STORE_DIALUP &&
			      delivery == STORE_BOUNCE))
		return err;
	return put_there(domain, "*");
}

enum err recipients_domain(struct store_txn *txn, const struct config *config,
			   const struct name_domain *name,
			   struct recipients *recipients)
{
	struct domain domain = {.txn = txn,
				.config = config,
				.to = recipients};
	enum err err = store_domain_get(txn, name, &domain.named);

	if (err == ERR_NOTFOUND)
		return ERR_OK;
	if (err != ERR_OK)
		return err;
	if (!pairs_add(&recipients->domains, name->s,
		       word_kind(domain.named.kind)))
		return no_memory();
	domain.home = domain.named;
	if (domain.named.kind == STORE_ALIAS)
		err = store_domain_get(txn, &domain.named.target, &domain.home);
	else if (domain.named.kind != STORE_POP)
		return put_routed(&domain);
	if (err == ERR_OK)
		err = put_addresses(&domain);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* Listing unmanaged files. */
struct listing {
	const struct name_domain *name;
	const struct pairs *go;
	struct domain domain;
	bool lists; /* it has a directory */
	const char *text;
	size_t len;
};

static enum err find_home(struct store_txn *txn, void *arg)
{
	struct listing *listing = arg;
	struct domain *domain = &listing->domain;
	enum err err = store_domain_get(txn, listing->name, &domain->named);

	domain->home = domain->named;
	if (err == ERR_OK && domain->named.kind == STORE_ALIAS)
		err = store_domain_get(txn, &domain->named.target,
				       &domain->home);
	listing->lists = err == ERR_OK && domain->home.kind == STORE_POP;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* The local part whose mail qmail-local hands to a file of that name; false: it reads
 * none of that name, or it is one of the store. */
static enum err unmanaged(struct store_txn *txn, const struct domain *domain,
			  const char *file, char local[NAME_LOCAL_MAX + 1],
			  bool *ret_unmanaged)
{
	struct name_address name = {.domain = domain->home.name};
	struct store_address address;
	struct store_parked parked;
	const size_t len = strlen(file);
	enum err err = ERR_NOTFOUND;

	*ret_unmanaged = false;
	if (len < 8 || len > 7 + NAME_LOCAL_MAX ||
	    memcmp(file, ".qmail-", 7) != 0)
		return ERR_OK;
	memcpy(local, file + 7, len - 6);
	for (char *c = local; *c; c++) {
		if (*c == '.' || (*c >= 'A' && *c <= 'Z'))
			return ERR_OK;
		if (*c == ':')
			*c = '.';
	}
	if (strcmp(local, "default") == 0)
		memcpy(local, "*", 2);
	if (!name_local_or_catchall(local, strlen(local), &name.local))
		err = store_address_get(txn, &name, &address);
	if (err == ERR_NOTFOUND && name.local.s[0])
		err = store_parked_address_get(txn, &name, &address, &parked);
	*ret_unmanaged = err == ERR_NOTFOUND;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Of one for all that begins so, no key says which. */
static bool is_default(const char *local)
{
	const size_t len = strlen(local);

	return len >= 8 && strcmp(local + len - 8, "-default") == 0;
}

/* Its file is removed as soon as nothing leads to it. */
static bool goes(const struct listing *listing, const char *local)
{
	char key[NAME_ADDRESS_TEXT];

	(void)snprintf(key, sizeof key, "%.64s@%s", local,
		       listing->domain.home.name.s); /* it fits */
	return pairs_has(listing->go, key);
}

static enum err take_list(struct store_txn *txn, void *arg)
{
	const struct listing *listing = arg;
	enum err err = ERR_OK;

	for (size_t at = 0; err == ERR_OK && at < listing->len;
	     at += strnlen(listing->text + at, listing->len - at) + 1) {
		char local[NAME_LOCAL_MAX + 1];
		bool is;

		err = unmanaged(txn, &listing->domain, listing->text + at,
				local, &is);
		if (err == ERR_OK && is && !goes(listing, local))
			err = put_there(&listing->domain,
					is_default(local) ? "*" : local);
	}
	return err;
}

enum err recipients_unmanaged(const struct site *site,
			      const struct name_domain *name,
			      const struct pairs *go,
			      struct recipients *recipients, int *ret_rc,
			      char ret_path[PATH_MAX])
{
	char *text = malloc(MAILROOT_QMAIL_MAX);
	struct listing listing = {
		.name = name, .go = go, .domain.to = recipients};
	enum err err = text ? store_read(site->store, find_home, &listing)
			    : no_memory();
	bool start = true;

	*ret_rc = 0;
	listing.text = text;
	while (err == ERR_OK && *ret_rc == 0 && listing.lists &&
	       (start || listing.len)) {
		*ret_rc = asuser_list(site->asuser,
				      &listing.domain.home.handle,
				      &listing.domain.home.name, start, text,
				      &listing.len, ret_path);
		start = false;
		if (*ret_rc == 0)
			err = store_read(site->store, take_list, &listing);
	}
	if (*ret_rc == ENOENT)
		*ret_rc = 0;
	free(text);
	return err;
}
