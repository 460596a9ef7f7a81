/* SPDX-License-Identifier: MIT */
#include "search.h"

#include <stdio.h>
#include <string.h>

#include "base/idn.h"
#include "base/words.h"

void search_begin(struct search *s)
{
	const char *at = strrchr(s->text, '@');
	const size_t len = at ? (size_t)(at - s->text) : strlen(s->text);

	s->whole = at != NULL;
	s->domain = at ? at + 1 : NULL;
	s->number = strchr(s->text, '-') ||
		    strspn(s->text, "0123456789") == strlen(s->text);
	s->seeks = name_local_or_catchall(s->text, len, &s->local) == NULL;
}

static bool has(const struct search *s, const char *text)
{
	return strcasestr(text, s->text) != NULL;
}

/* Found where; text: what stands there. */
static bool note(struct search_found *found, const char *where, const char *text)
{
	found->where = where;
	/* What is longer is shown in part. */
	(void)snprintf(found->text, sizeof found->text, "%.*s",
		       SEARCH_TEXT_MAX - 1, text);
	return true;
}

static bool in_reason(const struct search *s, const struct store_state *state,
		      struct search_found *found)
{
	return has(s, state->reason) && note(found, "reason", state->reason);
}

static bool in_handle(const struct search *s, const struct store_handle *handle,
		      struct search_found *found)
{
	found->handle = handle->name;
	(void)snprintf(found->name, sizeof found->name, "%s", handle->name.s);
	if (has(s, handle->name.s))
		return note(found, "handle", handle->title);
	return (has(s, handle->title) && note(found, "name", handle->title)) ||
	       in_reason(s, &handle->state, found);
}

static bool in_domain(const struct search *s, const struct store_domain *domain,
		      struct search_found *found)
{
	found->handle = domain->handle;
	(void)snprintf(found->name, sizeof found->name, "%s", domain->name.s);
	if (has(s, domain->name.s) || has(s, domain->utf8))
		return note(found, "domain", word_kind(domain->kind));
	if (domain->kind == STORE_ALIAS && has(s, domain->target.s))
		return note(found, "target", domain->target.s);
	return (has(s, domain->host) && note(found, "host", domain->host)) ||
	       (has(s, domain->ip) && note(found, "ip", domain->ip)) ||
	       in_reason(s, &domain->state, found);
}

static bool in_box(const struct search *s, const struct store_box *box,
		   struct search_found *found)
{
	found->handle = box->name.handle;
	name_box_text(&box->name, found->name);
	if (s->number && has(s, found->name))
		return note(found, "box", box->title);
	return (has(s, box->title) && note(found, "name", box->title)) ||
	       in_reason(s, &box->state, found);
}

/* Where it leads: its first target, and how many more. */
static bool note_targets(const struct store_address *address,
			 struct search_found *found)
{
	char first[NAME_BOX_TEXT] = "", more[32] = "";
	size_t count = address->has_box;

	for (size_t at = 0; at < address->forwards_len; count++)
		at += strlen(address->forwards + at) + 1;
	if (address->has_box)
		name_box_text(&address->box, first);
	if (count > 1)
		(void)snprintf(more, sizeof more, " and %zu more", count - 1);
	found->where = "address";
	(void)snprintf(found->text, sizeof found->text, "%.*s%s",
		       NAME_ADDRESS_TEXT,
		       first[0] ? first : address->forwards, more);
	return true;
}

static bool in_forwards(const struct search *s,
			const struct store_address *address,
			struct search_found *found)
{
	for (size_t at = 0; at < address->forwards_len;
	     at += strlen(address->forwards + at) + 1) {
		if (has(s, address->forwards + at))
			return note(found, "forward", address->forwards + at);
	}
	return false;
}

/* A domain alone finds itself, not each of its addresses. */
static bool in_name(const struct search *s, const struct store_address *address,
		    const char *text)
{
	char written[IDN_WRITTEN];

	if (!s->whole)
		return has(s, address->name.local.s);
	return has(s, text) || (strstr(address->name.domain.s, "xn--") &&
				has(s, idn_written(text, written)));
}

