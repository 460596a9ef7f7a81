/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <endian.h>
#include <sodium.h>
#include <string.h>

struct record record_new(uint8_t *bytes, size_t room, uint8_t version)
{
	struct record record = {.to = bytes, .room = room};

	record_put_u8(&record, version);
	return record;
}

/* Room for len more bytes to write, or NULL from then on. */
static uint8_t *claim(struct record *record, size_t len)
{
	uint8_t *place;

	if (record->bad || len > record->room - record->at) {
		record->bad = true;
		return NULL;
	}
	place = record->to + record->at;
	record->at += len;
	return place;
}

/* Inline, so that with a length that is known it is one store. */
static inline void put_number(struct record *record, uint64_t value, size_t len)
{
	uint8_t *place = claim(record, len);

	value = htole64(value);
	if (place)
		memcpy(place, &value, len);
}

void record_put_u8(struct record *record, uint8_t value)
{
	put_number(record, value, 1);
}

void record_put_u16(struct record *record, uint16_t value)
{
	put_number(record, value, 2);
}

void record_put_u32(struct record *record, uint32_t value)
{
	put_number(record, value, 4);
}

void record_put_u64(struct record *record, uint64_t value)
{
	put_number(record, value, 8);
}

void record_put_bytes(struct record *record, const void *bytes, size_t len)
{
	uint8_t *place;

	if (len > UINT16_MAX)
		record->bad = true;
	record_put_u16(record, (uint16_t)len);
	place = claim(record, len);
	if (place && len)
		memcpy(place, bytes, len);
}

void record_put_text(struct record *record, const char *text)
{
	record_put_bytes(record, text, strlen(text));
}

static void checksum(const uint8_t *bytes, size_t len, const void *key,
		     size_t key_len, uint8_t sum[RECORD_SUM])
{
	const uint8_t size[2] = {(uint8_t)key_len, (uint8_t)(key_len >> 8)};
	/* libsodium makes no shorter sum than 16 bytes; ours is its head. */
	uint8_t whole[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;

	(void)crypto_generichash_init(&state, NULL, 0, sizeof whole);
	(void)crypto_generichash_update(&state, size, sizeof size);
	(void)crypto_generichash_update(&state, key, key_len);
	(void)crypto_generichash_update(&state, bytes, len);
	(void)crypto_generichash_final(&state, whole, sizeof whole);
	memcpy(sum, whole, RECORD_SUM);
}

enum err record_seal(struct record *record, const void *key, size_t key_len,
		     size_t *ret_len)
{
	size_t body = record->at;
	uint8_t *place = claim(record, RECORD_SUM);

	if (!place)
		return ERR_FULL;
	checksum(record->to, body, key, key_len, place);
	*ret_len = record->at;
	return ERR_OK;
}

enum err record_open(const void *bytes, size_t len, const void *key,
		     size_t key_len, uint8_t version, struct record *ret_record)
{
	const uint8_t *from = bytes;
	uint8_t sum[RECORD_SUM];

	if (len < RECORD_FRAME)
		return ERR_DAMAGED;
	checksum(from, len - RECORD_SUM, key, key_len, sum);
	if (memcmp(sum, from + len - RECORD_SUM, RECORD_SUM) != 0)
		return ERR_DAMAGED;
	if (from[0] == 0 || from[0] > version)
		return ERR_SCHEMA;
	*ret_record = (struct record){.from = from,
				      .room = len - RECORD_SUM,
				      .at = 1,
				      .version = from[0]};
	return ERR_OK;
}

static const uint8_t *take(struct record *record, size_t len)
{
	const uint8_t *place;

	if (record->bad || len > record->room - record->at) {
		record->bad = true;
		return NULL;
	}
	place = record->from + record->at;
	record->at += len;
	return place;
}

static inline uint64_t get_number(struct record *record, size_t len)
{
	const uint8_t *place = take(record, len);
	uint64_t value = 0;

	if (place)
		memcpy(&value, place, len);
	return le64toh(value);
}

uint8_t record_get_u8(struct record *record)
{
	return (uint8_t)get_number(record, 1);
}

uint16_t record_get_u16(struct record *record)
{
	return (uint16_t)get_number(record, 2);
}

uint32_t record_get_u32(struct record *record)
{
	return (uint32_t)get_number(record, 4);
}

uint64_t record_get_u64(struct record *record)
{
	return get_number(record, 8);
}

bool record_get_bool(struct record *record)
{
	uint8_t value = record_get_u8(record);

	if (value > 1)
		record->bad = true;
	return value == 1;
}

size_t record_get_bytes(struct record *record, void *ret_bytes, size_t room)
{
	size_t len = record_get_u16(record);
	const uint8_t *place = take(record, len);

	if (!place)
		return 0;
	if (len > room) {
		record->bad = true;
		return 0;
	}
	if (len)
		memcpy(ret_bytes, place, len);
	return len;
}

void record_get_text(struct record *record, char *ret_text, size_t room)
{
	size_t len = record_get_bytes(record, ret_text, room - 1);

	ret_text[len] = 0;
	if (memchr(ret_text, 0, len))
		record->bad = true;
}

enum err record_end(const struct record *record)
{
	if (record->bad || record->at != record->room)
		return ERR_DAMAGED;
	return ERR_OK;
}
