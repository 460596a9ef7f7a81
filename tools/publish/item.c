/* SPDX-License-Identifier: MIT */
#include "item.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "maildir/vacation_file.h"
#include "qmail/dotqmail.h"

enum err item_box(struct plan *plan, const struct name_box *name,
		  enum plan_act act)
{
	const struct plan_item item = {.table = STORE_BOXES,
				       .act = act,
				       .handle = name->handle,
				       .box = *name};

	return plan_add(plan, &item);
}

/* Its file, if it has one. */
static enum err add_reply(const struct store_box *box, struct plan_item *item)
{
	if (!box->vacation[0])
		return ERR_OK;
	item->text = malloc(VACATION_FILE_MAX);
	if (!item->text) {
		errno = ENOMEM;
		return ERR_SYSTEM;
	}
	item->len = vacation_file_write(box->vacation_from, box->vacation_until,
					box->vacation, item->text);
	return ERR_OK;
}

enum err item_box_here(struct store_txn *txn, struct plan *plan,
		       const struct store_box *box, unsigned what)
{
	struct plan_item item = {.table = STORE_BOXES,
				 .act = PLAN_MAKE,
				 .handle = box->name.handle,
				 .box = box->name,
				 .unlimits = what & STORE_PENDING_QUOTA,
				 .unanswers = what & STORE_PENDING_VACATION};
	struct store_box now;
	enum err err = store_box_become(txn, box, &now);

	if (err == ERR_NOTFOUND)
		item.from = box->other;
	if (err == ERR_OK || err == ERR_NOTFOUND)
		err = store_box_quota(txn, box, &item.quota);
	if (err == ERR_OK)
		err = add_reply(box, &item);
	if (err == ERR_OK)
		err = plan_add(plan, &item);
	if (err != ERR_OK)
		free(item.text);
	return err;
}

static enum err and_handle(struct store_txn *txn,
			   const struct name_handle *name,
			   enum store_delivery *delivery)
{
	struct store_handle handle;
	enum err err = store_handle_get(txn, name, &handle);

	if (err == ERR_OK)
		*delivery =
			store_delivery_and(*delivery, handle.state.delivery);
	return err == ERR_NOTFOUND ? ERR_OK : err; /* deleted: says nothing */
}

enum err item_domain(struct store_txn *txn, struct plan *plan,
		     const struct store_domain *domain, enum plan_act act,
		     bool covered)
{
	struct plan_item item = {.table = STORE_DOMAINS,
				 .act = act,
				 .handle = domain->handle,
				 .address.domain = domain->name,
				 .domain = malloc(sizeof *domain),
				 .delivery = domain->state.delivery,
				 .covered = covered};
	enum err err;

	if (!item.domain)
		return ERR_SYSTEM;
	*item.domain = *domain;
	err = and_handle(txn, &domain->handle, &item.delivery);
	if (err == ERR_OK)
		err = plan_add(plan, &item);
	if (err != ERR_OK)
		free(item.domain);
	return err;
}

/* What of an address's file the levels above say. */
struct levels {
	enum store_delivery all, box;
	struct store_quota quota;
	bool answers;
};

/* address alone is a name, and leads nowhere: that of a catch-all that there is
 * not. */
static enum err add_text(const struct config *config, struct plan *plan,
			 const struct store_domain *domain,
			 const struct store_address *address,
			 const struct levels *levels)
{
	struct plan_item item = {.table = STORE_ADDRESSES,
				 .act = PLAN_MAKE,
				 .handle = domain->handle,
				 .box = address->box,
				 .has_box = address->has_box,
				 .address = address->name};
	const bool none = !address->has_box && !address->forwards_len &&
			  levels->all != STORE_BOUNCE;
	bool good = none || dotqmail_address(config, address, levels->all,
					     levels->box, &levels->quota,
					     levels->answers, &item.text, &item.len, &item.mode);
	enum err err;

	if (good && domain->extension && address->name.local.s[0] == '*')
		good = dotqmail_extension(config, &item.text, &item.len,
					  &item.mode);
	if (!good) {
		errno = ENOMEM;
		return ERR_SYSTEM;
	}
	err = plan_add(plan, &item);
	if (err != ERR_OK)
		free(item.text);
	return err;
}

/* One that leads nowhere. */
static enum err add_nowhere(const struct config *config, struct plan *plan,
			    const struct store_domain *domain,
			    const struct name_address *name,
			    enum store_delivery all)
{
	const struct levels levels = {.all = all, .box = STORE_DELIVER};
	struct store_address *address = calloc(1, sizeof *address);
	enum err err = ERR_SYSTEM;

	if (address) {
		address->name = *name;
		err = add_text(config, plan, domain, address, &levels);
	}
	free(address);
	return err;
}

enum err item_domain_of(struct store_txn *txn, const struct name_domain *name,
			struct store_domain *ret_domain)
{
	struct store_parked parked;
	enum err err = store_domain_get(txn, name, ret_domain);

	/* Another kind may have taken the name since; the files are this one's. */
	if (err == ERR_OK && ret_domain->kind == STORE_POP)
		return ERR_OK;
	if (err == ERR_OK || err == ERR_NOTFOUND)
		err = store_parked_domain_get(txn, name, STORE_POP, ret_domain,
					      &parked);
	return err;
}

