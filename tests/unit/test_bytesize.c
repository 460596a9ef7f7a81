/* SPDX-License-Identifier: MIT */
/* Amounts of bytes, as people write them. */
#include "unit.h"

#include "base/bytesize.h"

#define KIB UINT64_C(1024)
#define REFUSED UINT64_MAX

static const struct {
	const char *text;
	uint64_t unit, bytes;
} cases[] = {
	{"0", 1, 0},
	{"500", 1, 500},
	{"500", KIB, 500 * KIB},
	{"500B", KIB, 500},
	{"500 b", KIB, 500},
	{"1K", 1, KIB},
	{"1k", 1, KIB},
	{"2KB", 1, 2 * KIB},
	{"2 kib", 1, 2 * KIB},
	{"2KIB", 1, 2 * KIB},
	{"2   M", 1, 2 * KIB * KIB},
	{"3G", KIB, 3 * KIB * KIB * KIB},
	{"1T", 1, KIB * KIB * KIB * KIB},
	{"1.5K", 1, 1536},
	{"1,5 GiB", 1, 3 * KIB * KIB * KIB / 2},
	{"1.25K", 1, 1280},
	{"1.125K", 1, 1152},
	{"1,25", KIB, 1280},
	{"0.5K", 1, 512},
	{"1.001K", 1, 1025},
	{"", KIB, 0},
	{"none", 1, 0},
	{"NONE", 1, 0},
	{"unlimited", 1, 0},
	{"NOQUOTA", 1, 0},
	{"-", 1, 0},
	{"-1", 1, 0},
	{"4503599627370495K", 1, UINT64_C(4503599627370495) * KIB},
	{"999999999999999999", 1, UINT64_C(999999999999999999)},
	/* Neither, too large, or of two meanings. */
	{"4503599627370496K", 1, REFUSED},
	{"1000000000000000000", 1, REFUSED},
	{"1,500", KIB, REFUSED},
	{"1.5", 1, REFUSED},
	{"1.5B", KIB, REFUSED},
	{"1.", KIB, REFUSED},
	{"1.K", 1, REFUSED},
	{"1.1234K", 1, REFUSED},
	{"K", 1, REFUSED},
	{".5K", 1, REFUSED},
	{"5P", 1, REFUSED},
	{"5KX", 1, REFUSED},
	{"5KBi", 1, REFUSED},
	{"5Bx", 1, REFUSED},
	{"-2", 1, REFUSED},
	{"+2", 1, REFUSED},
	{" 2", 1, REFUSED},
	{"2 K ", 1, REFUSED},
	{"nonex", 1, REFUSED},
};

static void all(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t got = 77;

		if (bytesize_read(cases[i].text, cases[i].unit, &got) !=
		    (cases[i].bytes != REFUSED))
			fail_msg("'%s'", cases[i].text);
		assert_int_equal(got, cases[i].bytes == REFUSED ? 0
								 : cases[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("each amount is what it says, or is refused", all),
	};

	return RUN(tests);
}
