/* SPDX-License-Identifier: MIT */
/* nearest.h: did you mean another handle, domain, box or address?
 */
#ifndef POPBOX_NEAREST_H
#define POPBOX_NEAREST_H

#include "accounts/site.h"

/* After a "no": if the operand is a name, of whatever sort, that is not in the
 * open store, says which one of the store is written almost like it. Looks at
 * no more than some thousand that begin with the same letter. */
void nearest_name(struct site *site, const char *operand);

/* The same of an address that another shall lead to: one of a domain that is not
 * in the store is no mistake. */
void nearest_target(struct site *site, const char *operand);

/* After a list of what is below a handle or domain: if there is none of that
 * name, says so, since an empty list does not. NULL is no name. */
void nearest_absent(struct site *site, const char *name);

#endif
