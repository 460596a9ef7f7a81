/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdbool.h>

#include "store/record.h"

static const char key[] = "key";

static size_t make(uint8_t *bytes, size_t room)
{
	struct record record = record_new(bytes, room, 1);
	size_t len = 0;

	record_put_u8(&record, 1);
	record_put_u16(&record, 0x1234);
	record_put_u32(&record, 0x12345678);
	record_put_u64(&record, 0x123456789abcdef0);
	record_put_text(&record, "text");
	assert_int_equal(record_seal(&record, BYTES(key), &len), ERR_OK);
	return len;
}

static void round_trip(void **state)
{
	uint8_t bytes[128];
	size_t len = make(bytes, sizeof bytes);
	struct record record;
	char text[8];

	(void)state;
	assert_int_equal(record_open(bytes, len, BYTES(key), 1, &record),
			 ERR_OK);
	assert_true(record_get_bool(&record));
	assert_int_equal(record_get_u16(&record), 0x1234);
	assert_int_equal(record_get_u32(&record), 0x12345678);
	assert_true(record_get_u64(&record) == 0x123456789abcdef0);
	record_get_text(&record, text, sizeof text);
	assert_string_equal(text, "text");
	assert_int_equal(record_end(&record), ERR_OK);
}

/* A byte that is neither is damage, though its checksum is right. */
static void neither(void **state)
{
	uint8_t bytes[32];

	(void)state;
	for (unsigned value = 0; value < 256; value++) {
		struct record record = record_new(bytes, sizeof bytes, 1);
		size_t len;

		record_put_u8(&record, (uint8_t)value);
		assert_int_equal(record_seal(&record, BYTES(key), &len),
				 ERR_OK);
		assert_int_equal(record_open(bytes, len, BYTES(key), 1,
					     &record),
				 ERR_OK);
		assert_int_equal(record_get_bool(&record), value == 1);
		assert_int_equal(record_end(&record),
				 value > 1 ? ERR_DAMAGED : ERR_OK);
	}
}

/* A text of four bytes and one of four with a NUL in each place. */
static void texts(void **state)
{
	uint8_t bytes[32], got[8];

	(void)state;
	for (size_t nul = 0; nul <= 4; nul++) {
		for (size_t room = 1; room <= 6; room++) {
			struct record record = record_new(bytes, sizeof bytes, 1);
			const bool fits = room > 4;
			char text[8] = "text", given[8];
			size_t len;

			text[nul] = 0;
			record_put_bytes(&record, text, 4);
			assert_int_equal(record_seal(&record, BYTES(key), &len),
					 ERR_OK);
			assert_int_equal(record_open(bytes, len, BYTES(key), 1,
						     &record),
					 ERR_OK);
			memset(given, 'x', sizeof given);
			record_get_text(&record, given, room);
			assert_int_equal(record_end(&record),
					 fits && nul == 4 ? ERR_OK : ERR_DAMAGED);
			assert_string_equal(given, fits ? text : "");
			assert_int_equal(given[room], 'x');
			/* As bytes, whatever they are. */
			assert_int_equal(record_open(bytes, len, BYTES(key), 1,
						     &record),
					 ERR_OK);
			memset(got, 'x', sizeof got);
			assert_int_equal(record_get_bytes(&record, got, room),
					 room >= 4 ? 4 : 0);
			assert_int_equal(record_end(&record),
					 room >= 4 ? ERR_OK : ERR_DAMAGED);
			if (room >= 4)
				assert_memory_equal(got, text, 4);
			assert_int_equal(got[room < 4 ? 0 : 4], 'x');
		}
	}
}

static void layout(void **state)
{
	uint8_t bytes[128];

	(void)state;
	assert_int_equal(make(bytes, sizeof bytes),
			 1 + 1 + 2 + 4 + 8 + 2 + 4 + RECORD_SUM);
	assert_int_equal(bytes[0], 1);
	assert_int_equal(bytes[2], 0x34);
	assert_int_equal(bytes[3], 0x12);
}

