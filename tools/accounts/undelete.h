/* SPDX-License-Identifier: MIT */
/* undelete.h: a deleted box comes back by its name, whoever asks.
 */
#ifndef POPBOX_UNDELETE_H
#define POPBOX_UNDELETE_H

#include "store/store_write.h"

/* Inside a transaction. ERR_INUSE, with a reason: it was not deleted, but has
 * moved to another handle, and its mail is that box's. ERR_NOTFOUND. */
MUST_USE enum err undelete_box(struct store_txn *txn,
			       const struct name_box *name);

#endif
