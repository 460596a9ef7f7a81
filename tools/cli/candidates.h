/* SPDX-License-Identifier: MIT */
/* candidates.h: names of the store that a word on a command line may become. They
 * are looked up by range, so that it takes as long among a million accounts as
 * among ten.
 */
#ifndef POPBOX_CANDIDATES_H
#define POPBOX_CANDIDATES_H

#include <stdbool.h>

#include "store/store.h"

enum { CANDIDATES_MAX = 50 };

/* What is wanted; several may be. */
enum {
	CANDIDATES_HANDLES = 1,
	CANDIDATES_DOMAINS = 2,
	CANDIDATES_BOXES = 4,
	CANDIDATES_ADDRESSES = 8,
	CANDIDATES_NEW_ADDRESSES =
		16, /* any local part at a domain of the store */
};

struct candidates {
	const char *word; /* what the names begin with */
	unsigned wanted;
	size_t count;
	char name[CANDIDATES_MAX][NAME_ADDRESS_TEXT];
	bool more; /* there are, or may be, others: this is no whole list */
};

/* A store_body; its argument is a struct candidates with word and wanted. */
MUST_USE enum err candidates_body(struct store_txn *txn, void *arg);

#endif
