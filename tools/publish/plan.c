/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "collect.h"
#include "item.h"

enum err plan_add(struct plan *plan, const struct plan_item *item)
{
	if (plan->count == plan->room) {
		size_t room = plan->room ? plan->room * 2 : 16;
		struct plan_item *more =
			reallocarray(plan->item, room, sizeof *more);

		if (!more)
			return ERR_SYSTEM;
		plan->item = more;
		plan->room = room;
	}
	plan->item[plan->count] = *item;
	if (plan->last) {
		plan->item[plan->count].first = plan->first;
		plan->item[plan->count].last = plan->last;
		plan->item[plan->count].since = plan->since;
		plan->item[plan->count].stays = plan->stays;
	}
	plan->count++;
	return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
	const struct plan_item *x = a, *y = b;
	int order = (x->table > y->table) - (x->table < y->table);

	if (order == 0)
		order = strcmp(x->handle.s, y->handle.s);
	if (order == 0 && x->table == STORE_BOXES)
		return (x->box.number > y->box.number) -
		       (x->box.number < y->box.number);
	if (order == 0)
		order = strcmp(x->address.domain.s, y->address.domain.s);
	if (order == 0)
		order = strcmp(x->address.local.s, y->address.local.s);
	/* A domain may have to be made and closed: what it is, and each that it
	 * was. Of all else the store says one thing. */
	if (order == 0 && x->table == STORE_DOMAINS)
		order = (x->act > y->act) - (x->act < y->act);
	if (order == 0 && x->domain && y->domain)
		order = (x->domain->kind > y->domain->kind) -
			(x->domain->kind < y->domain->kind);
	return order;
}

static void item_free(struct plan_item *item)
{
	free(item->text);
	free(item->why);
	free(item->domain);
}

/* Two items of one object: whatever brought it. */
static void merge(struct plan_item *item, struct plan_item *other)
{
	if (other->first < item->first)
		item->first = other->first;
	if (other->last > item->last)
		item->last = other->last;
	if (other->since < item->since)
		item->since = other->since;
	item->stays = item->stays && other->stays;
	item->unlimits = item->unlimits || other->unlimits;
	item->unanswers = item->unanswers || other->unanswers;
	item_free(other);
}

/* Each object once, however often it was changed. */
static void sort(struct plan *plan)
{
	size_t kept = 0;

	if (plan->count)
		qsort(plan->item, plan->count, sizeof *plan->item, by_name);
	for (size_t i = 0; i < plan->count; i++) {
		if (kept && by_name(&plan->item[kept - 1], &plan->item[i]) == 0)
			merge(&plan->item[kept - 1], &plan->item[i]);
		else
			plan->item[kept++] = plan->item[i];
	}
	plan->count = kept;
}

size_t plan_next(const struct plan *plan, size_t from, enum store_table table)
{
	while (from < plan->count && plan->item[from].table != table)
		from++;
	return from;
}

static const struct plan_item *find(const struct plan *plan,
				    const struct plan_item *key)
{
	return plan->count ? bsearch(key, plan->item, plan->count, sizeof *key,
				     by_name)
			   : NULL;
}

