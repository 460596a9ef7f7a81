/* SPDX-License-Identifier: MIT */
/* strtab.h: texts, each once, numbered from 0 in the order in which they came.
 */
#ifndef POPBOX_STRTAB_H
#define POPBOX_STRTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strtab {
	char **name;
	size_t count, room;
	uint32_t *slot; /* number + 1; 0 = free */
	size_t slots;	/* a power of two */
};

/* The number of a text, which is added if it is new (then *ret_number is the old
 * count). False: no memory. */
bool strtab_add(struct strtab *names, const char *text, size_t *ret_number);

/* The number of a text that is one of them. */
bool strtab_find(const struct strtab *names, const char *text,
		 size_t *ret_number);

/* Is it one of them? */
bool strtab_has(const struct strtab *names, const char *text);

void strtab_free(struct strtab *names);

#endif
