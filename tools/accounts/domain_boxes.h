/* SPDX-License-Identifier: MIT */
/* domain_boxes.h: the boxes that have an address in one domain, each once, by name;
 * found by the domain's addresses, so that it costs what is found.
 */
#ifndef POPBOX_DOMAIN_BOXES_H
#define POPBOX_DOMAIN_BOXES_H

#include "store/store.h"

struct domain_box {
	struct name_box box;
	struct name_local local; /* its best address in the domain (best.h) */
};

struct domain_boxes {
	struct domain_box *member; /* malloc'ed */
	size_t count, room;
};

/* From one snapshot; may be called again. ERR_SYSTEM: no memory. */
MUST_USE enum err domain_boxes_collect(struct store_txn *txn,
				       const struct name_domain *domain,
				       struct domain_boxes *members);

void domain_boxes_free(struct domain_boxes *members);

#endif
