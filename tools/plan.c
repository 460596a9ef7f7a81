#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "collect.h"

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
	plan->item[plan->count++] = *item;
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
	free(item->domain);
}

/* Each object once, however often it was changed. */
static void sort(struct plan *plan)
{
	size_t kept = 0;

	if (plan->count)
		qsort(plan->item, plan->count, sizeof *plan->item, by_name);
	for (size_t i = 0; i < plan->count; i++) {
		if (kept && by_name(&plan->item[kept - 1], &plan->item[i]) == 0)
			item_free(&plan->item[i]);
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

/* The box that an address leads to, unless it is there. */
static enum err bring_box(struct plan *plan, size_t sorted,
			  const struct plan_item *address)
{
	const struct plan_item box = {.table = STORE_BOXES,
				      .act = PLAN_MAKE,
				      .handle = address->box.handle,
				      .box = address->box};

	if (sorted && bsearch(&box, plan->item, sorted, sizeof box, by_name))
		return ERR_OK;
	return plan_add(plan, &box);
}

static enum err bring_boxes(struct plan *plan)
{
	const size_t sorted = plan->count;
	enum err err = ERR_OK;

	for (size_t i = plan_next(plan, 0, STORE_ADDRESSES);
	     err == ERR_OK && i < sorted;
	     i = plan_next(plan, i + 1, STORE_ADDRESSES)) {
		const struct plan_item address = plan->item[i];

		if (address.act == PLAN_MAKE && address.has_box)
			err = bring_box(plan, sorted, &address);
	}
	if (err == ERR_OK && plan->count > sorted)
		sort(plan);
	return err;
}

enum err plan_make(struct store_txn *txn, const struct config *config,
		   bool full, struct plan *plan)
{
	enum err err = store_journal_last(txn, &plan->upto);

	plan->whole = full;
	if (err == ERR_OK)
		err = full ? collect_all(txn, config, plan)
			   : collect_owed(txn, config, 0, plan);
	if (err == ERR_OK)
		sort(plan);
	return err;
}

enum err plan_make_part(struct store_txn *txn, const struct config *config,
			uint64_t horizon, struct plan *plan)
{
	enum err err = store_journal_last(txn, &plan->upto);

	if (err == ERR_OK)
		err = collect_owed(txn, config, horizon, plan);
	if (err == ERR_OK)
		sort(plan);
	return err == ERR_OK && plan->part ? bring_boxes(plan) : err;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		item_free(&plan->item[i]);
	free(plan->item);
	*plan = (struct plan){0};
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
		if (plan->item[i].act == PLAN_MAKE &&
		    bsearch(&plan->item[i].handle, handles, count,
			    sizeof *handles, by_handle))
			plan->item[i].failed = true;
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
