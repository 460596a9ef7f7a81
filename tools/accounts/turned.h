/* SPDX-License-Identifier: MIT */
/* turned.h: who turned a switch, and when, by the journal. It is searched by
 * the times that the rows name, so it costs little however long it is.
 */
#ifndef POPBOX_TURNED_H
#define POPBOX_TURNED_H

#include "store/store.h"

struct turned {
	int64_t time; /* without an entry: when the object changed last */
	char actor[STORE_ACTOR_MAX + 1]; /* "": the journal does not tell */
	char command[STORE_COMMAND_MAX + 1];
	char reason[STORE_REASON_MAX + 1]; /* the object's, as it is now */
};

/* The switches of an address, which has no login of its own. */
void turned_address(const struct store_address *address,
		    struct store_state *ret_state);

/* The switches of a row of an entry. */
MUST_USE enum err turned_state(const struct store_entry *entry,
			       const uint8_t *row, size_t len,
			       struct store_state *ret_state);

/* Since when its login, or else its delivery, is what it is. ERR_NOTFOUND: there
 * is no such object. */
MUST_USE enum err turned_find(struct store_txn *txn, enum store_table table,
			      const char *name, bool of_login,
			      struct turned *ret_turned);

#endif
