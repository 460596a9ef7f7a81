/* SPDX-License-Identifier: MIT */
/* pg_array.h: the elements of one array parameter, in PostgreSQL's binary form. They
 * may be hashes: memory is wiped.
 */
#ifndef POPBOX_PG_ARRAY_H
#define POPBOX_PG_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_array {
	char *bytes;
	size_t len, room;
};

/* One more element, NULL where bytes are NULL. False: no memory. */
bool pg_array_put(struct pg_array *array, const void *bytes, size_t len);
/* The head before count elements of this type of pg_type: at least one was put. */
void pg_array_end(struct pg_array *array, uint32_t type, uint32_t count);
void pg_array_empty(struct pg_array *array);
void pg_array_free(struct pg_array *array);

#endif
