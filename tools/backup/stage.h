/* SPDX-License-Identifier: MIT */
/* stage.h: a store that is made beside the place where it shall be, and put
 * there whole, in one step.
 *
 * What is in its place by then is kept beside it, and never deleted. The copy
 * itself is DIR.popbox-restore; what a killed run left of it goes with the next.
 */
#ifndef POPBOX_STAGE_H
#define POPBOX_STAGE_H

#include <limits.h>
#include <stdbool.h>

struct stage {
	char place[PATH_MAX]; /* where the store shall be, links resolved */
	char path[PATH_MAX];  /* where it is made */
	char kept[PATH_MAX];  /* where that is which was in its place, or "" */
	bool there;	      /* is a store in its place? or what is left of one */
	int dir;	      /* of path */
	int lock;	      /* its publish.lock, while it is a stage */
	int old_lock;	      /* that of the store which is there */
	int gate;	      /* its directory, locked against writers */
};

/* Each says what is wrong and returns the exit code. */

/* Looks at the place alone: empty, or a store's, or refused. */
int stage_look(const char *dir, struct stage *ret_draft);

/* Makes an empty directory. Waits for nobody: another restore is in the way. */
int stage_start(struct stage *stage);

/* The file `name` of the stage, empty, for all to read; an open descriptor. */
int stage_file(const struct stage *stage, const char *name, int *ret_fd);

/* Waits for publishers and writers of the store that is there, and keeps them out:
 * writers until stage_put, publishers until stage_end. What is decided by looking
 * at that store is decided in between. Nothing where no store is. */
int stage_hold(struct stage *stage);

/* Puts the stage into its place. */
int stage_put(struct stage *stage);

/* What was not put is removed. */
void stage_end(struct stage *stage);

#endif
