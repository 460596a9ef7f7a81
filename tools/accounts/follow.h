/* SPDX-License-Identifier: MIT */
/* follow.h: where an address of the store leads in the end: forwards to
 * addresses of this site are followed, through aliases and catch-alls, until
 * the mail reaches a box, leaves the site, or cannot arrive.
 *
 * It reads the store alone. What qmail's files say is explain's business.
 */
#ifndef POPBOX_FOLLOW_H
#define POPBOX_FOLLOW_H

#include "store/store_write.h"

enum follow_end {
	FOLLOW_BOX,	/* a box of this site */
	FOLLOW_OUTSIDE, /* another host, or a customer who dials in */
	FOLLOW_LOOP,	/* back to an address on its own way: qmail bounces it */
	FOLLOW_NOBODY,	/* a domain of the store without that address */
	FOLLOW_DELETED, /* a deleted address */
	FOLLOW_CLOSED,	/* one of a deleted domain that is not purged */
	FOLLOW_LIMIT,	/* more than FOLLOW_MAX addresses: the rest is unknown */
};

enum { FOLLOW_MAX = 1000 };

/* One end. */
struct follow {
	enum follow_end end;
	char from[NAME_ADDRESS_TEXT];	/* the address that has the target */
	char target[NAME_ADDRESS_TEXT]; /* the box, or the forward as written */
	const char *loop; /* FOLLOW_LOOP: "a@x leads to b@x leads back to a@x",
			   * good until found returns; else NULL */
	bool on_loop;	  /* FOLLOW_LOOP: back to where the walk began */
};

/* Would mail that goes there never arrive? */
static inline bool follow_is_dead(enum follow_end end)
{
	return end == FOLLOW_LOOP || end == FOLLOW_NOBODY ||
	       end == FOLLOW_DELETED || end == FOLLOW_CLOSED;
}

/* Calls found once for each target, in the order of the addresses' rows; each
 * address is followed once, however many lead to it. An error of found ends the
 * walk and is returned. Inside a transaction, whose own changes count: a writer
 * makes its change and looks where it leads before the commit. ERR_NOTFOUND:
 * there is no such address ("*@example.com" for a catch-all). ERR_SYSTEM: no
 * memory. */
typedef enum err follow_found(void *arg, const struct follow *follow);
MUST_USE enum err follow(struct store_txn *txn,
			 const struct name_address *name, follow_found *found,
			 void *arg);

/* Why mail to such an end does not arrive, for a message; NULL: it does, or
 * nobody knows. */
const char *follow_text(enum follow_end end);

#endif
