/* names.h: texts, each once, numbered from 0 in the order in which they came.
 */
#ifndef POPBOX_NAMES_H
#define POPBOX_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names {
	char **name;
	size_t count, room;
	uint32_t *slot; /* number + 1; 0 = free */
	size_t slots;	/* a power of two */
};

/* The number of a text, which is added if it is new (then *ret_number is the old
 * count). False: no memory. */
bool names_add(struct names *names, const char *text, size_t *ret_number);

/* The number of a text that is one of them. */
bool names_find(const struct names *names, const char *text,
		size_t *ret_number);

/* Is it one of them? */
bool names_has(const struct names *names, const char *text);

void names_free(struct names *names);

#endif
