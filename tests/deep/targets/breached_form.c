/* SPDX-License-Identifier: MIT */
/* The bytes of a filter that anybody wrote: a header that is read stays in its
 * range, a bucket is read as bit by bit; and what is written is read again. */
#include "fuzz.h"

#include "accounts/breached_form.h"

static void header(const uint8_t *data, size_t size)
{
	uint8_t bytes[BREACHED_HEAD] = {0};
	struct breached_head head = {0}, again;
	const char *why;

	memcpy(&head, data, size < sizeof head ? size : sizeof head);
	breached_head_write(&head, bytes); /* sealed, whatever it has */
	why = breached_head_read(bytes, &again);
	if (!why) {
		HOLDS(again.scale && again.scale <= BREACHED_SCALE_MAX);
		HOLDS(again.entries <= again.scale);
		HOLDS(strlen(again.source) < BREACHED_SOURCE);
		HOLDS(breached_data_at(&again) + again.data < INT64_MAX);
		HOLDS(breached_place(&again, UINT64_MAX).bucket <
		      breached_buckets(&again));
	}
	memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
	why = breached_head_read(bytes, &again);
	HOLDS(why || breached_head_begins(bytes));
}

static unsigned bit_of(const uint8_t *bytes, size_t bit)
{
	return bytes[bit / 8] >> (7 - bit % 8) & 1;
}

/* How many places there are; -1: it is none. */
static long read_plainly(const uint8_t *bytes, size_t len, uint32_t place,
			 bool *ret_found)
{
	uint64_t next = 0;
	long count = 0;
	size_t bit = 0;

	*ret_found = false;
	for (;;) {
		size_t ones = 0;
		uint64_t low = 0;

		while (bit < 8 * len && bit_of(bytes, bit)) {
			bit++;
			ones++;
		}
		if (bit == 8 * len)
			return ones < 8 ? count : -1;
		bit++;
		if (bit + BREACHED_BITS > 8 * len)
			return -1;
		for (int i = 0; i < BREACHED_BITS; i++)
			low = low << 1 | bit_of(bytes, bit++);
		next += ((uint64_t)ones << BREACHED_BITS) + low;
		if (next >> BREACHED_PLACES_BITS)
			return -1;
		*ret_found = *ret_found || next == place;
		next++;
		count++;
	}
}

static void bucket(const uint8_t *data, size_t size, uint32_t place)
{
	uint8_t *bytes = malloc(size + 1); /* not one more is read */
	uint32_t count = 0;
	bool found;
	long plain;

	HOLDS(bytes);
	bytes = realloc(bytes, size ? size : 1);
	HOLDS(bytes);
	memcpy(bytes, data, size);
	plain = read_plainly(bytes, size, place, &found);
	switch (breached_bucket_find(bytes, size, place, &count)) {
	case BREACHED_UNKNOWN:
		HOLDS(plain < 0);
		break;
	case BREACHED_YES:
		HOLDS(plain == count && found);
		break;
	case BREACHED_NO:
		HOLDS(plain == count && !found);
		break;
	}
	free(bytes);
}

static void again(const uint8_t *data, size_t size)
{
	struct breached_bucket made = {.bits = 0};
	uint32_t place = 0, count = 0, wanted = 0;
	size_t len;

	for (; size >= 3; data += 3, size -= 3) {
		place += (uint32_t)data[0] << 12 | (uint32_t)data[1] << 4 |
			 (data[2] & 15);
		if (place >> BREACHED_PLACES_BITS ||
		    !breached_bucket_add(&made, place))
			break;
		wanted++;
		place++;
	}
	len = breached_bucket_end(&made);
	HOLDS(len <= BREACHED_BUCKET_MAX);
	HOLDS(breached_bucket_find(made.bytes, len, made.next - 1, &count) ==
	      (wanted ? BREACHED_YES : BREACHED_NO));
	HOLDS(count == wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t how = fuzz_byte(&data, &size);
	const uint32_t place = (uint32_t)fuzz_byte(&data, &size) << 16 |
			       (uint32_t)fuzz_byte(&data, &size) << 8 |
			       fuzz_byte(&data, &size);

	if (how % 3 == 0)
		header(data, size);
	else if (how % 3 == 1)
		bucket(data, size, place);
	else
		again(data, size);
	return 0;
}
