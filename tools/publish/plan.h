/* plan.h: what the journal owes to the files, collected from one snapshot:
 * each box, address and domain once, with what its file shall say.
 */
#ifndef POPBOX_PLAN_H
#define POPBOX_PLAN_H

#include <sys/types.h>

#include "store/config.h"
#include "store/store_write.h"

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

/* Which entries of the journal a plan is made from. */
enum plan_scope {
	PLAN_FRESH, /* those that no publisher has come to yet */
	PLAN_OWED,  /* those, and what is pending */
	PLAN_ALL,   /* none: everything there is */
};

struct plan_item {
	enum store_table table;
	enum plan_act act;
	bool failed;
	char *why; /* it failed; malloc'ed, or NULL for lack of memory */
	uint64_t first, last; /* numbers of the entries that brought it, 0 =
			       * none */
	bool stays; /* all of them change what was there before */
	bool waits; /* of an address: its temporary is to be renamed */
	struct name_handle handle; /* whose it is */
	struct name_box box; /* a box; or where an address leads, if has_box */
	struct name_box from; /* of a box: which one had its mail; or handle "" */
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
	uint64_t entry; /* being collected: its number, and is it a change of */
	bool stays;	/* what was there? */
	/* Whose failures are told: those of entries in ]mine, mine_upto]; all
	 * of them where mine_upto is 0. */
	uint64_t mine, mine_upto;
};

/* On any answer the plan is to be freed. */
MUST_USE enum err plan_make(struct store_txn *txn, const struct config *config,
			    enum plan_scope scope, struct plan *plan);

/* A part of what is fresh or owed; one that comes as far as the horizon, a
 * number of the journal, is the last and has everything behind that, too.
 *
 * In a part that is not the last whatever was owed again is out of sight. So
 * the boxes that its addresses lead to are among its items, whenever they
 * were added: one that could not be made is tried again, and its addresses
 * wait for it. */
MUST_USE enum err plan_make_part(struct store_txn *txn,
				 const struct config *config,
				 enum plan_scope scope, uint64_t horizon,
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

/* The boxes that its addresses lead to, if they are in the store, are among its
 * items. */
MUST_USE enum err plan_bring_boxes(struct store_txn *txn, struct plan *plan);

/* Is this domain of this handle in the plan, to be made or kept, and of this
 * kind? */
bool plan_has_domain(const struct plan *plan, const struct name_handle *handle,
		     const struct name_domain *domain, enum store_kind kind);

/* Fails every domain that is to be made and may be new, of a handle of which
 * anything that is to be made failed. False: no memory. */
bool plan_hold_back(struct plan *plan);

/* Is it to be owed again? What failed; and of a part that is not the last what
 * has to do with qmail's own files, since a domain is opened only when all of
 * it is there, and removals come after that. */
bool plan_owes(const struct plan *plan, const struct plan_item *item);

size_t plan_failed(const struct plan *plan);

/* The name of what an item is about, as people write it. */
void plan_object(const struct plan_item *item,
		 char ret_text[STORE_OBJECT_TEXT]);

#endif
