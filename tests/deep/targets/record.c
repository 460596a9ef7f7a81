/* SPDX-License-Identifier: MIT */
/* Records: what was put comes back; a changed byte, a cut or another key is
 * damage; rows with a right checksum over any body decode or do not, and what
 * decodes encodes to bytes of the same length that decode and encode to
 * themselves (letter case of names is lowered). */
#include "fuzz.h"

#include "store/pending.h"

static const uint8_t *at;
static size_t left;

static void round_trip(void)
{
	uint8_t bytes[600], got[256];
	struct record record = record_new(bytes, sizeof bytes, 7), back;
	uint8_t kind = fuzz_byte(&at, &left);
	uint8_t text_len = fuzz_byte(&at, &left);
	uint64_t number = 0x0123456789abcdefULL * (kind + 1u);
	size_t len, n = text_len < left ? text_len : left;

	record_put_u16(&record, (uint16_t)number);
	record_put_u32(&record, (uint32_t)number);
	record_put_u64(&record, number);
	record_put_bytes(&record, at, n);
	HOLDS(record_seal(&record, "key", 3, &len) == ERR_OK);
	HOLDS(record_open(bytes, len, "key", 3, 7, &back) == ERR_OK);
	HOLDS(record_get_u16(&back) == (uint16_t)number);
	HOLDS(record_get_u32(&back) == (uint32_t)number);
	HOLDS(record_get_u64(&back) == number);
	HOLDS(record_get_bytes(&back, got, sizeof got) == n);
	HOLDS(memcmp(got, at, n) == 0 && record_end(&back) == ERR_OK);
	HOLDS(record_open(bytes, len, "kez", 3, 7, &back) == ERR_DAMAGED);
	HOLDS(record_open(bytes, len, "key", 3, 6, &back) == ERR_SCHEMA);
	HOLDS(record_open(bytes, len, "key", 3, 8, &back) == ERR_OK);
	HOLDS(back.version == 7);
	HOLDS(record_open(bytes, len - 1, "key", 3, 7, &back) == ERR_DAMAGED);
	bytes[kind % len] ^= (uint8_t)(1 << (text_len & 7));
	HOLDS(record_open(bytes, len, "key", 3, 7, &back) == ERR_DAMAGED);
}

/* The rest of the input as a body, sealed under a key. */
static bool seal(const struct row_key *key, struct row *row)
{
	struct record record = record_new(row->bytes, sizeof row->bytes,
					  ROW_VERSION);

	for (size_t i = 0; i < left; i++)
		record_put_u8(&record, at[i]);
	return record_seal(&record, key->bytes, key->len, &row->len) == ERR_OK;
}

#define FIXPOINT(number, decode, encode, value)                               \
	if (which == (number) && decode(k, row_bytes(&row), &value) == ERR_OK) { \
		HOLDS(encode(&value, &again) == ERR_OK);                      \
		HOLDS(again.len == row.len);                                  \
		HOLDS(decode(k, row_bytes(&again), &value) == ERR_OK);        \
		HOLDS(encode(&value, &row) == ERR_OK);                        \
		HOLDS(row.len == again.len &&                                 \
		      memcmp(row.bytes, again.bytes, row.len) == 0);          \
	}

static void tables(uint8_t which)
{
	static const struct name_handle h = {"ex1"};
	static const struct name_domain d = {"example.com"};
	static const struct name_box b = {{"ex1"}, 7};
	static const struct name_address a = {{"joe"}, {"example.com"}};
	static struct store_handle handle;
	static struct store_domain domain;
	static struct store_account account;
	static struct store_address address;
	static struct parked parked;
	static struct store_entry entry;
	static struct row row, again;
	struct row_key key = which == 0   ? row_key_handle(&h)
			     : which == 1 ? row_key_domain(&d)
			     : which == 2 ? row_key_box(&b)
			     : which == 3 ? row_key_address(&a)
					  : row_key_number(9);
	struct db_bytes k = {key.bytes, key.len};

	if (!seal(&key, &row))
		return;
	FIXPOINT(0, handle_decode, handle_encode, handle);
	FIXPOINT(1, domain_decode, domain_encode, domain);
	FIXPOINT(2, box_decode, box_encode, account);
	FIXPOINT(3, address_decode, address_encode, address);
	if (which == 4 && parked_decode(k, row_bytes(&row), &parked) == ERR_OK)
		HOLDS(parked_encode(&key, &parked, &again) == ERR_OK &&
		      again.len == row.len);
	if (which == 5 && entry_decode(k, row_bytes(&row), &entry) == ERR_OK)
		HOLDS(entry.key_len <= sizeof entry.key &&
		      entry.before_len <= sizeof entry.before &&
		      entry.after_len <= sizeof entry.after);
}

/* The first bytes are the key, of a few that are right or of any form. */
static void works(void)
{
	static const char *const keys[] = {"ex1\0\0", "ex1\0\1ex1\0\0\0\0\7",
					   "ex1\0\2example.com",
					   "ex1\0\2example.com\0\0",
					   "ex1\0\3example.com\0joe"};
	static const size_t lens[] = {5, 13, 16, 18, 20};
	static struct store_pending pending;
	static struct row row, again;
	const uint8_t which = fuzz_byte(&at, &left) % 6;
	struct row_key key = {.len = which < 5 ? lens[which]
					       : fuzz_byte(&at, &left) % 64};

	if (which == 5 && key.len > left)
		return;
	memcpy(key.bytes, which < 5 ? (const void *)keys[which] : at, key.len);
	if (which == 5) {
		at += key.len;
		left -= key.len;
	}
	if (!seal(&key, &row) ||
	    pending_decode(row_key_bytes(&key), row_bytes(&row), &pending) !=
		    ERR_OK)
		return;
	HOLDS(pending_encode(&pending, &key, &again) == ERR_OK);
	HOLDS(again.len == row.len);
	HOLDS(memcmp(again.bytes, row.bytes, row.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record record;
	uint8_t which;

	at = data;
	left = size;
	HOLDS(record_open(data, size, "key", 3, 7, &record) != ERR_OK ||
	      record.room + RECORD_SUM == size);
	which = fuzz_byte(&at, &left) % 8;
	if (which == 7)
		round_trip();
	else if (which == 6)
		works();
	else
		tables(which);
	return 0;
}
