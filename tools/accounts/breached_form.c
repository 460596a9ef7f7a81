/* SPDX-License-Identifier: MIT */
#include "breached_form.h"

#include <endian.h>
#include <string.h>

#include "store/secret.h"

static const char magic[16] = "popbox-breached\n"; /* fills it, without a NUL */

enum {
	VERSION = 1,
	AT_VERSION = 16,
	AT_BITS = 20,
	AT_SCALE = 24,
	AT_ENTRIES = 32,
	AT_DATA = 40,
	AT_BUILT = 48,
	AT_SOURCE = 56,
	AT_SUM = BREACHED_HEAD - SECRET_DIGEST,
	BUCKET_SUM_BITS = 24,
	PLACES = 1 << BREACHED_PLACES_BITS,
};

static void put32(uint8_t *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof value);
}

static void put64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof value);
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return le32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof value);
	return le64toh(value);
}

/* Against damage, not against people: the key is no secret. */
static void digest(const uint8_t number[8], const uint8_t *bytes, size_t len,
		   unsigned char ret_sum[SECRET_DIGEST])
{
	static const unsigned char key[SECRET_KEY] = "popbox-breached";
	const struct secret_part parts[] = {{number, 8}, {bytes, len}};

	secret_digest(key, parts, 2, ret_sum);
}

void breached_head_write(const struct breached_head *head,
			 uint8_t ret_bytes[BREACHED_HEAD])
{
	memset(ret_bytes, 0, BREACHED_HEAD);
	memcpy(ret_bytes, magic, sizeof magic);
	put32(ret_bytes + AT_VERSION, VERSION);
	put32(ret_bytes + AT_BITS, BREACHED_BITS);
	put64(ret_bytes + AT_SCALE, head->scale);
	put64(ret_bytes + AT_ENTRIES, head->entries);
	put64(ret_bytes + AT_DATA, head->data);
	put64(ret_bytes + AT_BUILT, head->built);
	memcpy(ret_bytes + AT_SOURCE, head->source, BREACHED_SOURCE);
	digest(ret_bytes + AT_SCALE, ret_bytes, AT_SUM, ret_bytes + AT_SUM);
}

bool breached_head_begins(const uint8_t bytes[BREACHED_HEAD])
{
	return memcmp(bytes, magic, sizeof magic) == 0;
}

