/* SPDX-License-Identifier: MIT */
#include "pairs.h"

#include <stdlib.h>
#include <string.h>

bool pairs_add(struct pairs *pairs, const char *key, const char *value)
{
	struct pair new = {.key = pairs->bytes.len};

	if (pairs->count == pairs->room) {
		size_t room = pairs->room ? pairs->room * 2 : 64;
		struct pair *more =
			reallocarray(pairs->pair, room, sizeof *more);

		if (!more)
			return false;
		pairs->pair = more;
		pairs->room = room;
	}
	if (!text_put(&pairs->bytes, key, strlen(key) + 1))
		return false;
	new.value = pairs->bytes.len;
	if (!text_put(&pairs->bytes, value, strlen(value) + 1))
		return false;
	pairs->pair[pairs->count++] = new;
	return true;
}

static int by_key(const void *a, const void *b, void *arg)
{
	const struct pair *x = a, *y = b;
	const char *bytes = arg;
	int order = strcmp(bytes + x->key, bytes + y->key);

	return order ? order : (x->key > y->key) - (x->key < y->key);
}

void pairs_sort(struct pairs *pairs)
{
	size_t kept = 0;

	if (pairs->count)
		qsort_r(pairs->pair, pairs->count, sizeof *pairs->pair, by_key,
			pairs->bytes.bytes);
	for (size_t i = 0; i < pairs->count; i++) {
		if (!kept || strcmp(pairs_key(pairs, kept - 1),
				    pairs_key(pairs, i)) != 0)
			pairs->pair[kept++] = pairs->pair[i];
	}
	pairs->count = kept;
}

bool pairs_has(const struct pairs *pairs, const char *key)
{
	size_t low = 0, high = pairs->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(key, pairs_key(pairs, middle));

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

void pairs_free(struct pairs *pairs)
{
	free(pairs->bytes.bytes);
	free(pairs->pair);
	*pairs = (struct pairs){.count = 0};
}

bool pairs_compare(const struct pairs *is, const struct pairs *was,
		   pairs_differs *each, void *arg)
{
	size_t i = 0, w = 0;
	bool same = true;

	while (i < is->count || w < was->count) {
		const int order = i == is->count    ? 1
				  : w == was->count ? -1
						    : strcmp(pairs_key(is, i),
							     pairs_key(was, w));
		const bool alike = order == 0 && strcmp(pairs_value(is, i),
							pairs_value(was, w)) == 0;

		if (order > 0)
			each(arg, '-', pairs_key(was, w));
		else if (!alike)
			each(arg, '+', pairs_key(is, i));
		same = same && alike;
		i += order <= 0;
		w += order >= 0;
	}
	return same;
}
