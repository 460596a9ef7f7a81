/* SPDX-License-Identifier: MIT */
/* change.h: one change of the store and what follows from it: the same way for
 * every command.
 */
#ifndef POPBOX_CHANGE_H
#define POPBOX_CHANGE_H

#include "accounts/site.h"
#include "base/json.h"

/* The options of every command that changes something. */
#define CHANGE_OPTIONS                                                        \
	{"--dry-run", NULL, "show what would change, change nothing"},        \
	{                                                                     \
		"--no-sync", NULL, "leave qmail's files to 'popbox sync'"     \
	}

/* Runs body in one transaction, commits, publishes. With site->dry_run prints
 * what it would change in the store and in the files instead. what is the
 * object, for messages. Returns the exit code; CODE_LATER may mean that the
 * store is changed and *ret_changed is then true. */
int change(struct site *site, store_body *body, void *arg, const char *what,
	   bool *ret_changed);

/* store_write with a commit, before which signals wait; with success an
 * interruption then says `then` (interrupt.h). Where there is a central database the
 * commit is there. */
MUST_USE enum err change_commit(struct site *site, store_body *body, void *arg,
				uint64_t *ret_last, const char *then);

/* After a commit whose last entry that is, 0 if it wrote none: site->entry
 * becomes the number of its first, by which `popbox undo` and `log` know the
 * change. */
void change_made(struct site *site, uint64_t last);

/* Prints what a change made, with its number as the member entry, null if
 * nothing had to be changed; releases the object. */
void change_print(struct site *site, json_t *object);

/* "change 17", unless the number was printed already. The last word of a run. */
void change_say(const struct site *site);

/* The body in a transaction that is given up: what does it count, what is in
 * its way? Says so; returns the exit code. */
int change_try(struct site *site, store_body *body, void *arg,
	       const char *what);

#endif
