/* SPDX-License-Identifier: MIT */
/* rehearse.h: what publishing would do, for --dry-run: the real planner, and
 * nothing written.
 */
#ifndef POPBOX_REHEARSE_H
#define POPBOX_REHEARSE_H

#include "accounts/site.h"
#include "plan.h"

/* Prints it for what is to be published (plan.h); inside a transaction, which may be one that is not going to be
 * committed. *ret_steps counts. */
MUST_USE enum err rehearse(const struct site *site, struct store_txn *txn,
			   enum plan_scope scope, unsigned long *ret_steps);

#endif
