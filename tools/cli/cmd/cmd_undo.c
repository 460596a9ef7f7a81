/* SPDX-License-Identifier: MIT */
/* cmd_undo.c: popbox undo: the change that an entry of the journal belongs to,
 * taken back entry by entry from its last one, by the store's usual calls with
 * their usual rules. Only what is still as the change left it is touched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/references.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/lastchange.h"
#include "cli/operand.h"
#include "publish/change.h"

const struct args_option cmd_undo_options[] = {
	CONFIRM_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

struct undo {
	uint64_t number;
	struct store_txn *txn;
	struct store_entry entry; /* the one being taken back */
	struct store_entry other; /* for looks elsewhere in the journal */
	uint64_t first, last;	  /* of the change */
	unsigned long done;
	bool deletes; /* an address or a domain */
	struct references references; /* to what it deletes */
	bool named;   /* the entry in the way was */
	bool blocked; /* by a rule of the store, which names no entry */
};

static enum err get_entry(struct store_txn *txn, uint64_t number,
			  struct store_entry *ret_entry)
{
	enum err err = store_journal_next(txn, number - 1, ret_entry);

	return err == ERR_OK && ret_entry->number != number ? ERR_NOTFOUND
							    : err;
}

static bool same_object(const struct store_entry *a,
			const struct store_entry *b)
{
	return a->table == b->table && a->key_len == b->key_len &&
	       memcmp(a->key, b->key, a->key_len) == 0;
}

/* Names the latest change of the same object. */
static enum err in_the_way(struct undo *undo)
{
	char object[STORE_OBJECT_TEXT] = "";
	uint64_t number = 0;
	enum err err = store_entry_object(&undo->entry, object);

	undo->named = true;
	if (err == ERR_OK)
		err = store_journal_last(undo->txn, &number);
	for (; err == ERR_OK && number > undo->last; number--) {
		err = get_entry(undo->txn, number, &undo->other);
		if (err == ERR_OK && undo->other.op != STORE_OWED &&
		    same_object(&undo->entry, &undo->other))
			return store_refuse(
				undo->txn, ERR_INUSE,
				"'%s' was changed since, by entry %llu "
				"('popbox undo %llu' first)",
				object, (unsigned long long)number,
				(unsigned long long)number);
	}
	if (err != ERR_OK)
		return err;
	return store_refuse(undo->txn, ERR_INUSE,
			    "'%s' is not as entry %llu left it", object,
			    (unsigned long long)undo->entry.number);
}

/* Is the object as it was left, but for when, and for what has entries of its
 * own? */
static bool same_state(const struct store_state *a, const struct store_state *b)
{
	return a->login == b->login && a->delivery == b->delivery &&
	       a->created == b->created && a->expires == b->expires &&
	       a->off == b->off && strcmp(a->reason, b->reason) == 0;
}

static bool same_quota(const struct store_quota *a, const struct store_quota *b)
{
	return a->bytes == b->bytes && a->messages == b->messages;
}

static bool same_handle(const struct store_handle *a,
			const struct store_handle *b)
{
	return strcmp(a->title, b->title) == 0 &&
	       same_quota(&a->quota, &b->quota) &&
	       a->max_boxes == b->max_boxes &&
	       a->max_addresses == b->max_addresses &&
	       a->max_domains == b->max_domains &&
	       same_state(&a->state, &b->state);
}

static bool same_domain(const struct store_domain *a,
			const struct store_domain *b)
{
	return a->kind == b->kind && strcmp(a->handle.s, b->handle.s) == 0 &&
	       strcmp(a->target.s, b->target.s) == 0 &&
	       strcmp(a->host, b->host) == 0 && a->port == b->port &&
	       strcmp(a->ip, b->ip) == 0 && a->subdomains == b->subdomains &&
	       a->extension == b->extension &&
	       same_quota(&a->quota, &b->quota) &&
	       same_state(&a->state, &b->state);
}

static bool same_box(const struct store_box *a, const struct store_box *b)
{
	return strcmp(a->title, b->title) == 0 &&
	       strcmp(a->vacation, b->vacation) == 0 &&
	       a->vacation_from == b->vacation_from &&
	       a->vacation_until == b->vacation_until &&
	       same_quota(&a->quota, &b->quota) &&
	       a->apps_only == b->apps_only &&
	       same_state(&a->state, &b->state);
}