static bool in_address(const struct search *s,
		       const struct store_address *address,
		       struct search_found *found)
{
	name_address_text(&address->name, found->name);
	found->handle = address->has_box ? address->box.handle
					 : (struct name_handle){""};
	if (in_name(s, address, found->name))
		return note_targets(address, found);
	return in_forwards(s, address, found) ||
	       (has(s, address->reason) &&
		note(found, "reason", address->reason));
}

static enum err handles(struct store_txn *txn, const struct search *s,
			struct search_place *at, struct search_found *found)
{
	struct store_handle handle;
	enum err err;

	do {
		err = store_handle_next(txn, at->started ? &at->handle : NULL,
					&handle);
		at->handle = handle.name;
		at->started = true;
	} while (err == ERR_OK && !in_handle(s, &handle, found));
	return err;
}

static enum err domains(struct store_txn *txn, const struct search *s,
			struct search_place *at, struct search_found *found)
{
	enum err err;

	do {
		err = store_domain_next(txn,
					at->started ? &at->domain.name : NULL,
					&at->domain);
		at->started = true;
	} while (err == ERR_OK && !in_domain(s, &at->domain, found));
	return err;
}

/* Most rows are boxes and addresses: these are judged in several threads. */
struct searching {
	const struct search *s;
	struct search_place *at;
	struct search_found *found;
};

static unsigned judge_box(const void *arg, const struct store_account *account)
{
	const struct searching *searching = arg;
	struct search_found found;

	return in_box(searching->s, &account->box, &found);
}

static enum err take_box(void *arg, const struct store_box *box,
			 unsigned verdict)
{
	struct searching *searching = arg;

	(void)verdict;
	(void)in_box(searching->s, box, searching->found);
	searching->at->box = box->name;
	searching->at->started = true;
	return ERR_NOTFOUND;
}

static enum err boxes(struct store_txn *txn, const struct search *s,
		      struct search_place *at, struct search_found *found)
{
	struct searching searching = {s, at, found};
	const struct store_box_scan scan = {.after = at->started ? &at->box
								 : NULL,
					    .judge = judge_box,
					    .take = take_box,
					    .arg = &searching};

	return store_box_scan(txn, &scan);
}

/* Whose the domain is, where no box tells. */
static enum err add_owner(struct store_txn *txn, struct search_place *at,
			  struct search_found *found)
{
	struct store_domain domain;
	enum err err;