enum err item_mail_box(struct store_txn *txn, struct name_box *name,
		       struct store_box *ret_box)
{
	struct store_parked parked;
	struct store_box now;
	enum err err = store_box_get(txn, name, ret_box);

	if (err != ERR_NOTFOUND)
		return err;
	err = store_parked_box_get(txn, name, ret_box, &parked);
	if (err != ERR_OK)
		return err;
	err = store_box_become(txn, ret_box, &now);
	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	*name = now.name;
	*ret_box = now;
	return ERR_OK;
}

/* Of a deleted box its own alone: no address leads to it any more. */
static enum err quota_of(struct store_txn *txn, const struct store_box *box,
			 bool deleted, struct store_quota *ret_quota)
{
	if (!deleted)
		return store_box_quota(txn, box, ret_quota);
	*ret_quota = box->quota;
	return ERR_OK;
}

/* What counts for an address: the switches of its domain and that one's handle,
 * of its box and that one's handle, and the quota of its box. */
static enum err get_levels(struct store_txn *txn,
			   const struct store_domain *domain,
			   struct store_address *address,
			   struct levels *ret_levels)
{
	struct levels levels = {.all = domain->state.delivery,
				.box = STORE_DELIVER};
	struct store_box box;
	enum err err = and_handle(txn, &domain->handle, &levels.all);

	if (err == ERR_OK && address->has_box) {
		const struct name_box first = address->box;
		bool deleted;

		err = store_box_get(txn, &first, &box);
		deleted = err == ERR_NOTFOUND;
		if (deleted)
			err = item_mail_box(txn, &address->box, &box);
		deleted = deleted && address->box.number == first.number &&
			  strcmp(address->box.handle.s, first.handle.s) == 0;
		if (err == ERR_OK)
			levels.box = box.state.delivery;
		levels.answers = err == ERR_OK && box.vacation[0];
		if (err == ERR_OK)
			err = and_handle(txn, &address->box.handle,
					 &levels.box);
		if (err == ERR_OK)
			err = quota_of(txn, &box, deleted, &levels.quota);
	}
	levels.all = store_delivery_and(levels.all, address->delivery);
	*ret_levels = levels;
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

enum err item_address(struct store_txn *txn, const struct config *config,
		      struct plan *plan, struct store_address *address,
		      bool bounce)
{
	struct store_domain domain;
	struct levels levels;
	enum err err = item_domain_of(txn, &address->name.domain, &domain);

	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
	/* Its box may be purged, or have no Maildir: no matter. */
	if (bounce)
		return add_nowhere(config, plan, &domain, &address->name,
				   STORE_BOUNCE);
	err = get_levels(txn, &domain, address, &levels);
	if (err != ERR_OK)
		return err;
	return add_text(config, plan, &domain, address, &levels);
}

enum err item_catchall(struct store_txn *txn, const struct config *config,
		       struct plan *plan, const struct store_domain *domain)
{
	const struct name_address name = {{"*"}, domain->name};
	struct store_parked parked = {.bounce = false};
	struct store_address address;
	enum err err = store_address_get(txn, &name, &address);

	if (err == ERR_NOTFOUND)
		err = store_parked_address_get(txn, &name, &address, &parked);
	if (err == ERR_OK)
		return item_address(txn, config, plan, &address, parked.bounce);
	if (err != ERR_NOTFOUND || !domain->extension)
		return err;
	return add_nowhere(config, plan, domain, &name, STORE_DELIVER);
}

/* Who says what stands in qmail's files under a name: the domain that is there,
 * else one that was and whose mail may be on its way. -1: nobody. */
static int speaker(bool there, const bool was[STORE_KINDS])
{
	static const enum store_kind order[] = {STORE_POP, STORE_DIALUP,
						STORE_ALIAS, STORE_RELAY,
						STORE_BACKUP};

	for (size_t i = 0; !there && i < STORE_KINDS; i++) {
		if (was[order[i]])
			return (int)order[i];
	}
	return -1;
}

enum err item_name(struct store_txn *txn, struct plan *plan,
		   const struct name_domain *name,
		   const struct store_domain *gone)
{
	struct store_domain live, was[STORE_KINDS];
	bool parked[STORE_KINDS] = {false};
	struct store_parked since;
	enum err err = store_domain_get(txn, name, &live);
	const bool there = err == ERR_OK;
	int speaks;

	for (int k = 0;
	     k < STORE_KINDS && (err == ERR_OK || err == ERR_NOTFOUND); k++) {
		err = store_parked_domain_get(txn, name, (enum store_kind)k,
					      &was[k], &since);
		parked[k] = err == ERR_OK;
	}
	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	speaks = speaker(there, parked);
	err = there ? item_domain(txn, plan, &live, PLAN_MAKE, false) : ERR_OK;
	for (int k = 0; err == ERR_OK && k < STORE_KINDS; k++) {
		if (parked[k])
			err = item_domain(txn, plan, &was[k], PLAN_CLOSE,
					  k != speaks);
	}
	if (err == ERR_OK && gone && !parked[gone->kind] &&
	    !(there && live.kind == gone->kind))
		err = item_domain(txn, plan, gone, PLAN_REMOVE,
				  there || speaks >= 0);
	return err;
}