static bool same_address(const struct store_address *a,
			 const struct store_address *b)
{
	return a->delivery == b->delivery && a->expires == b->expires &&
	       strcmp(a->reason, b->reason) == 0 && a->has_box == b->has_box &&
	       a->box.number == b->box.number &&
	       strcmp(a->box.handle.s, b->box.handle.s) == 0 &&
	       a->forwards_len == b->forwards_len &&
	       memcmp(a->forwards, b->forwards, a->forwards_len) == 0;
}

static enum err undo_handle(struct undo *undo)
{
	const struct store_entry *e = &undo->entry;
	struct store_handle was, left, now;
	struct name_handle name;
	enum err err;

	if (name_handle_read((const char *)e->key, e->key_len, &name))
		return ERR_DAMAGED;
	if (e->op == STORE_DEL) {
		err = store_handle_row(e->key, e->key_len, e->before,
				       e->before_len, &was);
		return err == ERR_OK ? store_handle_restore(undo->txn, &was)
				     : err;
	}
	err = store_handle_get(undo->txn, &name, &now);
	if (err == ERR_OK)
		err = store_handle_row(e->key, e->key_len, e->after,
				       e->after_len, &left);
	if (err != ERR_OK)
		return err;
	if (!same_handle(&now, &left))
		return in_the_way(undo);
	if (e->op == STORE_ADD)
		return store_handle_del(undo->txn, &name);
	err = store_handle_row(e->key, e->key_len, e->before, e->before_len,
			       &was);
	return err == ERR_OK ? store_handle_set(undo->txn, &was) : err;
}

static enum err undo_domain(struct undo *undo)
{
	const struct store_entry *e = &undo->entry;
	struct store_domain was, left, now;
	struct name_domain name;
	enum err err = store_entry_domain(e, &name);

	if (err == ERR_OK && e->op == STORE_DEL) {
		err = store_domain_row(e->key, e->key_len, e->before,
				       e->before_len, &was);
		return err == ERR_OK ? store_domain_restore(undo->txn, &was)
				     : err;
	}
	if (err == ERR_OK)
		err = store_domain_get(undo->txn, &name, &now);
	if (err == ERR_OK)
		err = store_domain_row(e->key, e->key_len, e->after,
				       e->after_len, &left);
	if (err != ERR_OK)
		return err;
	if (!same_domain(&now, &left))
		return in_the_way(undo);
	if (e->op == STORE_ADD)
		return store_domain_del(undo->txn, &name);
	err = store_domain_row(e->key, e->key_len, e->before, e->before_len,
			       &was);
	/* An alias has come to its handle with its domain, and goes with it. */
	if (err == ERR_OK && was.kind == STORE_ALIAS &&
	    strcmp(was.handle.s, now.handle.s) != 0)
		return ERR_OK;
	return err == ERR_OK ? store_domain_set(undo->txn, &was) : err;
}

/* A password of a box that the same change added goes with the box. */
static bool came_with_box(struct undo *undo)
{
	for (uint64_t n = undo->entry.number - 1; n >= undo->first; n--) {
		if (get_entry(undo->txn, n, &undo->other) != ERR_OK)
			return false;
		if (undo->other.op == STORE_ADD &&
		    same_object(&undo->entry, &undo->other))
			return true;
	}
	return false;
}

static enum err undo_password(struct undo *undo)
{
	if (came_with_box(undo))
		return ERR_OK;
	return store_refuse(undo->txn, ERR_INVALID,
			    "a password reset cannot be undone: the old "
			    "password is not kept ('popbox passwd' sets "
			    "another)");
}

static bool has_app(const struct store_apps *apps, const struct store_app *app)
{
	const struct store_app *one = store_apps_find(apps, app->name);

	return one && one->created == app->created;
}

/* Times are seconds: is it that one still, or one of its name that was made in the same
 * second after it was revoked? */
static enum err was_revoked(struct undo *undo, const struct store_app *app,
			    bool *ret_revoked)
{
	const struct store_entry *e = &undo->other;
	struct store_apps was, left;
	uint64_t last = 0;
	enum err err = store_journal_last(undo->txn, &last);

	*ret_revoked = false;
	for (uint64_t n = undo->last + 1; err == ERR_OK && n <= last; n++) {
		err = get_entry(undo->txn, n, &undo->other);
		if (err != ERR_OK || e->op != STORE_SET ||
		    !same_object(&undo->entry, e))
			continue;
		err = store_apps_row(e->key, e->key_len, e->before,
				     e->before_len, &was);
		if (err == ERR_OK)
			err = store_apps_row(e->key, e->key_len, e->after,
					     e->after_len, &left);
		if (err == ERR_OK && has_app(&was, app) && !has_app(&left, app))
			*ret_revoked = true;
	}
	return err;
}

