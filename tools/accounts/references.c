/* SPDX-License-Identifier: MIT */
#include "references.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "resolve.h"
#include "target_operand.h"

struct work {
	struct store_txn *txn;
	struct references *references;
	bool (*match)(const struct work *work); /* of what resolve found */
	uint64_t group; /* of this change */
	const struct name_address *from, *to;
	const struct name_domain *from_domain, *to_domain;
	struct resolve resolve;	      /* of the forward that is looked at */
	struct name_address *name;    /* of addresses with such a forward */
	size_t names, room;
	struct store_address was, is; /* the one that is changed */
	struct store_entry entry;
};

static bool same(const struct name_address *a, const struct name_address *b)
{
	return strcmp(a->local.s, b->local.s) == 0 &&
	       strcmp(a->domain.s, b->domain.s) == 0;
}

static bool to_renamed(const struct work *work)
{
	const struct resolve *found = &work->resolve;

	return (found->kind == RESOLVE_ADDRESS ||
		found->kind == RESOLVE_CATCHALL) &&
	       same(&found->address.name, work->from);
}

static bool to_renamed_domain(const struct work *work)
{
	const struct resolve *found = &work->resolve;

	return found->kind != RESOLVE_FOREIGN &&
	       found->kind != RESOLVE_CLOSED &&
	       strcmp(found->named.name.s, work->from_domain->s) == 0;
}

static bool to_deleted(const struct work *work)
{
	return work->resolve.kind == RESOLVE_DELETED &&
	       work->resolve.parked.group == work->group;
}

static bool to_deleted_or_closed(const struct work *work)
{
	return (work->resolve.kind == RESOLVE_DELETED ||
		work->resolve.kind == RESOLVE_CLOSED) &&
	       work->resolve.parked.group == work->group;
}

static enum err begin(struct store_txn *txn, struct references *references,
		      struct work **ret_work)
{
	struct work *work = calloc(1, sizeof *work);

	references->count = 0;
	references->said.len = 0;
	if (!work)
		return ERR_SYSTEM;
	work->txn = txn;
	work->references = references;
	*ret_work = work;
	return ERR_OK;
}

static enum err end(struct work *work, enum err err)
{
	free(work->name);
	free(work);
	return err;
}

__attribute__((format(printf, 2, 3))) static enum err
tell(struct work *work, const char *format, ...)
{
	char text[3 * NAME_ADDRESS_TEXT + 160];
	va_list args;

	va_start(args, format);
	/* Three names and a sentence: it fits. */
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	work->references->count++;
	return text_put(&work->references->said, text, strlen(text) + 1)
		       ? ERR_OK
		       : ERR_SYSTEM;
}

static enum err is_one(struct work *work, const char *forward, bool *ret_one)
{
	enum err err = resolve_address(work->txn, forward, &work->resolve);

	*ret_one = err == ERR_OK && work->match(work);
	return err;
}

static enum err on_forwarder(void *arg, const struct store_address *address)
{
	struct work *work = arg;
	bool one = false;
	enum err err = ERR_OK;

	for (size_t at = 0;
	     err == ERR_OK && !one && at < address->forwards_len;
	     at += strlen(address->forwards + at) + 1)
		err = is_one(work, address->forwards + at, &one);
	if (err != ERR_OK || !one)
		return err;
	if (work->names == work->room) {
		size_t room = work->room ? 2 * work->room : 16;
		struct name_address *more =
			reallocarray(work->name, room, sizeof *more);

		if (!more)
			return ERR_SYSTEM;
		work->name = more;
		work->room = room;
	}
	work->name[work->names++] = address->name;
	return ERR_OK;
}

static enum err find(struct work *work)
{
	work->names = 0;
	return store_forwarders(work->txn, on_forwarder, work);
}

/* Runs change for each forward that matches, the others stay; what becomes of
 * the address is work->is. */
typedef enum err change_forward(struct work *work, const char *forward);

static enum err rewrite(struct work *work, const struct name_address *name,
			change_forward *change)
{
	enum err err = store_address_get(work->txn, name, &work->was);
	bool one;

	if (err != ERR_OK)
		return err;
	work->is = work->was;
	work->is.forwards_len = 0;
	for (size_t at = 0; err == ERR_OK && at < work->was.forwards_len;
	     at += strlen(work->was.forwards + at) + 1) {
		const char *forward = work->was.forwards + at;

		err = is_one(work, forward, &one);
		if (err == ERR_OK)
			err = one ? change(work, forward)
				  : target_operand_forward(work->txn, forward,
							   &work->is);
	}
	return err;
}

static enum err tell_renamed(struct work *work, const char *old,
			     const char *new)
{
	char name[NAME_ADDRESS_TEXT];
	enum err err = target_operand_forward(work->txn, new, &work->is);

	name_address_text(&work->was.name, name);
	return err == ERR_OK ? tell(work, "address '%s' leads to '%s' now, "
					  "not to '%s'",
				    name, new, old)
			     : err;
}

/* A catch-all takes any local part, so what was written stays. */
static enum err rename_forward(struct work *work, const char *old)
{
	char new[NAME_ADDRESS_TEXT];

