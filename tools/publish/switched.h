/* SPDX-License-Identifier: MIT */
/* switched.h: the handles and boxes whose delivery was switched in what is pending.
 * Deleted addresses take part in it, and no table leads from a box to those: so
 * they are found in one walk over all, by asking here for each.
 */
#ifndef POPBOX_SWITCHED_H
#define POPBOX_SWITCHED_H

#include "store/store.h"

struct switched {
	struct switched_names {
		struct name_box *name; /* malloc'ed; a handle has number 0 */
		size_t count, room;
	} handles, boxes;
};

/* ERR_SYSTEM: no memory. */
MUST_USE enum err switched_handle(struct switched *switched,
				  const struct name_handle *handle);
MUST_USE enum err switched_box(struct switched *switched,
			       const struct name_box *box);

/* Before the first question, and after the last addition. */
void switched_sort(struct switched *switched);

bool switched_has_handle(const struct switched *switched,
			 const struct name_handle *handle);
bool switched_has_box(const struct switched *switched,
		      const struct name_box *box);

void switched_free(struct switched *switched);

#endif
