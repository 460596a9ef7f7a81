/* SPDX-License-Identifier: MIT */
/* relocate.h: settings that say where mail is, whose it is, and where qmail is.
 * popbox moves nothing when one changes, so it says first what has to be moved.
 */
#ifndef POPBOX_RELOCATE_H
#define POPBOX_RELOCATE_H

#include "accounts/site.h"
#include "args.h"

/* Before the setting key becomes value, which is good for it: asks, where a
 * store with boxes or domains has files that would not be found any more.
 * Returns the exit code; CODE_DONE at once for any other setting. */
int relocate_confirm(struct site *site, const struct args *args,
		     const char *key, const char *value);

#endif
