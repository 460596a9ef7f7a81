/* SPDX-License-Identifier: MIT */
/* usage.h: what a Maildir holds, by its file maildirsize, or counted where that
 * cannot be trusted. Works on the descriptor of the Maildir's directory, as its
 * user. Whoever reads mail there may have damaged all that lies in it, or put
 * links, pipes and directories there: none is followed, and none is written to.
 *
 * Nothing is locked, as the specification has it: of what is delivered while
 * another process counts, the new file may lack as many messages as are on their
 * way at that moment, until it is counted again.
 *
 * Counted are new and cur of the Maildir and of its folders, except Trash.
 */
#ifndef POPBOX_USAGE_H
#define POPBOX_USAGE_H

#include <time.h>

#include "maildirsize.h"

#define USAGE_FILE "maildirsize"

/* A fresh count is believed for so many seconds when it says that there is no room;
 * less long if something was moved or removed since. */
enum { USAGE_FRESH = 15 * 60 };

struct usage {
	struct maildirsize limit; /* what the file says of it; 0: nothing */
	struct maildirsize used;
	bool good;    /* used is what the file says; or was counted */
	bool counted; /* in this process */
	size_t lines; /* behind the first */
	struct timespec changed; /* the file's time */
	int fd;	      /* of the file, for usage_add; or -1 */
};

/* What the file says; good is false where it is missing, damaged, too long or no
 * file of this user's alone. 0, or an errno for which nobody can tell. The caller
 * closes it. */
int usage_open(int dir, struct usage *ret_usage);
void usage_close(struct usage *usage);

/* Counts what is there. 0, or an errno for which nobody can tell. */
int usage_count(int dir, struct maildirsize *ret_used);

/* Counts, and puts a new file in the place of the old one, on the disk if durable.
 * Where it cannot be written usage->fd is -1, and *ret_why, unless NULL, says why;
 * the count is good nevertheless. 0, or an errno as above. */
int usage_recount(int dir, const struct maildirsize *limit, bool durable,
		  struct usage *usage, int *ret_why);

/* Is it a count that still holds: nothing was added to it, it is young, and no
 * directory was changed since? */
bool usage_is_fresh(int dir, const struct usage *usage);

/* Adds what is delivered. An errno; ENOENT: there is no file to add it to. */
int usage_add(struct usage *usage, const struct maildirsize *more);

#endif
