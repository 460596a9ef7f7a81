/* SPDX-License-Identifier: MIT */
/* pairs.h: keys with values, as a map has them. Pure.
 */
#ifndef POPBOX_PAIRS_H
#define POPBOX_PAIRS_H

#include "base/text.h"

/* Keys with values, in order when sorted. */
struct pairs {
	struct text bytes; /* each text with a NUL */
	struct pair {
		size_t key, value; /* where they are in bytes */
	} * pair;
	size_t count, room;
};

/* False: no memory. */
bool pairs_add(struct pairs *pairs, const char *key, const char *value);
/* Sorts them; of the same key the first that was added stays. */
void pairs_sort(struct pairs *pairs);
/* Of sorted ones. */
bool pairs_has(const struct pairs *pairs, const char *key);
void pairs_free(struct pairs *pairs);
static inline const char *pairs_key(const struct pairs *pairs, size_t i)
{
	return pairs->bytes.bytes + pairs->pair[i].key;
}
static inline const char *pairs_value(const struct pairs *pairs, size_t i)
{
	return pairs->bytes.bytes + pairs->pair[i].value;
}

/* Of sorted ones: calls each with '+' or '-' for a key that is to come or to go; one
 * that gets another value comes. True: they are the same. */
typedef void pairs_differs(void *arg, char sign, const char *key);
bool pairs_compare(const struct pairs *is, const struct pairs *was,
		   pairs_differs *each, void *arg);

#endif
