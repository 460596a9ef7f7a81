/* SPDX-License-Identifier: MIT */
/* publish.h: making qmail's files say what the store says.
 *
 * What it does not say yet has rows in the store's table of pending work, made
 * by each change. They are carried out in the order of steps.h, Maildirs,
 * directories and .qmail files by popusr; a row goes when it is done, last, unless
 * its object was changed again meanwhile. Every step is idempotent, so a crash
 * anywhere costs nothing but doing it again. What cannot be done is said, keeps its
 * row, with why, and does not stop the rest; of a handle for which something failed
 * no new domain is accepted.
 *
 * Much is carried out in parts (plan.h), the rows of each dropped after it, so that
 * a run that was killed goes on where it was. All that happens to qmail's own
 * files, but for closing, and all removals wait for the last pass, which is made
 * of the rows that are left: a domain's row stands before those of its addresses.
 */
#ifndef POPBOX_PUBLISH_H
#define POPBOX_PUBLISH_H

#include "accounts/site.h"

/* Publishes what is pending, what failed before included, or with full everything,
 * and tells all that fails. Another publisher at work: leaves it to that one,
 * says so. Returns the exit code. */
int publish(struct site *site, bool full);

/* The same after a change of which last is the last entry, 0 if it has none.
 * What failed before is left to the above. What becomes of the change's own
 * entries is told, and is the exit code; all else that failed is one line. */
int publish_change(struct site *site, uint64_t last);

/* The same after a change of passwords alone, of which no file says anything without
 * the setting dovecot_dir: then it waits for nobody. */
int publish_passwords(struct site *site, uint64_t last);

#endif
