/* SPDX-License-Identifier: MIT */
/* pending.h: rows of pending work as bytes and back; inside store/ only.
 */
#ifndef POPBOX_PENDING_ROW_H
#define POPBOX_PENDING_ROW_H

#include "row.h"

/* handle NUL kind (1, in the order of publishing), key of its own table. */
struct row_key row_key_pending(const struct store_pending *pending);

MUST_USE enum err pending_encode(const struct store_pending *pending,
				 const struct row_key *key,
				 struct row *ret_row);
/* On an error *ret_pending may be half written. */
MUST_USE enum err pending_decode(struct db_bytes key, struct db_bytes row,
				 struct store_pending *ret_pending);

/* Of meta: 1 where everything is pending. */
#define all_word "all_pending"
/* Of meta: the journal's end when something was published last. A journal that ends
 * before it has lost entries; no other table tells. */
#define upto_word "journal_upto"

#endif
