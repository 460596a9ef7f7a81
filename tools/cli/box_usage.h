/* SPDX-License-Identifier: MIT */
/* box_usage.h: how much mail a box may hold, and holds.
 */
#ifndef POPBOX_BOX_USAGE_H
#define POPBOX_BOX_USAGE_H

#include "accounts/site.h"
#include "base/json.h"

enum { BOX_USAGE_TEXT = 64 };

struct box_usage {
	struct maildirsize limit; /* what holds for it; 0: no limit */
	bool known;		  /* there is a limit, and used was found out: */
	struct maildirsize used;
};

/* In a body: the limit. Nothing is known of the rest. */
MUST_USE enum err box_usage_limit(struct store_txn *txn,
				  const struct store_box *box,
				  struct box_usage *ret_usage);

/* Outside of bodies, from a site with its helper: what it holds, by its file
 * maildirsize. From `over` percent on that is counted: deletions by POP are in no
 * file. What cannot be read is said, and is not known. */
void box_usage_look(const struct site *site, const struct name_box *box,
		    unsigned over, struct box_usage *usage);

/* Percent; 0 where it is not known. */
unsigned box_usage_percent(const struct box_usage *usage);

/* "500M, 10000 messages", or "none". */
void box_usage_text(const struct maildirsize *limit,
		    char ret_text[BOX_USAGE_TEXT]);

void box_usage_json(json_t *object, const struct box_usage *usage);

/* "90%" or "90", from 1 to 1000. Says what is wrong; returns the exit code. */
int box_usage_read_percent(const char *text, unsigned *ret_percent);

#endif