/* One that was made is revoked; one that was revoked is gone. */
static enum err undo_apps(struct undo *undo, const struct name_box *name)
{
	const struct store_entry *e = &undo->entry;
	struct store_apps was, left, now;
	enum err err = store_apps_row(e->key, e->key_len, e->before,
				      e->before_len, &was);

	if (err == ERR_OK)
		err = store_apps_row(e->key, e->key_len, e->after, e->after_len,
				     &left);
	if (err == ERR_OK)
		err = store_apps_get(undo->txn, name, &now);
	for (unsigned i = 0; err == ERR_OK && i < was.count; i++) {
		if (!has_app(&left, &was.app[i]))
			err = store_refuse(undo->txn, ERR_INVALID,
					   "an app password that was revoked "
					   "cannot come back: it is not kept "
					   "('popbox passwd --app %s' makes "
					   "another)",
					   was.app[i].name);
	}
	for (unsigned i = 0; err == ERR_OK && i < left.count; i++) {
		bool revoked;

		if (has_app(&was, &left.app[i]))
			continue;
		err = was_revoked(undo, &left.app[i], &revoked);
		if (err == ERR_OK)
			err = has_app(&now, &left.app[i]) && !revoked
				      ? store_app_del(undo->txn, name,
						      left.app[i].name)
				      : in_the_way(undo);
	}
	return err;
}

static enum err undo_box(struct undo *undo)
{
	const struct store_entry *e = &undo->entry;
	struct store_box was, left, now;
	struct name_box name;
	enum err err = store_entry_box(e, &name);

	if (err == ERR_OK && e->op == STORE_PASSWORD)
		return undo_password(undo);
	if (err == ERR_OK && e->op == STORE_DEL)
		return store_box_restore(undo->txn, &name);
	if (err == ERR_OK)
		err = store_box_get(undo->txn, &name, &now);
	if (err == ERR_OK)
		err = store_box_row(e->key, e->key_len, e->after, e->after_len,
				    &left);
	if (err != ERR_OK)
		return err;
	if (!same_box(&now, &left))
		return in_the_way(undo);
	if (e->op == STORE_ADD)
		return store_box_del(undo->txn, &name);
	err = undo_apps(undo, &name);
	if (err == ERR_OK)
		err = store_box_row(e->key, e->key_len, e->before,
				    e->before_len, &was);
	return err == ERR_OK ? store_box_set(undo->txn, &was) : err;
}

/* An address that was all of a change is gone at once. One that came with a box
 * or with another name goes on for mail that is on its way. */
static enum err undo_address(struct undo *undo)
{
	const struct store_entry *e = &undo->entry;
	struct store_address was, left, now;
	struct name_address name;
	enum err err = store_entry_address(e, &name);

	if (err == ERR_OK && e->op == STORE_DEL)
		return store_address_restore(undo->txn, &name);
	if (err == ERR_OK)
		err = store_address_get(undo->txn, &name, &now);
	if (err == ERR_OK)
		err = store_address_row(e->key, e->key_len, e->after,
					e->after_len, &left);
	if (err != ERR_OK)
		return err;
	if (!same_address(&now, &left))
		return in_the_way(undo);
	if (e->op == STORE_ADD)
		return store_address_del(undo->txn, &name,
					 undo->first == undo->last
						 ? STORE_BOUNCES
						 : STORE_GOES_ON);
	err = store_address_row(e->key, e->key_len, e->before, e->before_len,
				&was);
	return err == ERR_OK ? store_address_set(undo->txn, &was) : err;
}

/* What went with the last trace of a domain that had no files is nothing. */
static bool is_trace(const struct store_entry *e)
{
	struct store_domain was;

	return e->op == STORE_PURGE && e->table == STORE_DOMAINS &&
	       store_domain_row(e->key, e->key_len, e->before, e->before_len,
				&was) == ERR_OK &&
	       !store_kind_is_local(was.kind);
}

static enum err undo_entry(struct undo *undo)
{
	const enum store_table table = undo->entry.table;
	char why[STORE_WHY_MAX + 1];
	enum err err = ERR_DAMAGED;

	if (undo->entry.op == STORE_OWED || is_trace(&undo->entry) ||
	    store_entry_why(&undo->entry, why))
		return ERR_OK; /* no change of anything */
	if (undo->entry.op == STORE_PURGE)
		return store_refuse(undo->txn, ERR_INVALID,
				    "what was purged cannot come back (a "
				    "backup may have it)");
	undo->done++;
	undo->deletes |= undo->entry.op == STORE_ADD &&
			 (table == STORE_ADDRESSES || table == STORE_DOMAINS);
	switch (table) {
	case STORE_HANDLES:
		err = undo_handle(undo);
		break;
	case STORE_DOMAINS:
		err = undo_domain(undo);
		break;
	case STORE_BOXES:
		err = undo_box(undo);
		break;
	case STORE_ADDRESSES:
		err = undo_address(undo);
		break;
	}
	return err == ERR_NOTFOUND ? in_the_way(undo) : err;
}

