/* nearest.h: did you mean another handle, domain, box or address?
 */
#ifndef POPBOX_NEAREST_H
#define POPBOX_NEAREST_H

#include "site.h"

/* After a "no": if the operand is a name, of whatever sort, that is not in the
 * open store, says which one of the store is written almost like it. Looks at
 * no more than some thousand that begin with the same letter. */
void nearest_name(struct site *site, const char *operand);

#endif
