/* SPDX-License-Identifier: MIT */
/* handlemap.h: whose domains are, from a file of somebody's: a csv with the columns
 * domain and handle.
 */
#ifndef POPBOX_HANDLEMAP_H
#define POPBOX_HANDLEMAP_H

#include "base/strtab.h"
#include "store/name.h"

struct handlemap {
	struct strtab domains;	    /* as A-labels */
	struct name_handle *handle; /* of each */
};

/* Says what is wrong, with its line, and returns the exit code. Free it in any
 * case. */
int handlemap_read(const char *path, struct handlemap *ret_map);
void handlemap_free(struct handlemap *map);

/* NULL: the file does not name the domain. */
const struct name_handle *handlemap_find(const struct handlemap *map,
					 const struct name_domain *domain);

#endif
