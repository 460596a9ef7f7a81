#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render.h"

static enum err add(struct plan *plan, const struct plan_item *item)
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

static enum err add_box(struct plan *plan, const struct name_box *name)
{
	const struct plan_item item = {.table = STORE_BOXES,
				       .handle = name->handle,
				       .box = *name};

	return add(plan, &item);
}

static enum err add_domain(struct plan *plan, const struct store_domain *domain)
{
	const struct plan_item item = {.table = STORE_DOMAINS,
				       .handle = domain->handle,
				       .address.domain = domain->name,
				       .kind = domain->kind,
				       .target = domain->target,
				       .subdomains = domain->subdomains};

	return add(plan, &item);
}

static enum err add_address(struct store_txn *txn, const struct config *config,
			    struct plan *plan,
			    const struct store_address *address)
{
	struct plan_item item = {.table = STORE_ADDRESSES,
				 .box = address->box,
				 .has_box = address->has_box,
				 .address = address->name};
	struct store_domain domain;
	enum err err = store_domain_get(txn, &address->name.domain, &domain);

	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
	item.handle = domain.handle;
	if (!render_qmail(config, address, &item.text, &item.len, &item.mode)) {
		errno = ENOMEM;
		return ERR_SYSTEM;
	}
	err = add(plan, &item);
	if (err != ERR_OK)
		free(item.text);
	return err;
}

/* What one entry is about, as the store says it now. */
static enum err add_entry(struct store_txn *txn, const struct config *config,
			  struct plan *plan, const struct store_entry *entry)
{
	struct store_address address;
	struct store_domain domain;
	struct name_address name;
	struct store_box box;
	struct name_box number;
	enum err err = ERR_OK;

	switch (entry->table) {
	case STORE_HANDLES:
		return ERR_OK; /* has no file */
	case STORE_DOMAINS:
		err = store_entry_domain(entry, &name.domain);
		if (err == ERR_OK)
			err = store_domain_get(txn, &name.domain, &domain);
		return err == ERR_OK ? add_domain(plan, &domain) : err;
	case STORE_BOXES:
		err = store_entry_box(entry, &number);
		if (err == ERR_OK)
			err = store_box_get(txn, &number, &box);
		return err == ERR_OK ? add_box(plan, &box.name) : err;
	case STORE_ADDRESSES:
		err = store_entry_address(entry, &name);
		if (err == ERR_OK)
			err = store_address_get(txn, &name, &address);
		return err == ERR_OK ? add_address(txn, config, plan, &address)
				     : err;
	}
	return ERR_DAMAGED;
}

static enum err collect_owed(struct store_txn *txn, const struct config *config,
			     struct plan *plan)
{
	struct store_entry *entry = malloc(sizeof *entry);
	uint64_t at = 0;
	enum err err = entry ? store_published(txn, &at) : ERR_SYSTEM;

	while (err == ERR_OK) {
		err = store_journal_next(txn, at, entry);
		if (err == ERR_NOTFOUND) {
			err = ERR_OK;
			break;
		}
		if (err != ERR_OK)
			break;
		at = entry->number;
		if (entry->op != STORE_PASSWORD) /* is in no file */
			err = add_entry(txn, config, plan, entry);
		if (err == ERR_NOTFOUND)
			err = ERR_OK; /* gone again since */
	}
	free(entry);
	return err;
}

static enum err all_boxes(struct store_txn *txn, struct plan *plan)
{
	struct store_box box;
	enum err err = store_box_next(txn, NULL, &box);

	while (err == ERR_OK) {
		err = add_box(plan, &box.name);
		if (err == ERR_OK)
			err = store_box_next(txn, &box.name, &box);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err all_domains(struct store_txn *txn, struct plan *plan)
{
	struct store_domain domain;
	enum err err = store_domain_next(txn, NULL, &domain);

	while (err == ERR_OK) {
		err = add_domain(plan, &domain);
		if (err == ERR_OK)
			err = store_domain_next(txn, &domain.name, &domain);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err all_addresses(struct store_txn *txn,
			      const struct config *config, struct plan *plan)
{
	struct store_address address;
	enum err err = store_address_next(txn, NULL, &address);

	while (err == ERR_OK) {
		err = add_address(txn, config, plan, &address);
		if (err == ERR_OK)
			err = store_address_next(txn, &address.name, &address);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
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
	return order;
}

/* Each object once, however often it was changed. */
static void sort(struct plan *plan)
{
	size_t kept = 0;

	if (plan->count)
		qsort(plan->item, plan->count, sizeof *plan->item, by_name);
	for (size_t i = 0; i < plan->count; i++) {
		if (kept && by_name(&plan->item[kept - 1], &plan->item[i]) == 0)
			free(plan->item[i].text);
		else
			plan->item[kept++] = plan->item[i];
	}
	plan->count = kept;
}

enum err plan_make(struct store_txn *txn, const struct config *config,
		   bool full, struct plan *plan)
{
	enum err err = store_journal_last(txn, &plan->upto);

	if (err == ERR_OK && !full)
		err = collect_owed(txn, config, plan);
	if (err == ERR_OK && full)
		err = all_boxes(txn, plan);
	if (err == ERR_OK && full)
		err = all_domains(txn, plan);
	if (err == ERR_OK && full)
		err = all_addresses(txn, config, plan);
	if (err == ERR_OK)
		sort(plan);
	return err;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->item[i].text);
	free(plan->item);
	*plan = (struct plan){0};
}

size_t plan_next(const struct plan *plan, size_t from, enum store_table table)
{
	while (from < plan->count && plan->item[from].table != table)
		from++;
	return from;
}

bool plan_box_failed(const struct plan *plan, const struct name_box *box)
{
	const struct plan_item key = {.table = STORE_BOXES,
				      .handle = box->handle,
				      .box = *box};
	const struct plan_item *item =
		plan->count ? bsearch(&key, plan->item, plan->count,
				      sizeof key, by_name)
			    : NULL;

	return item && item->failed;
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
		if (plan->item[i].failed)
			handles[count++] = plan->item[i].handle;
	}
	qsort(handles, count, sizeof *handles, by_handle);
	for (size_t i = plan_next(plan, 0, STORE_DOMAINS);
	     count && i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		if (bsearch(&plan->item[i].handle, handles, count,
			    sizeof *handles, by_handle))
			plan->item[i].failed = true;
	}
	free(handles);
	return true;
}

size_t plan_failed(const struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->item[i].failed;
	return count;
}
