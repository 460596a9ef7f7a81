/* SPDX-License-Identifier: MIT */
/* takedown.h: a domain with all that is in it.
 */
#ifndef POPBOX_TAKEDOWN_H
#define POPBOX_TAKEDOWN_H

#include "accounts/references.h"

struct takedown {
	struct name_domain name;
	bool keep_boxes;
	unsigned long addresses, boxes; /* how many went */
	struct references references;	/* elsewhere, to what was deleted */
};

#define KEEP_BOXES_OPTION                                                     \
	{"--keep-boxes", NULL,                                                \
	 "keep the boxes that no address leads to any more"}

/* Deletes its addresses, the boxes that no address leads to any more unless
 * they are kept, and the domain: a store_body, arg is a struct takedown. */
store_body takedown_domain;

#endif