	name_address_text(work->to, new);
	if (strcmp(work->to->local.s, "*") == 0)
		(void)snprintf(new, sizeof new, "%.*s@%s",
			       (int)(strrchr(old, '@') - old), old,
			       work->to->domain.s);
	return tell_renamed(work, old, new);
}

/* The domain itself, or a host below it. */
static enum err rename_domain_forward(struct work *work, const char *old)
{
	char new[2 * NAME_ADDRESS_TEXT];
	const size_t keep = strlen(old) - strlen(work->from_domain->s);
	const int len = snprintf(new, sizeof new, "%.*s%s", (int)keep, old,
				 work->to_domain->s);

	if (len >= NAME_ADDRESS_TEXT)
		return store_refuse(work->txn, ERR_INVALID,
				    "the forward '%s' would be too long with "
				    "the new name",
				    old);
	return tell_renamed(work, old, new);
}

static enum err rename_all(struct work *work, change_forward *change)
{
	enum err err = find(work);

	for (size_t i = 0; err == ERR_OK && i < work->names; i++) {
		err = rewrite(work, &work->name[i], change);
		if (err == ERR_OK)
			err = store_address_set(work->txn, &work->is);
	}
	return end(work, err);
}

enum err references_rename(struct store_txn *txn,
			   const struct name_address *from,
			   const struct name_address *to,
			   struct references *references)
{
	struct work *work;
	enum err err = begin(txn, references, &work);

	if (err != ERR_OK)
		return err;
	work->match = to_renamed;
	work->from = from;
	work->to = to;
	return rename_all(work, rename_forward);
}

enum err references_rename_domain(struct store_txn *txn,
				  const struct name_domain *from,
				  const struct name_domain *to,
				  struct references *references)
{
	struct work *work;
	enum err err = begin(txn, references, &work);

	if (err != ERR_OK)
		return err;
	work->match = to_renamed_domain;
	work->from_domain = from;
	work->to_domain = to;
	return rename_all(work, rename_domain_forward);
}

static enum err remove_forward(struct work *work, const char *forward)
{
	char name[NAME_ADDRESS_TEXT];

	name_address_text(&work->was.name, name);
	return tell(work, "address '%s': no longer leads to '%s'", name,
		    forward);
}

/* An address that leads nowhere else goes as well. */
static enum err remove_from(struct work *work, const struct name_address *name,
			    enum store_fate fate, bool *ret_deleted)
{
	char text[NAME_ADDRESS_TEXT];
	enum err err = rewrite(work, name, remove_forward);

	if (err != ERR_OK)
		return err;
	if (work->is.has_box || work->is.forwards_len)
		return store_address_set(work->txn, &work->is);
	*ret_deleted = true;
	name_address_text(name, text);
	if (strcmp(name->local.s, "postmaster") == 0)
		return store_refuse(work->txn, ERR_INUSE,
				    "'%s' leads to it, and must lead "
				    "somewhere (popbox address set %s TARGET)",
				    text, text);
	err = tell(work, "address '%s': deleted, as it leads nowhere else",
		   text);
	return err == ERR_OK ? store_address_del(work->txn, name, fate) : err;
}

/* The deletion has written an entry before. */
static enum err find_group(struct work *work)
{
	uint64_t last = 0;
	enum err err = store_journal_last(work->txn, &last);

	if (err == ERR_OK && last)
		err = store_journal_next(work->txn, last - 1, &work->entry);
	work->group = work->entry.group;
	return err;
}

enum err references_remove(struct store_txn *txn, enum store_fate fate,
			   struct references *references)
{
	struct work *work;
	bool again = true;
	enum err err = begin(txn, references, &work);

	if (err != ERR_OK)
		return err;
	work->match = to_deleted;
	err = find_group(work);
	while (err == ERR_OK && again) {
		again = false;
		err = find(work);
		for (size_t i = 0; err == ERR_OK && i < work->names; i++)
			err = remove_from(work, &work->name[i], fate,
					  &again);
	}
	return end(work, err);
}

static enum err list_forward(struct work *work, const char *forward)
{
	char name[NAME_ADDRESS_TEXT];
	const bool closed = work->resolve.kind == RESOLVE_CLOSED;

	name_address_text(&work->was.name, name);
	return tell(work, "address '%s': '%s', to which it leads, %s ('popbox "
			  "address set' changes that)",
		    name, forward,
		    closed ? "leaves the site after 'popbox purge'"
			   : "is deleted");
}

enum err references_list(struct store_txn *txn, struct references *references)
{
	struct work *work;
	enum err err = begin(txn, references, &work);

	if (err != ERR_OK)
		return err;
	work->match = to_deleted_or_closed;
	err = find_group(work);
	if (err == ERR_OK)
		err = find(work);
	for (size_t i = 0; err == ERR_OK && i < work->names; i++)
		err = rewrite(work, &work->name[i], list_forward);
	return end(work, err);
}

void references_say(const struct references *references)
{
	const struct text *said = &references->said;

	for (size_t at = 0; at < said->len; at += strlen(said->bytes + at) + 1)
		say_note("%s", said->bytes + at);
}

void references_free(struct references *references)
{
	free(references->said.bytes);
	*references = (struct references){.count = 0};
}
