/* SPDX-License-Identifier: MIT */
/* postmaster.h: the address that every pop domain has (RFC 5321, 4.5.1).
 */
#ifndef POPBOX_POSTMASTER_H
#define POPBOX_POSTMASTER_H

#include "numbers.h"

struct postmaster {
	struct name_domain domain;
	struct name_handle owner;
	struct numbers *numbers;      /* for a new box */
	const char *target;	      /* TARGET of the command line, or NULL */
	struct store_address address; /* what was added */
	bool new_box;		      /* with a box of its own */
	struct name_box made; /* that of a domain before; handle "": none yet */
};

/* Adds it inside a transaction, where the domain and its handle are: leading to
 * TARGET; else to the handle's box 0000; else to where the one of the handle's
 * first domain leads; else to a new box. */
MUST_USE enum err postmaster_add(struct store_txn *txn,
				 struct postmaster *postmaster);

/* The same for the postmaster of a domain that is to become the owner's, and now
 * leads to another box. It keeps its forwards, if it has any. */
MUST_USE enum err postmaster_turn(struct store_txn *txn,
				  struct postmaster *postmaster);

#endif
