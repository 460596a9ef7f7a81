/* SPDX-License-Identifier: MIT */
/* unmanaged.h: .qmail files that somebody made by hand: lists, autoresponders.
 * They are nobody's but his: kept, shown, never overwritten unasked.
 */
#ifndef POPBOX_UNMANAGED_H
#define POPBOX_UNMANAGED_H

#include "accounts/site.h"

/* Prints those of a domain, on top of the list of its addresses: which
 * address each would be, or that qmail-local never reads it. Returns the exit
 * code. Without the helper nothing can be seen, and it says so. */
int unmanaged_list(struct site *site, const struct name_domain *domain);

#endif
