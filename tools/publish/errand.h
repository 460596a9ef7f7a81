/* SPDX-License-Identifier: MIT */
/* errand.h: popusr's part of a plan: Maildirs, directories, .qmail files, made
 * and removed by the helper (asuser.h).
 *
 * A few are made one by one, each durable at once; many as mailroot_bulk.h
 * says. What fails is said, and marked in its item.
 */
#ifndef POPBOX_ERRAND_H
#define POPBOX_ERRAND_H

#include "accounts/site.h"
#include "plan.h"

/* More items than this to be made are many. */
#ifndef ERRAND_MANY
#define ERRAND_MANY 64
#endif

/* Why an item is pending for which this host waits (config.mailroot); is it this? */
#define ERRAND_AWAITED "the host that makes Maildirs has not made it yet"
bool errand_is_awaited(const char *why);

/* Maildirs, then directories, then files: one that names a Maildir which could
 * not be made waits for it. On true everything that did not fail is durable.
 * False: the helper is gone, or memory; said. A host that awaits only looks. */
bool errand_make(const struct site *site, struct plan *plan);

/* What was purged, when qmail knows nothing of it any more: files, then their
 * directories, then Maildirs. A directory with files made by hand stays. A host that
 * awaits leaves all of it to the one that makes. */
void errand_remove(const struct site *site, struct plan *plan);

#endif
