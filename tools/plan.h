/* plan.h: what the journal owes to the files, collected from one snapshot:
 * each box, address and domain once, with what its file shall say.
 */
#ifndef POPBOX_PLAN_H
#define POPBOX_PLAN_H

#include <sys/types.h>

#include "config.h"
#include "store_write.h"

/* The items of a part, and as many more as the entry brings that fills it. */
#ifndef PLAN_PART
#define PLAN_PART 10000
#endif

enum plan_act {
	PLAN_MAKE,   /* it is in the store */
	PLAN_CLOSE,  /* a domain that is parked: taken no more mail for, but
		      * what is on its way finds everything */
	PLAN_REMOVE, /* purged: its files go */
};

struct plan_item {
	enum store_table table;
	enum plan_act act;
	bool failed;
	bool waits; /* of an address: its temporary is to be renamed */
	struct name_handle handle; /* whose it is */
	struct name_box box; /* a box; or where an address leads, if has_box */
	bool has_box;
	struct name_address address; /* an address; or a domain, alone */
	struct store_domain *domain; /* of a domain: its row; malloc'ed */
	enum store_delivery delivery; /* of a domain, with its handle's */
	bool covered; /* a domain that is parked or purged, whose name has
		       * another row that says what the files say */
	char *text; /* of an address: its .qmail file, malloc'ed */
	size_t len;
	mode_t mode;
};

struct plan {
	struct plan_item *item; /* in the order of table and name */
	size_t count;
	size_t room;
	uint64_t upto; /* the mark to set when it is carried out */
	bool part; /* of what is owed, not the last */
	bool whole; /* everything there is */
};

/* Everything after the mark; with full, everything there is. On any answer the
 * plan is to be freed. */
MUST_USE enum err plan_make(struct store_txn *txn, const struct config *config,
			    bool full, struct plan *plan);

/* A part of what lies after the mark; one that comes as far as the horizon, a
 * number of the journal, is the last and has everything behind that, too.
 *
 * In a part that is not the last whatever was owed again is out of sight. So
 * the boxes that its addresses lead to are among its items, whenever they
 * were added: one that could not be made is tried again, and its addresses
 * wait for it. */
MUST_USE enum err plan_make_part(struct store_txn *txn,
				 const struct config *config, uint64_t horizon,
				 struct plan *plan);
void plan_free(struct plan *plan);

/* Takes text and domain over when it answers ERR_OK. */
MUST_USE enum err plan_add(struct plan *plan, const struct plan_item *item);

/* The next item of that table after index from - 1, or plan->count. */
size_t plan_next(const struct plan *plan, size_t from, enum store_table table);

/* Is this box in the plan, and failed? */
bool plan_box_failed(const struct plan *plan, const struct name_box *box);

/* Is this domain of this handle in the plan, to be made or kept, and of this
 * kind? */
bool plan_has_domain(const struct plan *plan, const struct name_handle *handle,
		     const struct name_domain *domain, enum store_kind kind);

/* Fails every domain that is to be made, of a handle of which anything that
 * is to be made failed. False: no memory. */
bool plan_hold_back(struct plan *plan);

/* Is it to be owed again? What failed; and of a part that is not the last what
 * has to do with qmail's own files, since a domain is opened only when all of
 * it is there, and removals come after that. */
bool plan_owes(const struct plan *plan, const struct plan_item *item);

size_t plan_failed(const struct plan *plan);

#endif
