/* SPDX-License-Identifier: MIT */
/* deletion.h: what becomes of the mail for an address that is deleted: until it is
 * purged, and afterwards.
 */
#ifndef POPBOX_DELETION_H
#define POPBOX_DELETION_H

#include "args.h"
#include "store/store_write.h"

/* Of `address del` and `box del`. */
#define DELETION_OPTIONS                                                      \
	{"--bounce", NULL,                                                    \
	 "mail for it bounces from now on, after the purge as well"},         \
	{                                                                     \
		"--keep", NULL,                                               \
			"mail for it goes where it went, until the purge"     \
	}

/* What the options choose, or else what is usual. Both are wrong usage, and
 * said. */
int deletion_read(const struct args *args, enum store_fate usual,
		  enum store_fate *ret_fate);

/* Will the catch-all take the mail for this address once nothing of it is left?
 * The catch-all itself is not taken by another. */
MUST_USE enum err deletion_caught(struct store_txn *txn,
				  const struct name_address *name,
				  bool *ret_caught);

/* "bounces until it is purged, then the catch-all takes it": of mail for
 * count addresses, of which so many will be caught. What they led to keeps a
 * Maildir in the case of a box. */
enum { DELETION_TEXT = 200 };
const char *deletion_text(enum store_fate fate, unsigned long count,
			  unsigned long caught, char text[DELETION_TEXT]);

#endif
