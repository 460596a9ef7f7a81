/* SPDX-License-Identifier: MIT */
/* scan.h: rows of a table, judged on all processors.
 *
 * One thread walks the table with db_walk, which proves that a search finds each
 * row; LMDB is asked by this thread alone. Several threads judge what it hands
 * them in chunks: checksum, form, and whatever a row says by itself. Rows come
 * out in the order of their keys, so the caller sees no difference but the time.
 */
#ifndef POPBOX_SCAN_H
#define POPBOX_SCAN_H

#include "store/db/db.h"

/* Called in any thread, of several rows at once. It looks at the row and at what
 * does not change meanwhile, and at nothing else. 0: the row is not handed out.
 * What it adds to *sum counts in scan_sum. */
typedef unsigned scan_judge(const void *arg, struct db_bytes key,
			    struct db_bytes row, uint64_t *sum);

struct scan_order {
	struct db_txn *txn;
	enum db_table table;
	struct db_bytes after; /* begins behind this key; empty: at the first */
	struct db_bytes head;  /* ends behind the keys that begin so; empty: all */
	scan_judge *judge;
	const void *arg;
};

struct scan_row {
	struct db_bytes key, value;
	unsigned verdict; /* never 0 */
};

/* The scan is the caller's to end, in the same body. What order points at, but for
 * the keys, has to last as long. ERR_SYSTEM: no memory. */
struct scan;
MUST_USE enum err scan_begin(const struct scan_order *order,
			     struct scan **ret_scan);
/* ERR_NOTFOUND: the end, all is proved. After any error it is called no more. */
MUST_USE enum err scan_next(struct scan *scan, struct scan_row *ret_row);
/* Of the chunks that came to their end: of all rows behind ERR_NOTFOUND. */
uint64_t scan_sum(const struct scan *scan);
void scan_end(struct scan **scan); /* NULL is allowed */

#endif
