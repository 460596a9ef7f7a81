/* SPDX-License-Identifier: MIT */
/* item.h: what the files shall say of one object, as an item of a plan.
 */
#ifndef POPBOX_ITEM_H
#define POPBOX_ITEM_H

#include "plan.h"

/* Each adds to the plan. ERR_SYSTEM: no memory; ERR_DAMAGED: what the store says
 * of it is not there. */
MUST_USE enum err item_box(struct plan *plan, const struct name_box *name,
			   enum plan_act act);

/* A box that is there. Its mail may still be that of the box it was. what of pending work
 * says that it may have had a quota or a reply before. */
MUST_USE enum err item_box_here(struct store_txn *txn, struct plan *plan,
				const struct store_box *box, unsigned what);

/* The box that has the mail of the one of this name, which may be deleted: itself,
 * or, where it has moved, what it has become, over several moves. ERR_NOTFOUND. */
MUST_USE enum err item_mail_box(struct store_txn *txn, struct name_box *name,
				struct store_box *ret_box);

/* covered: another row of the name says what the files say (plan.h). */
MUST_USE enum err item_domain(struct store_txn *txn, struct plan *plan,
			      const struct store_domain *domain,
			      enum plan_act act, bool covered);

/* Its .qmail file, with the switches of all that it hangs on; bounce: it is
 * deleted, and mail on its way to it goes back. Where its box has moved,
 * address->box becomes the one that has the mail. */
MUST_USE enum err item_address(struct store_txn *txn,
			       const struct config *config, struct plan *plan,
			       struct store_address *address, bool bounce);

/* The file of the domain's catch-all; where there is none, of its extension
 * alone. ERR_NOTFOUND: it has neither. */
MUST_USE enum err item_catchall(struct store_txn *txn,
				const struct config *config, struct plan *plan,
				const struct store_domain *domain);

/* All that a name is and was; gone, which an entry of the journal tells of, or
 * NULL, may be neither. */
MUST_USE enum err item_name(struct store_txn *txn, struct plan *plan,
			    const struct name_domain *name,
			    const struct store_domain *gone);

/* The domain of an address, in the store or parked with it; or
 * ERR_NOTFOUND. */
MUST_USE enum err item_domain_of(struct store_txn *txn,
				 const struct name_domain *name,
				 struct store_domain *ret_domain);

#endif
