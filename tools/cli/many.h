/* SPDX-License-Identifier: MIT */
/* many.h: one change of all boxes that fit a filter: found, counted, asked about,
 * changed in one transaction, so that one undo takes it back.
 *
 * Between the count and the change somebody may have changed a box: one that
 * does not fit any more stays as it is, and none joins.
 */
#ifndef POPBOX_MANY_H
#define POPBOX_MANY_H

#include "confirm.h"
#include "filter.h"
#include "publish/change.h"

/* The options of a command that takes a box or a filter. */
#define MANY_OPTIONS                                                          \
	FILTER_OPTIONS, CONFIRM_OPTION

struct many_box {
	struct name_box name;
	char *address; /* malloc'ed; NULL: it has none */
};

struct many {
	struct filter filter;
	struct filter_place place;
	struct many_box *box; /* malloc'ed, in the order of their names */
	size_t count, room;
	size_t changed; /* of them, by many_change */
	store_body *end; /* after the last box, if one was changed; or NULL */
};

/* Changes one box; number is its index. */
typedef enum err many_each(struct store_txn *txn, const struct store_box *box,
			   size_t number, void *arg);

/* Does the command line name one box, or options of a filter? Neither or both is
 * wrong usage, and said. *ret_many: a filter. */
int many_asked(const struct args *args, bool *ret_many);

/* The filter; before the store is opened. */
int many_read(const struct args *args, struct many *many);

/* Finds the boxes that fit; a last login that cannot be read is said, and ends
 * it. Nothing fits: says so, returns CODE_DONE with count 0. */
int many_find(struct site *site, struct many *many);

/* The change in a transaction that is given up: what does it count, what is in
 * its way? Returns the exit code. */
int many_try(struct site *site, struct many *many, many_each *each, void *arg);

/* Asks "VERB 3 boxes?", unless --yes or --dry-run; with the latter the boxes are
 * listed. Returns the exit code. */
int many_ask(struct site *site, const struct args *args,
	     const struct many *many, const char *verb);

/* One transaction, published. done is said of the count: "suspended". */
int many_change(struct site *site, struct many *many, many_each *each,
		void *arg, const char *done);

/* All of these: the whole way. */
int many(struct site *site, const struct args *args, const char *verb,
	 many_each *each, void *arg, const char *done);

/* The counts and the change's number, as JSON. */
void many_json(struct site *site, const struct many *many);

void many_free(struct many *many);

#endif
