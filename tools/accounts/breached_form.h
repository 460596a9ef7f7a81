/* SPDX-License-Identifier: MIT */
/* breached_form.h: the bytes of a filter of breached passwords, popbox-breached(5).
 * Pure: nothing here opens a file.
 *
 *	header (256)   index (8 for each bucket, and one more)   buckets
 *
 * The first 64 bits of a SHA-1 sum, scaled to the range of the filter, are a bucket
 * and a place in it. A bucket has the distances between its places, in Rice codes.
 * Of n sums n places of n * 2^17 are taken: that is the share of false answers.
 */
#ifndef POPBOX_BREACHED_FORM_H
#define POPBOX_BREACHED_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/err.h"

enum {
	BREACHED_HEAD = 256,
	BREACHED_SOURCE = 128,
	BREACHED_INDEX = 8,
	BREACHED_BITS = 17,	    /* places for each sum, as a power of two */
	BREACHED_PLACES_BITS = 24,  /* of a bucket: 128 sums on average */
	BREACHED_BUCKET_MAX = 4096, /* bytes; 300 on average */
};

#define BREACHED_SCALE_MAX (UINT64_C(1) << 36)

struct breached_head {
	uint64_t scale;	  /* sums that it was made for, from 1 */
	uint64_t entries; /* places that are taken */
	uint64_t data;	  /* bytes of all buckets */
	uint64_t built;	  /* seconds since 1970 */
	char source[BREACHED_SOURCE]; /* the list's name, in ASCII */
};

void breached_head_write(const struct breached_head *head,
			 uint8_t ret_bytes[BREACHED_HEAD]);
/* NULL, or why it is none. */
MUST_USE const char *breached_head_read(const uint8_t bytes[BREACHED_HEAD],
					struct breached_head *ret_head);
/* Do these bytes begin as a filter does, whole or not? */
MUST_USE bool breached_head_begins(const uint8_t bytes[BREACHED_HEAD]);

static inline uint64_t breached_buckets(const struct breached_head *head)
{
	const unsigned shift = BREACHED_PLACES_BITS - BREACHED_BITS;

	return (head->scale + (UINT64_C(1) << shift) - 1) >> shift;
}

/* Where the buckets begin in the file. */
static inline uint64_t breached_data_at(const struct breached_head *head)
{
	return BREACHED_HEAD + (breached_buckets(head) + 1) * BREACHED_INDEX;
}

/* The first 64 bits of a sum, as a number: in the order of the sums. */
uint64_t breached_key(const unsigned char *sum);

struct breached_place {
	uint64_t bucket;
	uint32_t place; /* below 2^BREACHED_PLACES_BITS */
};

struct breached_place breached_place(const struct breached_head *head,
				     uint64_t key);

/* One entry of the index: where a bucket begins, from where buckets do, and the
 * checksum of its number and its bytes. */
struct breached_index {
	uint64_t at;  /* 40 bits */
	uint32_t sum; /* 24 bits */
};

void breached_index_write(const struct breached_index *index,
			  uint8_t ret_bytes[BREACHED_INDEX]);
struct breached_index breached_index_read(const uint8_t bytes[BREACHED_INDEX]);
uint32_t breached_sum(uint64_t bucket, const uint8_t *bytes, size_t len);

/* A bucket that is being made; it begins as zeros. */
struct breached_bucket {
	uint8_t bytes[BREACHED_BUCKET_MAX];
	size_t bits;
	uint32_t next; /* the least place that may follow */
};

/* Places in ascending order, each once. False: there is no room. */
MUST_USE bool breached_bucket_add(struct breached_bucket *bucket,
				  uint32_t place);
/* Fills the last byte up; returns how many there are. */
size_t breached_bucket_end(struct breached_bucket *bucket);

enum breached_answer {
	BREACHED_NO,
	BREACHED_YES,
	BREACHED_UNKNOWN, /* the filter is damaged or cannot be read */
};

/* Reads all of a bucket; *ret_count: its places. */
MUST_USE enum breached_answer breached_bucket_find(const uint8_t *bytes,
						   size_t len, uint32_t place,
						   uint32_t *ret_count);

#endif
