/* SPDX-License-Identifier: MIT */
/* counters.h: which box numbers a store has given, for the store that takes its
 * place. A number that the new store does not know would be given again, with
 * somebody's mail in its Maildir.
 */
#ifndef POPBOX_COUNTERS_H
#define POPBOX_COUNTERS_H

#include "accounts/site.h"

/* The counters of the store in dir, which may be damaged: only a child reads it,
 * and what it could read counts. The caller keeps writers out. Nothing of a store
 * may be open.
 *
 * Each says what is wrong and returns the exit code. */
struct counters {
	struct store_handle *handle; /* only name and next_box; malloc'ed */
	size_t count, room;
};
int counters_read(const char *dir, struct counters *ret_counters);

/* Lets the counters of the open store pass them. A handle that it does not know is
 * added and deleted again, so that it goes on counting if it comes back. */
int counters_pass(struct site *site, struct counters *counters);

void counters_free(struct counters *counters);

#endif
