/* SPDX-License-Identifier: MIT */
#include "collect.h"
#include "item.h"

static enum err all_boxes(struct store_txn *txn, struct plan *plan)
{
	struct store_box box;
	enum err err = store_box_next(txn, NULL, &box);

	while (err == ERR_OK) {
		err = item_box_here(txn, plan, &box, 0);
		if (err == ERR_OK)
			err = store_box_next(txn, &box.name, &box);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* A catch-all's own row brings it already; the plan has each object once. */
static enum err extension(struct store_txn *txn, const struct config *config,
			  struct plan *plan, const struct store_domain *domain)
{
	enum err err = domain->extension
			       ? item_catchall(txn, config, plan, domain)
			       : ERR_OK;

	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err all_domains(struct store_txn *txn, const struct config *config,
			    struct plan *plan)
{
	struct store_domain domain;
	struct store_parked parked;
	enum err err = store_domain_next(txn, NULL, &domain);

	while (err == ERR_OK) {
		err = item_name(txn, plan, &domain.name, NULL);
		if (err == ERR_OK)
			err = extension(txn, config, plan, &domain);
		if (err == ERR_OK)
			err = store_domain_next(txn, &domain.name, &domain);
	}
	if (err == ERR_NOTFOUND)
		err = store_parked_domain_next(txn, NULL, &domain, &parked);
	while (err == ERR_OK) {
		err = item_name(txn, plan, &domain.name, NULL);
		if (err == ERR_OK)
			err = extension(txn, config, plan, &domain);
		if (err == ERR_OK)
			err = store_parked_domain_next(txn, &domain, &domain,
						       &parked);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err all_addresses(struct store_txn *txn,
			      const struct config *config, struct plan *plan)
{
	struct store_address address;
	struct store_parked parked;
	enum err err = store_address_next(txn, NULL, &address);

	while (err == ERR_OK) {
		err = item_address(txn, config, plan, &address, false);
		if (err == ERR_OK)
			err = store_address_next(txn, &address.name, &address);
	}
	if (err == ERR_NOTFOUND)
		err = store_parked_address_next(txn, NULL, &address, &parked);
	while (err == ERR_OK) {
		err = item_address(txn, config, plan, &address, parked.bounce);
		if (err == ERR_OK)
			err = store_parked_address_next(txn, &address.name,
							&address, &parked);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err collect_all(struct store_txn *txn, const struct config *config,
		     struct plan *plan)
{
	enum err err = all_boxes(txn, plan);

	if (err == ERR_OK)
		err = all_domains(txn, config, plan);
	return err == ERR_OK ? all_addresses(txn, config, plan) : err;
}
