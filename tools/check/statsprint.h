/* SPDX-License-Identifier: MIT */
/* statsprint.h: what was counted, as tables or as JSON.
 */
#ifndef POPBOX_STATSPRINT_H
#define POPBOX_STATSPRINT_H

#include "accounts/site.h"
#include "stats.h"

void statsprint(const struct site *site, const struct stats *stats);

#endif
