/* SPDX-License-Identifier: MIT */
/* upgrade.h: the steps from one format to the next; inside store/ only.
 */
#ifndef POPBOX_UPGRADE_H
#define POPBOX_UPGRADE_H

#include "store.h"

/* From 1 to 2: what the marks in the journal said becomes rows of pending work. */
MUST_USE enum err upgrade_pending(struct store_txn *txn, void *arg);

#endif
