/* SPDX-License-Identifier: MIT */
/* resolve.h: which row of the store takes the mail of an address: the domain
 * itself or one that it is a host of, an alias's target, the address, the
 * one before the domain's extension (joe of joe+tag), or else the catch-all. The order is qmail's own, applied to what popbox publishes.
 */
#ifndef POPBOX_RESOLVE_H
#define POPBOX_RESOLVE_H

#include "store/store_write.h"

enum resolve_kind {
	RESOLVE_ADDRESS,  /* an address of the store; address is filled */
	RESOLVE_CATCHALL, /* the same, of the catch-all */
	RESOLVE_DELETED,  /* deleted and not purged: address, parked are filled */
	RESOLVE_NOBODY,	  /* the domain has neither the address nor a catch-all */
	RESOLVE_CLOSED,	  /* the domain was deleted and is not purged: named and
			   * parked are filled */
	RESOLVE_ROUTED,	  /* a relay, backup or dial-up domain of the store */
	RESOLVE_FOREIGN,  /* no domain of the store */
};

struct resolve {
	enum resolve_kind kind;
	struct store_domain named;   /* the domain of the address, or above it */
	struct store_domain domain;  /* where its addresses are: named, or the
				      * target of that alias */
	struct store_address address;
	struct store_parked parked;
	bool extended; /* by the part before the domain's extension */
};

/* The text is local@domain, the domain in A-labels. Inside a transaction. An
 * alias without its target is ERR_DAMAGED. */
MUST_USE enum err resolve_address(struct store_txn *txn, const char *text,
				  struct resolve *ret_resolve);

#endif
