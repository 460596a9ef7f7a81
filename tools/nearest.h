/* nearest.h: did you mean another domain?
 */
#ifndef POPBOX_NEAREST_H
#define POPBOX_NEAREST_H

#include "site.h"

/* After a "no": if the operand is a domain, or an address of one, that is not
 * in the open store, says which domain of the store is written almost like it.
 * Looks at no more than some thousand that begin with the same letter. */
void nearest_domain(struct site *site, const char *operand);

#endif