/* The box that an address leads to, if it is pending and not there. */
static enum err bring_box(struct store_txn *txn, struct plan *plan,
			  size_t sorted, const struct plan_item *address)
{
	const struct plan_item box = {.table = STORE_BOXES,
				      .act = PLAN_MAKE,
				      .handle = address->box.handle,
				      .box = address->box};
	struct store_pending row;
	struct store_box live;
	enum err err;

	if (bsearch(&box, plan->item, sorted, sizeof box, by_name))
		return ERR_OK;
	plan_name(&box, &row);
	err = store_pending_get(txn, &row, &row);
	if (err == ERR_OK && row.what & STORE_PENDING_SAYS)
		err = store_box_get(txn, &box.box, &live);
	else if (err == ERR_OK)
		err = ERR_NOTFOUND;
	if (err == ERR_OK)
		err = item_box_here(txn, plan, &live, 0);
	if (err == ERR_OK) {
		plan->item[plan->count - 1].first = address->first;
		plan->item[plan->count - 1].last = address->last;
		plan->item[plan->count - 1].since = address->since;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err bring_boxes(struct store_txn *txn, struct plan *plan)
{
	const size_t sorted = plan->count;
	enum err err = ERR_OK;

	plan->last = 0; /* no row is being collected */
	for (size_t i = plan_next(plan, 0, STORE_ADDRESSES);
	     err == ERR_OK && i < sorted;
	     i = plan_next(plan, i + 1, STORE_ADDRESSES)) {
		const struct plan_item address = plan->item[i];

		if (address.act == PLAN_MAKE && address.has_box)
			err = bring_box(txn, plan, sorted, &address);
	}
	if (err == ERR_OK && plan->count > sorted)
		sort(plan);
	return err;
}

static enum err make(struct store_txn *txn, const struct config *config,
		     const struct store_pending *from, bool part,
		     struct plan *plan)
{
	enum err err = store_journal_last(txn, &plan->upto);

	if (err == ERR_OK)
		err = plan->scope == PLAN_ALL
			      ? collect_all(txn, config, plan)
			      : collect_pending(txn, config, plan->scope, from,
						part, plan);
	if (err != ERR_OK)
		return err;
	sort(plan);
	/* Otherwise everything that is pending is among the items. */
	return from || plan->part || plan->blocks ? bring_boxes(txn, plan)
						  : ERR_OK;
}

enum err plan_make(struct store_txn *txn, const struct config *config,
		   enum plan_scope scope, struct plan *plan)
{
	bool all = false;
	enum err err = store_pending_all(txn, &all);

	plan->scope = all ? PLAN_ALL : scope;
	return err == ERR_OK ? make(txn, config, NULL, false, plan) : err;
}

enum err plan_make_part(struct store_txn *txn, const struct config *config,
			enum plan_scope scope,
			const struct store_pending *from, struct plan *plan)
{
	plan->scope = scope;
	plan->begins = from != NULL;
	if (from)
		plan->from = *from;
	return make(txn, config, from, true, plan);
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		item_free(&plan->item[i]);
	free(plan->item);
	free(plan->block);
	*plan = (struct plan){0};
}

void plan_fail(struct plan_item *item, const char *why)
{
	char *clean = strdup(why);

	item->failed = true;
	if (clean)
		say_clean(clean, clean, strlen(clean) + 1);
	free(item->why);
	item->why = clean;
}

bool plan_is_mine(const struct plan *plan, const struct plan_item *item)
{
	return !plan->mine_upto || (item->last > plan->mine &&
				    item->first <= plan->mine_upto);
}

bool plan_box_failed(const struct plan *plan, const struct name_box *box)
{
	const struct plan_item key = {.table = STORE_BOXES,
				      .handle = box->handle,
				      .box = *box};
	const struct plan_item *item = find(plan, &key);

	return item && item->failed;
}

bool plan_has_domain(const struct plan *plan, const struct name_handle *handle,
		     const struct name_domain *domain, enum store_kind kind)
{
	struct store_domain row = {.kind = kind};
	struct plan_item key = {.table = STORE_DOMAINS,
				.act = PLAN_MAKE,
				.handle = *handle,
				.address.domain = *domain,
				.domain = &row};

	if (find(plan, &key))
		return true;
	key.act = PLAN_CLOSE;
	return find(plan, &key) != NULL;
}

static int by_handle(const void *a, const void *b)
{
	const struct name_handle *x = a, *y = b;

	return strcmp(x->s, y->s);
}

static bool hold_back(struct plan *plan, bool awaits)
{
	struct name_handle *handles = calloc(plan->count + 1, sizeof *handles);
	size_t count = 0;

	if (!handles)
		return false;
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->item[i].failed && plan->item[i].act == PLAN_MAKE &&
		    plan->item[i].awaits == awaits)
			handles[count++] = plan->item[i].handle;
	}
	qsort(handles, count, sizeof *handles, by_handle);
	for (size_t i = plan_next(plan, 0, STORE_DOMAINS);
	     count && i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		struct plan_item *item = &plan->item[i];

		if (item->act == PLAN_MAKE && !item->stays && !item->failed &&
		    bsearch(&item->handle, handles, count, sizeof *handles,
			    by_handle)) {
			plan_fail(item, "it waits for other files of its "
					"handle");
			item->awaits = awaits;
		}
	}
	free(handles);
	return true;
}

