/* offer.h: names of the store that a word on a command line may become. They
 * are looked up by range, so that it takes as long among a million accounts as
 * among ten.
 */
#ifndef POPBOX_OFFER_H
#define POPBOX_OFFER_H

#include <stdbool.h>

#include "store/store.h"

enum { OFFER_MAX = 50 };

/* What is wanted; several may be. */
enum {
	OFFER_HANDLES = 1,
	OFFER_DOMAINS = 2,
	OFFER_BOXES = 4,
	OFFER_ADDRESSES = 8,
	OFFER_NEW_ADDRESSES = 16, /* any local part at a domain of the store */
};

struct offer {
	const char *word; /* what the names begin with */
	unsigned wanted;
	size_t count;
	char name[OFFER_MAX][NAME_ADDRESS_TEXT];
	bool more; /* there are, or may be, others: this is no whole list */
};

/* A store_body; its argument is a struct offer with word and wanted. */
MUST_USE enum err offer_body(struct store_txn *txn, void *arg);

#endif
