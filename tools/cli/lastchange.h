/* SPDX-License-Identifier: MIT */
/* lastchange.h: what did the person who runs this change last?
 */
#ifndef POPBOX_LASTCHANGE_H
#define POPBOX_LASTCHANGE_H

#include "accounts/site.h"

/* The number of the first entry of the caller's last change of the store, which
 * is shown as messages: when, by which command, and its first entries. What
 * publishing noted is no change. Says why there is none. Returns the exit
 * code. */
int lastchange_show(struct site *site, uint64_t *ret_number);

#endif
