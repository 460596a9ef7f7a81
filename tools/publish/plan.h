/* SPDX-License-Identifier: MIT */
/* plan.h: what is pending, collected from one snapshot:
 * each box, address and domain once, with what its file shall say.
 */
#ifndef POPBOX_PLAN_H
#define POPBOX_PLAN_H

#include <sys/types.h>

#include "store/config.h"
#include "store/store_write.h"

/* The items of a part, and as many more as the row brings that fills it. */
#ifndef PLAN_PART
#define PLAN_PART 10000
#endif

enum plan_act {
	PLAN_MAKE,   /* it is in the store */
	PLAN_CLOSE,  /* a domain that is parked: taken no more mail for, but
		      * what is on its way finds everything */
	PLAN_REMOVE, /* purged: its files go */
};

/* Which pending work a plan is made from. */
enum plan_scope {
	PLAN_FRESH,   /* that which no publisher has come to yet */
	PLAN_PENDING, /* that, and what could not be done before */
	PLAN_ALL,     /* none: everything there is */
};

struct plan_item {
	enum store_table table;
	enum plan_act act;
	bool failed;
	bool awaits; /* it failed for this alone: another host has not made it yet */
	char *why; /* it failed; malloc'ed, or NULL for lack of memory */
	uint64_t first, last; /* numbers of the entries that brought it, 0 =
			       * none */
	int64_t since; /* the time of the first */
	bool stays; /* all of them change what was there before */
	bool waits; /* of an address: its temporary is to be renamed */
	struct name_handle handle; /* whose it is */
	struct name_box box; /* a box; or where an address leads, if has_box */
	struct name_box from; /* of a box: which one had its mail; or handle "" */
	struct store_quota quota; /* of a box: what holds for it */
	bool unlimits; /* of a box: it may have had one before; where it has none
			* its file maildirsize goes */
	bool unanswers; /* the same of a vacation reply: its file goes */
	bool has_box;
	struct name_address address; /* an address; or a domain, alone */
	struct store_domain *domain; /* of a domain: its row; malloc'ed */
	enum store_delivery delivery; /* of a domain, with its handle's */
	bool covered; /* a domain that is parked or purged, whose name has
		       * another row that says what the files say */
	char *text; /* of an address: its .qmail file; of a box: its file vacation, or
		     * NULL; malloc'ed */
	size_t len;
	mode_t mode;
};

struct plan {
	struct plan_item *item; /* in the order of table and name */
	size_t count;
	size_t room;
	enum plan_scope scope;
	uint64_t upto; /* the journal's end in the snapshot */
	bool part;   /* of what is pending, not the last */
	size_t rows; /* of pending work that it is made from: those of its scope */
	bool begins; /* behind this one, */
	struct store_pending from;
	struct store_pending to; /* with part: up to this one; "": to the end */
	struct name_handle *block; /* in order: those of which something that was
				    * tried is pending, beside PLAN_FRESH */
	size_t blocks;
	/* What the row that is being collected says of its items. */
	uint64_t first, last;
	int64_t since;
	bool stays;
	/* Whose failures are told: those of entries in ]mine, mine_upto]; all
	 * of them where mine_upto is 0. */
	uint64_t mine, mine_upto;
};

/* On any answer the plan is to be freed. Where everything is pending it is one of
 * everything, whatever the scope. */
MUST_USE enum err plan_make(struct store_txn *txn, const struct config *config,
			    enum plan_scope scope, struct plan *plan);

/* A part of what is pending, of the rows behind from (NULL: from the first).
 *
 * A box whose Maildir could not be made may be out of its sight. So those boxes
 * that its addresses lead to, and that are pending, are among its items: they are
 * tried again, and their addresses wait for them. */
MUST_USE enum err plan_make_part(struct store_txn *txn,
				 const struct config *config,
				 enum plan_scope scope,
				 const struct store_pending *from,
				 struct plan *plan);
void plan_free(struct plan *plan);

/* Takes text and domain over when it answers ERR_OK. */
MUST_USE enum err plan_add(struct plan *plan, const struct plan_item *item);

/* The next item of that table after index from - 1, or plan->count. */
size_t plan_next(const struct plan *plan, size_t from, enum store_table table);

/* It failed. why is copied. */
void plan_fail(struct plan_item *item, const char *why);

/* Is its failure to be told here? */
bool plan_is_mine(const struct plan *plan, const struct plan_item *item);

/* Is this box in the plan, and failed? */
bool plan_box_failed(const struct plan *plan, const struct name_box *box);

/* Is this domain of this handle in the plan, to be made or kept, and of this
 * kind? */
bool plan_has_domain(const struct plan *plan, const struct name_handle *handle,
		     const struct name_domain *domain, enum store_kind kind);

/* Fails every domain that is to be made and may be new, of a handle of which
 * anything that is to be made failed; it awaits, if all of that does. False: no
 * memory. */
bool plan_hold_back(struct plan *plan);

/* Does it stay pending? What failed; and of a part that is not the last what has
 * to do with qmail's own files, since a domain is opened only when all of it is
 * there, and removals come after that. */
bool plan_keeps(const struct plan *plan, const struct plan_item *item);

/* Is something that was tried before pending of this handle? */
bool plan_blocks(const struct plan *plan, const struct name_handle *handle);

/* The row of an item, by its name; and whether a row is that of an item which stays
 * pending. */
void plan_name(const struct plan_item *item, struct store_pending *ret_row);
bool plan_keeps_row(const struct plan *plan, const struct store_pending *row);

/* Was it made from every row that there was? */
bool plan_has_all_rows(const struct plan *plan);

/* Was it made from this row? */
bool plan_has_row(const struct plan *plan, const struct store_pending *row);

/* The name of what an item is about, as people write it. */
void plan_object(const struct plan_item *item,
		 char ret_text[STORE_OBJECT_TEXT]);

#endif
