/* SPDX-License-Identifier: MIT */
/* copy.h: the store of this host as a copy of the central database: what is new there
 * comes here, and a change goes there first.
 */
#ifndef POPBOX_COPY_H
#define POPBOX_COPY_H

#include "central.h"

struct copy {
	struct central *central;
	struct store *store;
	struct store_writeset *set;
	/* of the last call */
	char why[FRAMES_TEXT + 256]; /* it failed */
	bool rebuilt; /* made anew: the branch that it stood on had died, */
	bool was_old; /* or rows that went meanwhile were forgotten */
	uint64_t was; /* its number before that */
	uint64_t rows; /* that were put */
	struct store_head head; /* where it stands, */
	struct store_head there; /* and the central database */
};

/* Brings the copy to the newest state. A copy whose last change is not in the chain
 * any more, because a server was promoted that never had it, is made anew. CENTRAL_OK:
 * copy->head. */
MUST_USE enum central_answer copy_pull(struct copy *copy);

/* The store becomes the copy, whatever is in it; its journal ends at `was`. */
MUST_USE enum central_answer copy_rebuild(struct copy *copy, uint64_t was);

/* As store_write with keep: runs body on the newest state, in the central database
 * first. An answer of a rule comes as it does there; where the central database is the
 * cause it is ERR_SYSTEM with a reason. */
MUST_USE enum err copy_write(struct copy *copy, const struct store_actor *actor,
			     store_body *body, void *arg, uint64_t *ret_last);

#endif