bool plan_hold_back(struct plan *plan)
{
	return hold_back(plan, false) && hold_back(plan, true);
}

bool plan_keeps(const struct plan *plan, const struct plan_item *item)
{
	return item->failed ||
	       (plan->part && (item->table == STORE_DOMAINS ||
			       item->act == PLAN_REMOVE));
}

bool plan_blocks(const struct plan *plan, const struct name_handle *handle)
{
	return plan->blocks && bsearch(handle, plan->block, plan->blocks,
				       sizeof *handle, by_handle);
}

void plan_name(const struct plan_item *item, struct store_pending *ret_row)
{
	struct store_pending row = {.table = item->table,
				    .handle = item->handle,
				    .box = item->box,
				    .address = item->address,
				    .was = item->table == STORE_DOMAINS &&
					   item->act == PLAN_REMOVE};

	if (row.was)
		row.domain = *item->domain;
	*ret_row = row;
}

static bool keeps_domain(const struct plan *plan, const struct plan_item *like)
{
	struct store_domain row = {.kind = STORE_POP};
	struct plan_item key = *like;
	bool keeps = false;

	key.domain = &row;
	for (int kind = 0; !keeps && kind < STORE_KINDS; kind++) {
		const struct plan_item *item;

		row.kind = (enum store_kind)kind;
		key.act = PLAN_MAKE;
		item = find(plan, &key);
		keeps = item && plan_keeps(plan, item);
		key.act = PLAN_CLOSE;
		item = find(plan, &key);
		keeps = keeps || (item && plan_keeps(plan, item));
	}
	return keeps;
}

bool plan_keeps_row(const struct plan *plan, const struct store_pending *row)
{
	struct store_domain was = row->domain;
	struct plan_item key = {.table = row->table,
				.handle = row->handle,
				.box = row->box,
				.address = row->address};
	const struct plan_item *item;

	if (row->table == STORE_DOMAINS && !row->was)
		return keeps_domain(plan, &key);
	if (row->was) {
		key.act = PLAN_REMOVE;
		key.domain = &was;
	}
	item = find(plan, &key);
	return item && plan_keeps(plan, item);
}

bool plan_has_all_rows(const struct plan *plan)
{
	return plan->scope != PLAN_ALL && !plan->begins &&
	       !plan->to.handle.s[0] && !plan->blocks;
}

bool plan_has_row(const struct plan *plan, const struct store_pending *row)
{
	return plan->scope != PLAN_ALL && row->last <= plan->upto &&
	       (plan->scope == PLAN_PENDING || store_pending_fresh(row)) &&
	       (!plan->begins || store_pending_order(&plan->from, row) < 0) &&
	       (!plan->to.handle.s[0] ||
		store_pending_order(row, &plan->to) <= 0);
}

void plan_object(const struct plan_item *item,
		 char ret_text[STORE_OBJECT_TEXT])
{
	switch (item->table) {
	case STORE_BOXES:
		name_box_text(&item->box, ret_text);
		return;
	case STORE_ADDRESSES:
		name_address_text(&item->address, ret_text);
		return;
	case STORE_DOMAINS:
	case STORE_HANDLES:
		break;
	}
	memcpy(ret_text, item->address.domain.s,
	       strlen(item->address.domain.s) + 1);
}
