/* SPDX-License-Identifier: MIT */
/* writeset.h: rows on their way between the store and the central database: in
 * memory, and beyond 64 MiB in a file without a name. They may hold hashes: memory
 * is wiped, and root alone can read the file.
 */
#ifndef POPBOX_WRITESET_H
#define POPBOX_WRITESET_H

#include "store_whole.h"

#ifndef WRITESET_MEMORY
#define WRITESET_MEMORY (64 << 20) /* bytes */
#endif

struct store_writeset;

/* dir, the store's directory, must outlive it. ERR_SYSTEM. */
MUST_USE enum err store_writeset_new(const char *dir,
				     struct store_writeset **ret_set);
/* Accepts NULL; leaves NULL. */
void store_writeset_free(struct store_writeset **set);
void store_writeset_clear(struct store_writeset *set);

/* A copy of it; row NULL: there is none under this key any more. ERR_FULL,
 * ERR_SYSTEM. */
MUST_USE enum err store_writeset_add(struct store_writeset *set,
				     const struct store_raw *raw);
uint64_t store_writeset_count(const struct store_writeset *set);

/* In the order in which they came; may be asked again. */
MUST_USE enum err store_writeset_each(const struct store_writeset *set,
				      store_sink *sink, void *arg);

#endif
