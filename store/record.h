/* SPDX-License-Identifier: MIT */
/* record.h: values of the store as bytes, and back.
 *
 *	version (1)   body   checksum (8)
 *
 * Numbers are little-endian, a text is its length (2) and its bytes, nothing
 * is padded and no struct is written as it lies in memory. The checksum is
 * BLAKE2b over the key's length (2), the key and the bytes before it: LMDB
 * hands out a wrong value without an error after one flipped bit, and a right
 * value under a wrong key.
 *
 * A record is sticky: after a step that did not fit, every later step does
 * nothing, so a caller looks once, at record_seal or record_end. No memory is
 * taken; the bytes belong to the caller.
 */
#ifndef POPBOX_RECORD_H
#define POPBOX_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum {
	RECORD_SUM = 8,
	RECORD_FRAME = 1 + RECORD_SUM, /* what a record costs beside its body */
};

struct record {
	uint8_t *to;	     /* being written, else NULL */
	const uint8_t *from; /* being read, else NULL */
	size_t room;
	size_t at;
	uint8_t version; /* of the one being read */
	bool bad;
};

/* Begins a record in bytes[0..room). */
struct record record_new(uint8_t *bytes, size_t room, uint8_t version);

void record_put_u8(struct record *record, uint8_t value);
void record_put_u16(struct record *record, uint16_t value);
void record_put_u32(struct record *record, uint32_t value);
void record_put_u64(struct record *record, uint64_t value);
/* At most 65535 bytes. */
void record_put_bytes(struct record *record, const void *bytes, size_t len);
void record_put_text(struct record *record, const char *text);

/* Adds the checksum; *ret_len is the whole length. ERR_FULL if it did not
 * fit. */
MUST_USE enum err record_seal(struct record *record, const void *key,
			      size_t key_len, size_t *ret_len);

/* Opens bytes[0..len) after a look at checksum and version. ERR_DAMAGED for a
 * wrong checksum, ERR_SCHEMA for a right one under a version that is 0 or later
 * than this one. */
MUST_USE enum err record_open(const void *bytes, size_t len, const void *key,
			      size_t key_len, uint8_t version,
			      struct record *ret_record);

uint8_t record_get_u8(struct record *record);
uint16_t record_get_u16(struct record *record);
uint32_t record_get_u32(struct record *record);
uint64_t record_get_u64(struct record *record);
/* Zero or one, anything else makes the record bad. */
bool record_get_bool(struct record *record);
/* Copies at most room bytes and returns how many; more make it bad. */
size_t record_get_bytes(struct record *record, void *ret_bytes, size_t room);
/* The same as a NUL-ended text without a NUL inside; room counts the NUL. */
void record_get_text(struct record *record, char *ret_text, size_t room);

/* ERR_DAMAGED unless every byte of the body was read, and none too many. */
MUST_USE enum err record_end(const struct record *record);

#endif
