/* SPDX-License-Identifier: MIT */
/* collect.h: what the files shall say, item by item, of what is pending or of all
 * there is. What a row of pending work says is a hint only: the store is asked how
 * it is now.
 */
#ifndef POPBOX_COLLECT_H
#define POPBOX_COLLECT_H

#include "plan.h"

/* Each adds to the plan, objects more than once where several rows bring them.
 *
 * What is pending begins after from, NULL: at the beginning. With part it ends
 * behind the row that makes the items PLAN_PART or more, and plan->part and
 * plan->to say so. */
MUST_USE enum err collect_pending(struct store_txn *txn,
				  const struct config *config,
				  enum plan_scope scope,
				  const struct store_pending *from, bool part,
				  struct plan *plan);
MUST_USE enum err collect_all(struct store_txn *txn,
			      const struct config *config, struct plan *plan);

#endif
