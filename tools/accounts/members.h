/* members.h: the boxes that have an address in one domain, each once, by name;
 * found by the domain's addresses, so that it costs what is found.
 */
#ifndef POPBOX_MEMBERS_H
#define POPBOX_MEMBERS_H

#include "store/store.h"

struct member {
	struct name_box box;
	struct name_local local; /* its best address in the domain (best.h) */
};

struct members {
	struct member *member; /* malloc'ed */
	size_t count, room;
};

/* From one snapshot; may be called again. ERR_SYSTEM: no memory. */
MUST_USE enum err members_collect(struct store_txn *txn,
				  const struct name_domain *domain,
				  struct members *members);

void members_free(struct members *members);

#endif
