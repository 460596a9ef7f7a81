/* SPDX-License-Identifier: MIT */
/* pending.h: changes that were committed and could not be published: the rows of
 * pending work that were tried (store.h).
 */
#ifndef POPBOX_PENDING_H
#define POPBOX_PENDING_H

#include "store/store_write.h"

/* More than this are not told apart. */
enum { PENDING_MAX = 1000 };

struct pending_item {
	uint64_t number; /* of its first entry */
	int64_t since;
	enum store_table table;
	bool gone; /* a domain that was purged */
	struct name_handle handle;
	char object[STORE_OBJECT_TEXT];
	char actor[STORE_ACTOR_MAX + 1];
	char command[STORE_COMMAND_MAX + 1];
	char why[STORE_WHY_MAX + 1];
};

struct pending {
	struct pending_item *item; /* in the order of their first entries */
	size_t count;
	bool cut;	  /* there are more */
	uint64_t untried; /* rows that no publisher has come to yet; all entries of
			   * a store that was built of a backup */
	int64_t untried_since;
};

/* On any answer it is to be freed. A body may be run again. */
MUST_USE enum err pending_collect(struct store_txn *txn,
				  struct pending *pending);
void pending_free(struct pending *pending);

/* It is not among them any more. */
void pending_forget(struct pending *pending, enum store_table table, bool gone,
		    const char *object);

/* The oldest. 0: there is none. */
int64_t pending_since(const struct pending *pending);

/* One line for all of them, or none where none is. */
void pending_note(const struct pending *pending);

#endif
