/* SPDX-License-Identifier: MIT */
#include "pg_array.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool more_bytes(struct pg_array *array, const void *bytes, size_t len)
{
	if (array->room - array->len < len) {
		size_t room = array->room ? array->room : 65536;
		char *more;

		while (room - array->len < len)
			room *= 2;
		more = malloc(room);
		if (!more)
			return false;
		if (array->len) {
			memcpy(more, array->bytes, array->len);
			explicit_bzero(array->bytes, array->len);
		}
		free(array->bytes);
		array->bytes = more;
		array->room = room;
	}
	if (len)
		memcpy(array->bytes + array->len, bytes, len);
	array->len += len;
	return true;
}

/* Dimensions, has NULLs, type, number of elements, first index. */
enum { ARRAY_HEAD = 20 };

static bool begin(struct pg_array *array)
{
	static const char head[ARRAY_HEAD];

	return array->len || more_bytes(array, head, sizeof head);
}

void pg_array_end(struct pg_array *array, uint32_t type, uint32_t count)
{
	const uint32_t head[] = {htonl(1), htonl(1), htonl(type), htonl(count),
				 htonl(1)};

	memcpy(array->bytes, head, sizeof head);
}

bool pg_array_put(struct pg_array *array, const void *bytes, size_t len)
{
	const uint32_t size = bytes ? htonl((uint32_t)len) : UINT32_MAX;

	return begin(array) && more_bytes(array, &size, sizeof size) &&
	       (!bytes || more_bytes(array, bytes, len));
}

void pg_array_empty(struct pg_array *array)
{
	if (array->len)
		explicit_bzero(array->bytes, array->len);
	array->len = 0;
}

void pg_array_free(struct pg_array *array)
{
	pg_array_empty(array);
	free(array->bytes);
	*array = (struct pg_array){NULL, 0, 0};
}
