/* rehearse.h: what publishing would do, for --dry-run: the real planner, and
 * nothing written.
 */
#ifndef POPBOX_REHEARSE_H
#define POPBOX_REHEARSE_H

#include "site.h"

/* Prints it; inside a transaction, which may be one that is not going to be
 * committed. *ret_steps counts. */
MUST_USE enum err rehearse(const struct site *site, struct store_txn *txn,
			   bool full, unsigned long *ret_steps);

#endif
