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
	if (plan->entry) {
		plan->item[plan->count].first = plan->entry;
		plan->item[plan->count].last = plan->entry;
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
	item->stays = item->stays && other->stays;
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

/* The box that an address leads to, unless it is there, or was deleted. */
static enum err bring_box(struct store_txn *txn, struct plan *plan,
			  size_t sorted, const struct plan_item *address)
{
	const struct plan_item box = {.table = STORE_BOXES,
				      .act = PLAN_MAKE,
				      .handle = address->box.handle,
				      .box = address->box};
	struct store_box row;
	enum err err;

	if (bsearch(&box, plan->item, sorted, sizeof box, by_name))
		return ERR_OK;
	err = store_box_get(txn, &box.box, &row);
	if (err == ERR_NOTFOUND)
		return ERR_OK;
	if (err == ERR_OK)
		err = item_box_here(txn, plan, &row);
	if (err == ERR_OK) {
		plan->item[plan->count - 1].first = address->first;
		plan->item[plan->count - 1].last = address->last;
	}
	return err;
}

enum err plan_bring_boxes(struct store_txn *txn, struct plan *plan)
{
	const size_t sorted = plan->count;
	enum err err = ERR_OK;

	plan->entry = 0; /* collected it is */
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

enum err plan_make(struct store_txn *txn, const struct config *config,
		   enum plan_scope scope, struct plan *plan)
{
	enum err err = store_journal_last(txn, &plan->upto);

	plan->whole = scope == PLAN_ALL;
	if (err == ERR_OK)
		err = plan->whole ? collect_all(txn, config, plan)
				  : collect_owed(txn, config, scope, 0, plan);
	if (err == ERR_OK)
		sort(plan);
	return err;
}

enum err plan_make_part(struct store_txn *txn, const struct config *config,
			enum plan_scope scope, uint64_t horizon,
			struct plan *plan)
{
	enum err err = store_journal_last(txn, &plan->upto);

	if (err == ERR_OK)
		err = collect_owed(txn, config, scope, horizon, plan);
	if (err == ERR_OK)
		sort(plan);
	return err == ERR_OK && plan->part ? plan_bring_boxes(txn, plan) : err;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		item_free(&plan->item[i]);
	free(plan->item);
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

bool plan_hold_back(struct plan *plan)
{
	struct name_handle *handles = calloc(plan->count + 1, sizeof *handles);
	size_t count = 0;

	if (!handles)
		return false;
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->item[i].failed && plan->item[i].act == PLAN_MAKE)
			handles[count++] = plan->item[i].handle;
	}
	qsort(handles, count, sizeof *handles, by_handle);
	for (size_t i = plan_next(plan, 0, STORE_DOMAINS);
	     count && i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		struct plan_item *item = &plan->item[i];

		if (item->act == PLAN_MAKE && !item->stays && !item->failed &&
		    bsearch(&item->handle, handles, count, sizeof *handles,
			    by_handle))
			plan_fail(item, "it waits for other files of its "
					"handle");
	}
	free(handles);
	return true;
}

bool plan_owes(const struct plan *plan, const struct plan_item *item)
{
	return item->failed ||
	       (plan->part && (item->table == STORE_DOMAINS ||
			       item->act == PLAN_REMOVE));
}

size_t plan_failed(const struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->item[i].failed;
	return count;
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
