/* SPDX-License-Identifier: MIT */
/* draft_private.h: what store_draft.c, store_apply.c and store_write.c share. */
#ifndef POPBOX_DRAFT_PRIVATE_H
#define POPBOX_DRAFT_PRIVATE_H

#include "row_write.h"
#include "store/db/db_writeset.h"
#include "store_draft.h"

/* Does a central database have this row? Of meta three words alone; pending work is
 * a host's own. */
bool draft_is_shared(enum db_table table, struct db_bytes key);

struct row_key draft_central_key(void);
MUST_USE enum err draft_read_head(struct db_bytes row,
				  struct store_head *ret_head);
MUST_USE enum err draft_check_format(struct store_txn *txn);

/* ERR_BUSY: the copy does not stand there. ERR_DAMAGED: nor at its own head. */
MUST_USE enum err draft_stands_at(struct store_txn *txn,
				  const struct store_head *head);

/* ERR_INVALID, with a reason: rows that copies share are among these keys. */
MUST_USE enum err draft_refuse(struct store_txn *txn,
			       const struct db_writeset *keys);

#endif