	if (found->handle.s[0])
		return ERR_OK;
	err = store_domain_get(txn, &at->address.domain, &domain);
	if (err == ERR_OK)
		found->handle = domain.handle;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static bool begins(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

/* Is it one that the look into each domain finds? */
static bool is_sought(const struct search *s, const struct name_address *name)
{
	if (!s->seeks)
		return false;
	return s->whole ? strcmp(name->local.s, s->local.s) == 0 &&
				  begins(name->domain.s, s->domain)
			: begins(name->local.s, s->local.s);
}

/* The first address of this domain that begins so, or the next one. */
static enum err in_one_domain(struct store_txn *txn, const struct search *s,
			      struct search_place *at,
			      struct store_address *ret_address)
{
	enum err err = ERR_NOTFOUND;

	if (strcmp(at->address.domain.s, at->domain.name.s) != 0) {
		at->address = (struct name_address){s->local, at->domain.name};
		err = store_address_get(txn, &at->address, ret_address);
	}
	if (err == ERR_NOTFOUND)
		err = store_address_next(txn, &at->address, ret_address);
	if (err != ERR_OK)
		return err;
	if (strcmp(ret_address->name.domain.s, at->domain.name.s) != 0 ||
	    !is_sought(s, &ret_address->name))
		return ERR_NOTFOUND;
	at->address = ret_address->name;
	return ERR_OK;
}

static enum err addresses_begin(struct store_txn *txn, const struct search *s,
				struct search_place *at,
				struct search_found *found)
{
	struct store_address address;
	enum err err = at->started ? in_one_domain(txn, s, at, &address)
				   : ERR_NOTFOUND;

	while (err == ERR_NOTFOUND && s->seeks) {
		err = store_domain_next(txn,
					at->started ? &at->domain.name : NULL,
					&at->domain);
		if (err != ERR_OK)
			return err;
		at->started = true;
		err = in_one_domain(txn, s, at, &address);
	}
	if (err != ERR_OK)
		return err;
	(void)in_address(s, &address, found); /* it is in its name */
	return add_owner(txn, at, found);
}

static unsigned judge_address(const void *arg,
			      const struct store_address *address)
{
	const struct searching *searching = arg;
	struct search_found found;

	return !is_sought(searching->s, &address->name) &&
	       in_address(searching->s, address, &found);
}

static enum err take_address(void *arg, const struct store_address *address)
{
	struct searching *searching = arg;

	(void)in_address(searching->s, address, searching->found);
	searching->at->address = address->name;
	searching->at->started = true;
	return ERR_NOTFOUND;
}

static enum err addresses(struct store_txn *txn, const struct search *s,
			  struct search_place *at, struct search_found *found)
{
	struct searching searching = {s, at, found};
	const struct store_address_scan scan = {
		.after = at->started ? &at->address : NULL,
		.judge = judge_address,
		.take = take_address,
		.arg = &searching};
	enum err err = store_address_scan(txn, &scan);

	return err == ERR_OK ? add_owner(txn, at, found) : err;
}

static enum err old_handles(struct store_txn *txn, const struct search *s,
			    struct search_place *at, struct search_found *found)
{
	struct store_handle handle;
	struct store_parked parked;
	enum err err;

	do {
		err = store_parked_handle_next(
			txn, at->started ? &at->handle : NULL, &handle,
			&parked);
		at->handle = handle.name;
		at->started = true;
	} while (err == ERR_OK && !in_handle(s, &handle, found));
	if (err == ERR_OK)
		found->deleted = parked.since;
	return err;
}

static enum err old_domains(struct store_txn *txn, const struct search *s,
			    struct search_place *at, struct search_found *found)
{
	struct store_parked parked;
	enum err err;

	do {
		err = store_parked_domain_next(
			txn, at->started ? &at->domain : NULL, &at->domain,
			&parked);
		at->started = true;
	} while (err == ERR_OK && !in_domain(s, &at->domain, found));
	if (err == ERR_OK)
		found->deleted = parked.since;
	return err;
}

static enum err old_boxes(struct store_txn *txn, const struct search *s,
			  struct search_place *at, struct search_found *found)
{
	struct store_parked parked;
	struct store_box box;
	enum err err;

	do {
		err = store_parked_box_next(txn, at->started ? &at->box : NULL,
					    &box, &parked);
		at->box = box.name;
		at->started = true;
	} while (err == ERR_OK && !in_box(s, &box, found));
	if (err == ERR_OK)
		found->deleted = parked.since;
	return err;
}

static enum err old_addresses(struct store_txn *txn, const struct search *s,
			      struct search_place *at,
			      struct search_found *found)
{
	struct store_address address;
	struct store_parked parked;
	enum err err;

	do {
		err = store_parked_address_next(
			txn, at->started ? &at->address : NULL, &address,
			&parked);
		at->address = address.name;
		at->started = true;
	} while (err == ERR_OK && !in_address(s, &address, found));
	if (err != ERR_OK)
		return err;
	found->deleted = parked.since;
	return add_owner(txn, at, found);
}

static const struct {
	enum store_table table;
	enum err (*next)(struct store_txn *txn, const struct search *s,
			 struct search_place *at, struct search_found *found);
} steps[] = {
	{STORE_HANDLES, handles},	{STORE_DOMAINS, domains},
	{STORE_ADDRESSES, addresses_begin}, {STORE_BOXES, boxes},
	{STORE_ADDRESSES, addresses},	{STORE_HANDLES, old_handles},
	{STORE_DOMAINS, old_domains},	{STORE_BOXES, old_boxes},
	{STORE_ADDRESSES, old_addresses},
};

enum err search_next(struct store_txn *txn, const struct search *s,
		     struct search_place *place, struct search_found *ret_found)
{
	for (; place->step < sizeof steps / sizeof *steps; place->step++) {
		enum err err = ERR_NOTFOUND;

		ret_found->deleted = 0;
		ret_found->table = steps[place->step].table;
		if (s->every || s->table == ret_found->table)
			err = steps[place->step].next(txn, s, place, ret_found);
		if (err != ERR_NOTFOUND)
			return err;
		place->started = false;
		place->address = (struct name_address){{""}, {""}};
	}
	return ERR_NOTFOUND;
}
