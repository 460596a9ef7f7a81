/* nearest.h: did you mean another handle, domain, box or address?
 */
#ifndef POPBOX_NEAREST_H
#define POPBOX_NEAREST_H

#include "site.h"

enum nearest {
	NEAREST_ANY,
	NEAREST_NEW,   /* an address to be added: its domain alone is meant */
	NEAREST_TARGET /* an address to lead to: one of another site is right */
};

/* After a "no": if the operand is a name, of whatever sort, that is not in the
 * open store, says which one of the store is written almost like it. Looks at
 * no more than some thousand that begin with the same letter. */
void nearest_name(struct site *site, const char *operand, enum nearest which);

/* After a list of what is below a handle or domain: if there is none of that
 * name, says so, since an empty list does not. NULL is no name. */
void nearest_absent(struct site *site, const char *name);

#endif