static void flips(void **state)
{
	uint8_t bytes[128];
	size_t len = make(bytes, sizeof bytes);
	struct record record;

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
			record_open(bytes, len, BYTES(key), 1, &record),
			ERR_DAMAGED);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(
			record_open(bytes, cut, BYTES(key), 1, &record),
			ERR_DAMAGED);
	assert_int_equal(record_open(bytes, len, BYTES("kez"), 1, &record),
			 ERR_DAMAGED);
}

/* A reader takes what is as old as itself or older. */
static void versions(void **state)
{
	uint8_t bytes[32];

	(void)state;
	for (unsigned of = 0; of < 256; of++) {
		for (unsigned reader = 1; reader < 3; reader++) {
			struct record record =
				record_new(bytes, sizeof bytes, (uint8_t)of);
			size_t len;

			assert_int_equal(record_seal(&record, BYTES(key), &len),
					 ERR_OK);
			assert_int_equal(record_open(bytes, len, BYTES(key),
						     (uint8_t)reader, &record),
					 of == 0 || of > reader ? ERR_SCHEMA
								: ERR_OK);
			if (of && of <= reader)
				assert_int_equal(record.version, of);
		}
	}
}

static void room(void **state)
{
	uint8_t bytes[16];
	struct record record = record_new(bytes, sizeof bytes, 1);
	static const uint8_t many[UINT16_MAX + 1];
	static uint8_t large[UINT16_MAX + 64];
	size_t len;

	(void)state;
	record_put_text(&record, "more than sixteen bytes");
	record_put_u8(&record, 1);
	assert_int_equal(record_seal(&record, BYTES(key), &len), ERR_FULL);
	/* Its length would not be the one that is said. */
	record = record_new(large, sizeof large, 1);
	record_put_bytes(&record, many, sizeof many);
	assert_int_equal(record_seal(&record, BYTES(key), &len), ERR_FULL);
}

static void leftovers(void **state)
{
	uint8_t bytes[128];
	size_t len = make(bytes, sizeof bytes);
	struct record record;
	char text[3];

	(void)state;
	assert_int_equal(record_open(bytes, len, BYTES(key), 1, &record),
			 ERR_OK);
	assert_int_equal(record_end(&record), ERR_DAMAGED);
	(void)record_get_u8(&record);
	(void)record_get_u16(&record);
	(void)record_get_u32(&record);
	(void)record_get_u64(&record);
	record_get_text(&record, text, sizeof text); /* does not fit */
	assert_int_equal(record_end(&record), ERR_DAMAGED);
}

/* A sealed row that no popbox has written: its text would be read shorter
 * than it is. */
static void text_with_nul(void **state)
{
	uint8_t bytes[64];
	struct record record = record_new(bytes, sizeof bytes, 1);
	char text[8];
	size_t len;

	(void)state;
	record_put_bytes(&record, "te\0xt", 5);
	assert_int_equal(record_seal(&record, BYTES(key), &len), ERR_OK);
	assert_int_equal(record_open(bytes, len, BYTES(key), 1, &record),
			 ERR_OK);
	record_get_text(&record, text, sizeof text);
	assert_int_equal(record_end(&record), ERR_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("a text fits with its end, and has no NUL in it", texts),
		SAYS("a switch that is neither 0 nor 1 is damage", neither),
		SAYS("what was put is got", round_trip),
		SAYS("a row of a later version is not read, of an earlier it is",
		     versions),
		SAYS("numbers are little-endian without padding", layout),
		SAYS("every flipped bit, cut and wrong key is found", flips),
		SAYS("what does not fit is refused at the seal", room),
		SAYS("bytes left over or missing are damage", leftovers),
		SAYS("a text with a NUL inside is damage", text_with_nul),
	};

	return RUN(tests);
}
