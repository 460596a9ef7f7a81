/* SPDX-License-Identifier: MIT */
#include "rejoin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strtab.h"
#include "resolve.h"

/* One entry of the deletion, and its object as it was before and as it is. */
struct entry {
	struct store_txn *txn;
	const struct rejoin_box *box; /* that are back; in order, of one group */
	size_t boxes;
	struct rejoin *rejoin;
	struct store_entry row;
	struct store_address was, left, now;
	struct resolve resolve;
	struct strtab back; /* addresses that are back */
};

__attribute__((format(printf, 2, 3))) static enum err
lose(struct entry *e, const char *format, ...)
{
	char name[NAME_ADDRESS_TEXT], text[2 * NAME_ADDRESS_TEXT + 160];
	va_list args;
	int len;

	name_address_text(&e->was.name, name);
	len = snprintf(text, sizeof text, "address '%s' ", name);
	va_start(args, format);
	(void)vsnprintf(text + len, sizeof text - (size_t)len, format, args);
	va_end(args); /* two names and a sentence: it fits */
	return text_put(&e->rejoin->lost, text, strlen(text) + 1) ? ERR_OK
								  : ERR_SYSTEM;
}

static bool leads_to(const struct store_address *address,
		     const struct name_box *box)
{
	return address->has_box && address->box.number == box->number &&
	       strcmp(address->box.handle.s, box->handle.s) == 0;
}

static int by_box(const void *a, const void *b)
{
	const struct rejoin_box *x = a, *y = b;
	int order = strcmp(x->box.handle.s, y->box.handle.s);

	return order ? order
		     : (x->box.number > y->box.number) -
			       (x->box.number < y->box.number);
}

/* Did it lead to a box that is back? */
static bool led_back(const struct entry *e)
{
	const struct rejoin_box key = {.box = e->was.box};

	return e->was.has_box && bsearch(&key, e->box, e->boxes, sizeof key,
					 by_box);
}

/* And no longer after the change? */
static bool lost_box(const struct entry *e)
{
	return led_back(e) && !leads_to(&e->left, &e->was.box);
}

/* Does this forward lead to an address that is back? */
static enum err is_back(struct entry *e, const char *forward, bool *ret_back)
{
	char text[NAME_ADDRESS_TEXT];
	enum err err = resolve_address(e->txn, forward, &e->resolve);

	*ret_back = false;
	if (err != ERR_OK || (e->resolve.kind != RESOLVE_ADDRESS &&
			      e->resolve.kind != RESOLVE_CATCHALL))
		return err;
	name_address_text(&e->resolve.address.name, text);
	*ret_back = strtab_has(&e->back, text);
	return ERR_OK;
}

static enum err keep_back(struct entry *e)
{
	char text[NAME_ADDRESS_TEXT];
	size_t number;

	name_address_text(&e->was.name, text);
	return strtab_add(&e->back, text, &number) ? ERR_OK : ERR_SYSTEM;
}

/* Did it lead to the box, or to an address that is back, and so went with it? */
static enum err went_with(struct entry *e, bool *ret_with)
{
	enum err err = ERR_OK;

	*ret_with = led_back(e);
	for (size_t at = 0; err == ERR_OK && !*ret_with && !e->was.has_box &&
			    at < e->was.forwards_len;
	     at += strlen(e->was.forwards + at) + 1)
		err = is_back(e, e->was.forwards + at, ret_with);
	return err;
}

static bool same_box(const struct entry *e)
{
	return e->was.has_box && leads_to(&e->now, &e->was.box);
}

static bool same_forwards(const struct entry *e)
{
	return !e->was.has_box && e->was.forwards_len == e->now.forwards_len &&
	       memcmp(e->was.forwards, e->now.forwards, e->now.forwards_len) ==
		       0;
}

/* An address that was deleted with the box comes back, unless its place is
 * taken. */
static enum err undelete(struct entry *e)
{
	const struct name_domain *name = &e->was.name.domain;
	struct store_parked parked;
	struct store_domain domain;
	bool with;
	enum err err = went_with(e, &with);

