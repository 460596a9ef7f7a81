/* SPDX-License-Identifier: MIT */
/* errand_private.h: what errand.c and errand_bulk.c have in common. */
#ifndef POPBOX_ERRAND_PRIVATE_H
#define POPBOX_ERRAND_PRIVATE_H

#include "base/progress.h"
#include "errand.h"
#include "maildir/maildirsize.h"

struct errand {
	const struct site *site;
	struct plan *plan;
	struct progress progress;
};

/* rc of popusr's work on an item, with the path that it is about. */
void errand_settle(const struct plan *plan, struct plan_item *item, int rc,
		   const char *path);

/* Is it popusr's to make? The directory of a domain that is parked, too: it may
 * have been deleted before it was ever published, and its files are made. */
bool errand_makes(const struct plan_item *item);

/* What its file maildirsize has as its limit, or "". */
void errand_limit(const struct plan_item *item,
		  char ret_text[MAILDIRSIZE_LINE]);

/* Renames what has moved to another handle. */
void errand_move(struct errand *errand);

/* Nothing is made in the place of what could not be renamed. */
bool errand_was_moved(const struct plan_item *item);

/* Is it an address whose Maildir could not be made? Then it fails, too. */
bool errand_waits_for_box(const struct plan *plan, struct plan_item *item);

/* Makes one. */
void errand_one(struct errand *errand, struct plan_item *item);

/* The items of one table that are to be made, one by one. */
void errand_each(struct errand *errand, enum store_table table);

/* Is it there, which another host makes? As errand_make. */
bool errand_look(struct errand *errand);

/* The helper is gone, or memory: says so. */
bool errand_stopped(const struct errand *errand, int rc);

/* The path of a box, a domain's directory or an address's file. */
void errand_path(const struct errand *errand, const struct plan_item *item,
		 char ret_path[PATH_MAX]);

/* As errand_make, for many. */
bool errand_bulk(struct errand *errand);

#endif