static bool is_source(const char *text)
{
	const char *end = memchr(text, 0, BREACHED_SOURCE);

	for (; end && text < end; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return end != NULL;
}

const char *breached_head_read(const uint8_t bytes[BREACHED_HEAD],
			       struct breached_head *ret_head)
{
	unsigned char sum[SECRET_DIGEST];
	struct breached_head head;

	if (!breached_head_begins(bytes))
		return "it is no filter of breached passwords";
	digest(bytes + AT_SCALE, bytes, AT_SUM, sum);
	if (memcmp(sum, bytes + AT_SUM, sizeof sum) != 0)
		return "its header is damaged";
	if (get32(bytes + AT_VERSION) != VERSION ||
	    get32(bytes + AT_BITS) != BREACHED_BITS)
		return "it is of another version of popbox";
	head = (struct breached_head){.scale = get64(bytes + AT_SCALE),
				      .entries = get64(bytes + AT_ENTRIES),
				      .data = get64(bytes + AT_DATA),
				      .built = get64(bytes + AT_BUILT)};
	memcpy(head.source, bytes + AT_SOURCE, BREACHED_SOURCE);
	if (head.scale == 0 || head.scale > BREACHED_SCALE_MAX ||
	    head.entries > head.scale || head.built > INT64_MAX ||
	    head.data > breached_buckets(&head) * BREACHED_BUCKET_MAX ||
	    !is_source(head.source))
		return "its header is damaged";
	*ret_head = head;
	return NULL;
}

uint64_t breached_key(const unsigned char *sum)
{
	uint64_t key;

	memcpy(&key, sum, sizeof key);
	return be64toh(key);
}

struct breached_place breached_place(const struct breached_head *head,
				     uint64_t key)
{
	const uint64_t range = head->scale << BREACHED_BITS;
	const uint64_t value =
		(uint64_t)((unsigned __int128)key * range >> 64);

	return (struct breached_place){value >> BREACHED_PLACES_BITS,
				       (uint32_t)(value % PLACES)};
}

void breached_index_write(const struct breached_index *index,
			  uint8_t ret_bytes[BREACHED_INDEX])
{
	put64(ret_bytes, index->at << BUCKET_SUM_BITS | index->sum);
}

struct breached_index breached_index_read(const uint8_t bytes[BREACHED_INDEX])
{
	const uint64_t both = get64(bytes);

	return (struct breached_index){
		both >> BUCKET_SUM_BITS,
		(uint32_t)(both % (1 << BUCKET_SUM_BITS))};
}

uint32_t breached_sum(uint64_t bucket, const uint8_t *bytes, size_t len)
{
	unsigned char sum[SECRET_DIGEST];
	uint8_t number[8];

	put64(number, bucket);
	digest(number, bytes, len, sum);
	return get32(sum) % (1 << BUCKET_SUM_BITS);
}

/* At most 24 bits, the highest first, into bytes that are 0. */
static void put_bits(struct breached_bucket *bucket, uint32_t value, unsigned n)
{
	const size_t at = bucket->bits / 8, used = bucket->bits % 8;
	const uint32_t word = value << (32 - n - used);

	for (size_t i = 0; i * 8 < n + used; i++)
		bucket->bytes[at + i] |= (uint8_t)(word >> (24 - 8 * i));
	bucket->bits += n;
}

bool breached_bucket_add(struct breached_bucket *bucket, uint32_t place)
{
	const uint32_t gap = place - bucket->next;
	uint32_t ones = gap >> BREACHED_BITS;

	/* And the byte that breached_bucket_end fills. */
	if (bucket->bits + ones + 1 + BREACHED_BITS >
	    (size_t)8 * (BREACHED_BUCKET_MAX - 1))
		return false;
	for (; ones >= 16; ones -= 16)
		put_bits(bucket, 0xffff, 16);
	put_bits(bucket, (UINT32_C(1) << (ones + 1)) - 2, ones + 1);
	put_bits(bucket, gap % (1 << BREACHED_BITS), BREACHED_BITS);
	bucket->next = place + 1;
	return true;
}

size_t breached_bucket_end(struct breached_bucket *bucket)
{
	const unsigned left = (unsigned)(-bucket->bits % 8);

	if (left) /* no number ends in ones alone */
		put_bits(bucket, (UINT32_C(1) << left) - 1, left);
	return bucket->bits / 8;
}

/* Bits of a bucket, from one on; beyond its end there are ones. */
static uint32_t get_bits(const uint8_t *bytes, size_t len, size_t bit,
			 unsigned n)
{
	uint32_t word = 0;

	for (size_t i = bit / 8; i < bit / 8 + 4; i++)
		word = word << 8 | (i < len ? bytes[i] : 0xff);
	return word << bit % 8 >> (32 - n);
}

enum breached_answer breached_bucket_find(const uint8_t *bytes, size_t len,
					  uint32_t place, uint32_t *ret_count)
{
	enum breached_answer answer = BREACHED_NO;
	uint32_t next = 0, count = 0;
	size_t bit = 0;

	for (;;) {
		uint32_t ones = 0;

		while (bit < 8 * len && get_bits(bytes, len, bit, 1)) {
			bit++;
			ones++;
		}
		if (bit == 8 * len && ones < 8)
			break; /* what fills the last byte */
		bit++;
		if (bit + BREACHED_BITS > 8 * len ||
		    ones >> (BREACHED_PLACES_BITS - BREACHED_BITS))
			return BREACHED_UNKNOWN;
		next += ones << BREACHED_BITS |
			get_bits(bytes, len, bit, BREACHED_BITS);
		bit += BREACHED_BITS;
		if (next >= PLACES)
			return BREACHED_UNKNOWN;
		if (next == place)
			answer = BREACHED_YES;
		next++;
		count++;
	}
	*ret_count = count;
	return answer;
}