	if (err != ERR_OK || !with)
		return err;
	err = store_domain_get(e->txn, name, &domain);
	if (err == ERR_NOTFOUND || (err == ERR_OK && domain.kind != STORE_POP))
		return lose(e, "was not undeleted: there is no domain '%s' "
			       "with boxes now",
			    name->s);
	if (err == ERR_OK)
		err = store_parked_address_get(e->txn, &e->was.name, &e->now,
					       &parked);
	if (err == ERR_OK && parked.group != e->row.group)
		return lose(e, "was not undeleted: it was added again and "
			       "deleted since then");
	if (err == ERR_OK)
		err = store_address_restore(e->txn, &e->was.name);
	if (err == ERR_OK) {
		e->rejoin->addresses++;
		return keep_back(e);
	}
	if (err != ERR_NOTFOUND)
		return err;
	err = store_address_get(e->txn, &e->was.name, &e->now);
	/* A row of an import has undeleted it by itself. */
	if (err == ERR_OK && (same_box(e) || same_forwards(e)))
		return keep_back(e);
	if (err == ERR_OK)
		return lose(e, "exists and leads elsewhere "
					 "('popbox address set' changes it)");
	return err == ERR_NOTFOUND ? lose(e, "was not undeleted: it was "
					     "purged")
				   : err;
}

/* An address that lost the box and then, in the same change, all else comes back
 * as it was when it was deleted. */
static enum err undelete_joined(struct entry *e)
{
	struct store_parked parked;
	enum err err;

