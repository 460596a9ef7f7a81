/* collect.h: what the files shall say, item by item, of what the journal holds
 * after the mark or of all there is. What the entries say is a hint only: the
 * store is asked how it is now.
 */
#ifndef POPBOX_COLLECT_H
#define POPBOX_COLLECT_H

#include "plan.h"

/* Each adds to the plan, objects more than once where they changed often.
 *
 * What is owed ends behind the first entry that makes the items PLAN_PART or
 * more, and plan->upto and plan->part say so; but only before the horizon. */
MUST_USE enum err collect_owed(struct store_txn *txn,
			       const struct config *config,
			       enum plan_scope scope, uint64_t horizon,
			       struct plan *plan);
MUST_USE enum err collect_all(struct store_txn *txn,
			      const struct config *config, struct plan *plan);

#endif
