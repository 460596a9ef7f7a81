/* SPDX-License-Identifier: MIT */
/* draft.h: a store that is made beside the place where it shall be, and put
 * there whole, in one step.
 *
 * What is in its place by then is kept beside it, and never deleted. The draft
 * itself is DIR.popbox-restore; what a killed run left of it goes with the next.
 */
#ifndef POPBOX_DRAFT_H
#define POPBOX_DRAFT_H

#include <limits.h>
#include <stdbool.h>

struct draft {
	char place[PATH_MAX]; /* where the store shall be, links resolved */
	char path[PATH_MAX];  /* where it is made */
	char kept[PATH_MAX];  /* where that is which was in its place, or "" */
	bool there;	      /* is a store in its place? or what is left of one */
	int dir;	      /* of path */
	int lock;	      /* its publish.lock, while it is a draft */
	int old_lock;	      /* that of the store which is there */
	int gate;	      /* its directory, locked against writers */
};

/* Each says what is wrong and returns the exit code. */

/* Looks at the place alone: empty, or a store's, or refused. */
int draft_look(const char *dir, struct draft *ret_draft);

/* Makes an empty directory. Waits for nobody: another restore is in the way. */
int draft_start(struct draft *draft);

/* The file `name` of the draft, empty, for all to read; an open descriptor. */
int draft_file(const struct draft *draft, const char *name, int *ret_fd);

/* Waits for publishers and writers of the store that is there, and keeps them out:
 * writers until draft_put, publishers until draft_end. What is decided by looking
 * at that store is decided in between. Nothing where no store is. */
int draft_hold(struct draft *draft);

/* Puts the draft into its place. */
int draft_put(struct draft *draft);

/* What was not put is removed. */
void draft_end(struct draft *draft);

#endif