/* All entries of one commit have the number of its first one as their group. */
static enum err find_change(struct undo *undo)
{
	enum err err = get_entry(undo->txn, undo->number, &undo->other);

	if (err == ERR_NOTFOUND)
		return store_unknown(undo->txn,
				     "there is no such entry ('popbox log' "
				     "shows all)");
	undo->first = undo->other.group;
	undo->last = undo->number;
	while (err == ERR_OK && undo->other.group == undo->first) {
		undo->last = undo->other.number;
		err = store_journal_next(undo->txn, undo->last, &undo->other);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err undo_body(struct store_txn *txn, void *arg)
{
	struct undo *undo = arg;
	enum err err;

	undo->txn = txn;
	undo->done = 0;
	undo->deletes = undo->named = false;
	undo->references.said.len = 0;
	err = find_change(undo);
	for (uint64_t n = undo->last; err == ERR_OK && n >= undo->first; n--) {
		err = get_entry(txn, n, &undo->entry);
		if (err == ERR_OK)
			err = undo_entry(undo);
		undo->blocked = err == ERR_INUSE && !undo->named;
	}
	if (err == ERR_OK && undo->done == 0)
		return store_unknown(
			txn, "there is nothing in it to take back; what "
			     "was purged cannot come back");
	if (err == ERR_OK && undo->deletes)
		err = references_list(txn, &undo->references);
	return err;
}

static int read_number(const char *text, uint64_t *ret_number)
{
	if (!operand_number(text, 0, UINT64_MAX, ret_number))
		return say_error(CODE_USAGE, "'%s' is not the number of an "
					     "entry ('popbox log' shows all)",
				 text);
	if (*ret_number == 0)
		return say_error(CODE_REFUSED, "entries are numbered from 1");
	return CODE_DONE;
}

/* Without a number: the caller's own last change, which is shown first. */
static int choose(struct site *site, const struct args *args,
		  uint64_t *ret_number)
{
	int code = lastchange_show(site, ret_number);

	return code == CODE_DONE ? confirm(site, args, "undo this change")
				 : code;
}

/* About what taking back an entry takes in the store: an entry of its own, pending
 * work, and the pages that change. */
enum { ENTRY_BYTES = 2000 };

static enum err find_body(struct store_txn *txn, void *arg)
{
	struct undo *undo = arg;

	undo->txn = txn;
	return find_change(undo);
}

/* Else a store that fills up begins a large change again from its start. What is
 * not there is said by the change itself. */
static int reserve(struct site *site, struct undo *undo)
{
	enum err err = store_read(site->store, find_body, undo);

	if (err == ERR_NOTFOUND)
		return CODE_DONE;
	if (err == ERR_OK)
		err = store_reserve(site->store,
				    (undo->last - undo->first + 1) *
					    ENTRY_BYTES);
	return err == ERR_OK ? CODE_DONE : site_failed(site, err, "the change");
}

int cmd_undo(struct site *site, const struct args *args)
{
	struct undo *undo = calloc(1, sizeof *undo);
	char what[24];
	bool changed = false;
	int code;

	if (!undo)
		return say_error(CODE_LATER, "no memory");
	code = args->operands ? read_number(args->operand[0], &undo->number)
			      : CODE_DONE;
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE && !args->operands)
		code = choose(site, args, &undo->number);
	if (code == CODE_DONE && !site->dry_run)
		code = reserve(site, undo);
	(void)snprintf(what, sizeof what, "%llu",
		       (unsigned long long)undo->number); /* it fits */
	if (code == CODE_DONE)
		code = change(site, undo_body, undo, what, &changed);
	if (code == CODE_REFUSED && undo->blocked)
		say_note("what came after entry %llu may stand in its way "
			 "('popbox log --since %llu' shows it)",
			 (unsigned long long)undo->last,
			 (unsigned long long)undo->last);
	if (changed)
		say_note("undone: entries %llu to %llu",
			 (unsigned long long)undo->first,
			 (unsigned long long)undo->last);
	if (changed || (site->dry_run && code == CODE_DONE))
		references_say(&undo->references);
	references_free(&undo->references);
	free(undo);
	return code;
}
