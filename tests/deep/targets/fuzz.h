/* SPDX-License-Identifier: MIT */
/* fuzz.h: what the fuzzers share. Each target is one function over bytes; a
 * property that does not hold aborts, as a crash does.
 */
#ifndef POPBOX_FUZZ_H
#define POPBOX_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOLDS(property)                                                       \
	do {                                                                  \
		if (!(property)) {                                            \
			fprintf(stderr, "%s:%d: does not hold: %s\n",         \
				__FILE__, __LINE__, #property);               \
			abort();                                              \
		}                                                             \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes bytes off the front. */
static inline uint8_t fuzz_byte(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return 0;
	(*size)--;
	return *(*data)++;
}

/* A copy with a NUL behind it, on the heap so that a read beyond it is seen. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	HOLDS(text);
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	return text;
}

#endif