	if (!lost_box(e))
		return ERR_OK;
	err = store_parked_address_get(e->txn, &e->was.name, &e->now, &parked);
	if (err == ERR_OK && parked.group != e->row.group)
		return ERR_OK;
	if (err == ERR_OK)
		err = store_address_restore(e->txn, &e->was.name);
	if (err == ERR_OK) {
		e->rejoin->addresses++;
		return keep_back(e);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* An address that led elsewhere as well leads to the box again. A box comes
 * before the forwards, so it is at its place. */
static enum err join(struct entry *e)
{
	char box[NAME_BOX_TEXT];
	enum err err;

	if (!lost_box(e))
		return ERR_OK;
	err = store_address_get(e->txn, &e->was.name, &e->now);
	if (err == ERR_NOTFOUND)
		return lose(e, "led to it and was deleted since then (see "
			       "'popbox log --object')");
	if (err != ERR_OK || same_box(e))
		return err;
	if (e->now.has_box) {
		name_box_text(&e->now.box, box);
		return lose(e, "led to it and leads to '%s' now ('popbox "
			       "address set' adds it)",
			    box);
	}
	e->now.has_box = true;
	e->now.box = e->was.box;
	err = store_address_set(e->txn, &e->now);
	if (err == ERR_OK)
		e->rejoin->groups++;
	return err;
}

static size_t next(const struct store_address *address, size_t at)
{
	return at + strlen(address->forwards + at) + 1;
}

/* *ret_at: where the text stands among the forwards. */
static bool has_forward(const struct store_address *address, const char *text,
			size_t *ret_at)
{
	for (size_t at = 0; at < address->forwards_len; at = next(address, at)) {
		if (strcmp(address->forwards + at, text) == 0) {
			*ret_at = at;
			return true;
		}
	}
	return false;
}

/* Behind the nearest forward that stood before it and is there yet. */
static enum err insert(struct entry *e, const char *forward)
{
	struct store_address *now = &e->now;
	const size_t len = strlen(forward) + 1;
	size_t place = 0, there;

	for (size_t at = 0; e->was.forwards + at != forward;
	     at = next(&e->was, at)) {
		if (has_forward(now, e->was.forwards + at, &there))
			place = next(now, there);
	}
	if (len > sizeof now->forwards - now->forwards_len)
		return lose(e, "has no room for '%s' any more", forward);
	memmove(now->forwards + place + len, now->forwards + place,
		now->forwards_len - place);
	memcpy(now->forwards + place, forward, len);
	now->forwards_len += len;
	return ERR_OK;
}

/* A forward that the deletion took out of an address. */
static enum err join_forward(struct entry *e, const char *forward)
{
	size_t there;
	bool back = false;
	enum err err = is_back(e, forward, &back);

	if (err != ERR_OK || !back)
		return err;
	err = store_address_get(e->txn, &e->was.name, &e->now);
	if (err == ERR_NOTFOUND)
		return lose(e, "led to '%s' and was deleted since then (see "
			       "'popbox log --object')",
			    forward);
	if (err != ERR_OK || has_forward(&e->now, forward, &there))
		return err;
	err = insert(e, forward);
	if (err == ERR_OK)
		err = store_address_set(e->txn, &e->now);
	if (err == ERR_OK)
		e->rejoin->groups++;
	return err;
}

static enum err join_forwards(struct entry *e)
{
	size_t there;
	enum err err = ERR_OK;

	for (size_t at = 0; err == ERR_OK && at < e->was.forwards_len;
	     at = next(&e->was, at)) {
		if (!has_forward(&e->left, e->was.forwards + at, &there))
			err = join_forward(e, e->was.forwards + at);
	}
	return err;
}

/* First whole addresses, then places in them. */
static enum err put_back(struct entry *e, bool places)
{
	const struct store_entry *row = &e->row;
	enum err err;

	if (row->table != STORE_ADDRESSES ||
	    (row->op != STORE_SET && (row->op != STORE_DEL || places)))
		return ERR_OK;
	err = store_address_row(row->key, row->key_len, row->before,
				row->before_len, &e->was);
	if (err == ERR_OK && row->op == STORE_DEL)
		return undelete(e);
	if (err == ERR_OK)
		err = store_address_row(row->key, row->key_len, row->after,
					row->after_len, &e->left);
	if (err == ERR_OK && !places)
		return undelete_joined(e);
	if (err == ERR_OK)
		err = join(e);
	return err == ERR_OK ? join_forwards(e) : err;
}

/* The first entry of a change has the number of its group. */
static enum err put_all_back(struct entry *e, uint64_t group, bool places)
{
	enum err err = store_journal_next(e->txn, group - 1, &e->row);

	while (err == ERR_OK && e->row.group == group) {
		err = put_back(e, places);
		if (err == ERR_OK)
			err = store_journal_next(e->txn, e->row.number,
						 &e->row);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* What else the same change deleted stays deleted: an address that is back does
 * not lead there. */
static enum err leave_deleted(struct entry *e, const char *name, uint64_t group)
{
	struct store_address *now = &e->now;
	const char *at_sign = strrchr(name, '@');
	struct name_address address;
	enum err err;

	if (!at_sign ||
	    name_local_or_catchall(name, (size_t)(at_sign - name),
				   &address.local) ||
	    name_domain_read(at_sign + 1, strlen(at_sign + 1),
			     &address.domain))
		return ERR_DAMAGED; /* it was one */
	err = store_address_get(e->txn, &address, now);
	e->was = *now;
	now->forwards_len = 0;
	for (size_t at = 0; err == ERR_OK && at < e->was.forwards_len;
	     at = next(&e->was, at)) {
		const char *forward = e->was.forwards + at;
		const size_t len = strlen(forward) + 1;

		err = resolve_address(e->txn, forward, &e->resolve);
		if (err == ERR_OK && e->resolve.kind == RESOLVE_DELETED &&
		    e->resolve.parked.group == group) {
			err = lose(e, "leads no more to '%s', which is deleted",
				   forward);
			continue;
		}
		memcpy(now->forwards + now->forwards_len, forward, len);
		now->forwards_len += len;
	}
	if (err != ERR_OK || now->forwards_len == e->was.forwards_len)
		return err;
	return store_address_set(e->txn, now);
}

/* The boxes of one change, by two walks through its entries. */
static enum err rejoin_group(struct entry *e, uint64_t group)
{
	enum err err = put_all_back(e, group, false);

	if (err == ERR_OK)
		err = put_all_back(e, group, true);
	for (size_t i = 0; err == ERR_OK && i < e->back.count; i++)
		err = leave_deleted(e, e->back.name[i], group);
	strtab_free(&e->back);
	return err;
}

static int by_group(const void *a, const void *b)
{
	const struct rejoin_box *x = a, *y = b;

	return x->group == y->group ? by_box(a, b)
				    : (x->group > y->group) -
					      (x->group < y->group);
}

enum err rejoin_all(struct store_txn *txn, struct rejoin_box *box, size_t count,
		    struct rejoin *ret_rejoin)
{
	struct entry *e = calloc(1, sizeof *e);
	enum err err = ERR_OK;
	size_t end;

	if (!e)
		return ERR_SYSTEM;
	e->txn = txn;
	e->rejoin = ret_rejoin;
	ret_rejoin->addresses = ret_rejoin->groups = 0;
	ret_rejoin->lost.len = 0;
	if (count)
		qsort(box, count, sizeof *box, by_group);
	for (size_t i = 0; err == ERR_OK && i < count; i = end) {
		for (end = i; end < count && box[end].group == box[i].group;)
			end++;
		e->box = box + i;
		e->boxes = end - i;
		err = rejoin_group(e, box[i].group);
	}
	free(e);
	return err;
}

enum err rejoin(struct store_txn *txn, const struct name_box *box,
		uint64_t group, struct rejoin *ret_rejoin)
{
	struct rejoin_box one = {*box, group};

	return rejoin_all(txn, &one, 1, ret_rejoin);
}

void rejoin_free(struct rejoin *rejoin)
{
	free(rejoin->lost.bytes);
	rejoin->lost = (struct text){.bytes = NULL};
}
