/* pending.h: changes that were committed and could not be published: the
 * entries between the journal's two marks that say why (store.h).
 */
#ifndef POPBOX_PENDING_H
#define POPBOX_PENDING_H

#include "store/store_write.h"

/* More than this are not told apart. */
enum { PENDING_MAX = 1000 };

struct pending_item {
	uint64_t number; /* of its entry */
	int64_t since;
	enum store_table table;
	bool gone; /* purged: its files are to go */
	struct name_handle handle; /* "": it is not known any more */
	char object[STORE_OBJECT_TEXT];
	char actor[STORE_ACTOR_MAX + 1];
	char command[STORE_COMMAND_MAX + 1];
	char why[STORE_WHY_MAX + 1];
};

struct pending {
	struct pending_item *item; /* in the journal's order */
	size_t count;
	bool cut;	  /* there are more */
	uint64_t between; /* entries between the two marks */
	uint64_t untried; /* entries that no publisher has come to yet */
	int64_t untried_since;
};

/* On any answer it is to be freed. A body may be run again. */
MUST_USE enum err pending_collect(struct store_txn *txn,
				  struct pending *pending);
void pending_free(struct pending *pending);

/* Is anything of this handle pending? With cut the answer is yes. */
bool pending_of_handle(const struct pending *pending,
		       const struct name_handle *handle);

/* Is this object pending, or its removal? */
bool pending_has(const struct pending *pending, enum store_table table,
		 bool gone, const char *object);

/* It is not among them any more. */
void pending_forget(struct pending *pending, enum store_table table, bool gone,
		    const char *object);

/* The oldest. 0: there is none. */
int64_t pending_since(const struct pending *pending);

/* One line for all of them, or none where none is. */
void pending_note(const struct pending *pending);

#endif
