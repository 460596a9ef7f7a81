/* SPDX-License-Identifier: MIT */
/* repassword.h: new passwords for all boxes that fit a filter, popbox-passwd(8):
 * made here, hashed on all cores, written to a new file before the store is
 * changed, and set in one transaction.
 */
#ifndef POPBOX_REPASSWORD_H
#define POPBOX_REPASSWORD_H

#include "accounts/site.h"
#include "args.h"

/* `popbox passwd` with the options of a filter. Returns the exit code. */
int repassword(struct site *site, const struct args *args);

#endif
