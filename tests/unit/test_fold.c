/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <idn2.h>
#include <stdbool.h>

#include "store/fold.h"

/* fold_domain beside what libidn2 does, for all letters. */

static size_t put(uint32_t letter, char *text)
{
	const size_t more = letter >= 0x10000 ? 3
			    : letter >= 0x800 ? 2
					      : letter >= 0x80;
	static const unsigned char heads[] = {0, 0xc0, 0xe0, 0xf0};

	text[0] = (char)(heads[more] | letter >> 6 * more);
	for (size_t i = 0; i < more; i++)
		text[1 + i] = (char)(0x80 | (letter >> 6 * (more - 1 - i) &
					     0x3f));
	return more + 1;
}

/* As the store would have it; false: no domain. */
static bool stored(const char *text, char *ret_text, size_t room)
{
	char *ascii = NULL, *utf8 = NULL;
	bool good = idn2_to_ascii_8z(text, &ascii,
				     IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL |
					     IDN2_USE_STD3_ASCII_RULES) ==
			    IDN2_OK &&
		    idn2_to_unicode_8z8z(ascii, &utf8, 0) == IDN2_OK;

	if (good)
		(void)snprintf(ret_text, room, "%s", utf8);
	idn2_free(ascii);
	idn2_free(utf8);
	return good;
}

static void folds(const char *text, const char *want)
{
	char got[NAME_DOMAIN_MAX + 1];
	size_t len = 77;

	memset(got, 'x', sizeof got);
	assert_true(fold_domain(text, strlen(text), got, &len));
	assert_string_equal(got, want);
	assert_int_equal(len, strlen(want));
}

static void known(void **state)
{
	(void)state;
	folds("", "");
	folds("B\xc3\xbc" "cher.Example", "b\xc3\xbc" "cher.example");
	folds("B\xc3\x9c" "CHER", "b\xc3\xbc" "cher");
	folds("bu\xcc\x88" "cher", "b\xc3\xbc" "cher");
	folds("BU\xcc\x88" "CHER", "b\xc3\xbc" "cher");
	/* Two marks, in order, the other way, and half composed. */
	folds("e\xcc\xa3\xcc\x82", "\xe1\xbb\x87");
	folds("e\xcc\x82\xcc\xa3", "\xe1\xbb\x87");
	folds("\xc3\xaa\xcc\xa3", "\xe1\xbb\x87");
	folds("\xe1\xba\xb9\xcc\x82", "\xe1\xbb\x87");
	/* A second mark of the same class does not reach the letter. */
	folds("a\xcc\x95\xcc\x80", "a\xcc\x95\xcc\x80");
	folds("a\xcc\x80\xcc\x80", "\xc3\xa0\xcc\x80");
	/* Hangul from its parts, with and without a tail. */
	folds("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c");
	folds("\xe1\x84\x92\xe1\x85\xa1", "\xed\x95\x98");
	folds("\xed\x95\x98\xe1\x86\xab", "\xed\x95\x9c");
	folds("\xed\x95\x98\xe1\x86\xa7", "\xed\x95\x98\xe1\x86\xa7");
	/* Of East Asian width. */
	folds("\xef\xbd\x81\xef\xbc\xa2\xef\xbc\x91\xe3\x80\x82" "c",
	      "ab1.c");
}

static void none(void **state)
{
	static const char *const bad[] = {
		"\xff", "\x80", "\xc3", "a\xe2\x82", "\xf0\x9f\x98", "\xf8",
		"\xc3(", "\xe2\x28\xa1"};
	char got[NAME_DOMAIN_MAX + 1], text[NAME_DOMAIN_MAX + 2];
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(fold_domain(bad[i], strlen(bad[i]), got, &len));
	memset(text, 'x', sizeof text);
	assert_true(fold_domain(text, NAME_DOMAIN_MAX, got, &len));
	assert_int_equal(len, NAME_DOMAIN_MAX);
	assert_false(fold_domain(text, NAME_DOMAIN_MAX + 1, got, &len));
}

/* What is in the store stays; a capital becomes what libidn2 makes of it. Of
 * what libidn2 maps otherwise (signs, ligatures, other styles) nothing is
 * asked but that it is not taken for something else. */
static void every_letter(void **state)
{
	unsigned same = 0, mapped = 0, left = 0;

	(void)state;
	for (uint32_t letter = 0x80; letter < 0x30000; letter++) {
		char text[16] = "a", want[300], got[NAME_DOMAIN_MAX + 1];
		size_t len = 1;

		if (letter >= 0xd800 && letter < 0xe000)
			continue;
		len += put(letter, text + 1);
		text[len++] = 'b';
		text[len] = 0;
		if (!stored(text, want, sizeof want))
			continue;
		assert_true(fold_domain(text, len, got, &len));
		if (strcmp(text, want) == 0) {
			same++;
			assert_string_equal(got, want);
		} else if (strcmp(got, want) == 0) {
			mapped++;
		} else {
			left++;
			/* Then it is found as it is, or not at all. */
			if (strcmp(got, text) != 0) {
				char again[300];

				if (stored(got, again, sizeof again) &&
				    strcmp(again, want) != 0)
					fail_msg("U+%04X", letter);
			}
		}
	}
	print_message("# %u stay, %u are mapped, %u are left\n", same, mapped,
		      left);
	assert_true(same > 90000 && mapped > 1000);
}

/* Each letter of the store that comes apart is put together again. */
static void pairs(void **state)
{
	unsigned tried = 0;

	(void)state;
	for (uint32_t base = 'a'; base < 0x500; base++) {
		for (uint32_t mark = 0x300; mark < 0x346; mark++) {
			char text[16], want[300], got[NAME_DOMAIN_MAX + 1];
			size_t len = put(base, text);

			len += put(mark, text + len);
			text[len] = 0;
			if (!stored(text, want, sizeof want))
				continue;
			tried++;
			assert_true(fold_domain(text, len, got, &len));
			/* What is no small letter may be left. */
			if (strcmp(got, want) != 0 && strchr(want, '.') == NULL)
				assert_true(base >= 0x80 || mark >= 0x340);
		}
	}
	assert_true(tried > 10000);
}

/* Is there a letter with this mark? Only such marks are known to fold. */
static bool composes(uint32_t mark)
{
	for (uint32_t base = 'a'; base < 0x460; base++) {
		char text[16], want[300];
		size_t len = put(base, text), letters = 0;

		len += put(mark, text + len);
		text[len] = 0;
		if (!stored(text, want, sizeof want))
			continue;
		for (const char *at = want; *at; at++)
			letters += (*at & 0xc0) != 0x80;
		if (letters == 1)
			return true;
	}
	return false;
}

/* Any marks in any order, behind two letters. */
static void several(void **state)
{
	static const char letters[] = "aeouz";
	bool known[0x32e - 0x300];
	unsigned tried = 0;

	(void)state;
	for (uint32_t mark = 0x300; mark < 0x32e; mark++)
		known[mark - 0x300] = composes(mark);
	for (size_t i = 0; letters[i]; i++) {
		for (uint32_t one = 0x300; one < 0x32e; one++) {
			for (uint32_t two = 0x300; two < 0x32e; two++) {
				char text[32] = "", want[300];
				size_t len = put((uint32_t)letters[i], text);

				if (!known[one - 0x300] || !known[two - 0x300])
					continue;
				len += put(one, text + len);
				len += put(two, text + len);
				len += put('o', text + len);
				len += put(two, text + len);
				text[len] = 0;
				if (stored(text, want, sizeof want)) {
					folds(text, want);
					tried++;
				}
			}
		}
	}
	assert_true(tried > 1000);
}

/* By its formula, which is that of Unicode 3.12; what is beside its ranges is
 * left. */
static void hangul(void **state)
{
	(void)state;
	for (uint32_t lead = 0x10ff; lead <= 0x1113; lead++) {
		for (uint32_t vowel = 0x1160; vowel <= 0x1176; vowel++) {
			for (uint32_t tail = 0x11a7; tail <= 0x11c3; tail++) {
				const bool pair = lead >= 0x1100 &&
						  lead <= 0x1112 &&
						  vowel >= 0x1161 &&
						  vowel <= 0x1175;
				const bool three = pair && tail >= 0x11a8 &&
						   tail <= 0x11c2;
				const uint32_t made =
					0xac00 + ((lead - 0x1100) * 21 +
						  vowel - 0x1161) * 28;
				char text[32], want[32];
				size_t len = put(lead, text), n;

				len += put(vowel, text + len);
				len += put(tail, text + len);
				text[len] = 0;
				n = put(pair ? made : lead, want);
				if (three)
					n = put(made + tail - 0x11a7, want);
				if (!pair)
					n += put(vowel, want + n);
				if (!three)
					n += put(tail, want + n);
				want[n] = 0;
				folds(text, want);
			}
		}
	}
}

/* In bytes; and what grows when it is folded has to fit, too. */
static void lengths(void **state)
{
	char text[NAME_DOMAIN_MAX + 1], got[NAME_DOMAIN_MAX + 1];
	const char *const each[] = {"x", "\xc3\xbc", "\xe1\xbb\x87",
				    "\xf0\x90\x91\x83"};
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(each); i++) {
		const size_t size = strlen(each[i]);

		for (size_t n = 0; n + size <= NAME_DOMAIN_MAX; n += size)
			memcpy(text + n, each[i], size);
		len = NAME_DOMAIN_MAX / size * size;
		text[len] = 0;
		folds(text, text);
	}
	/* U+023A has two bytes, its small letter three. */
	for (size_t count = 84; count <= 85; count++) {
		for (size_t n = 0; n < count; n++)
			memcpy(text + 2 * n, "\xc8\xba", 2);
		assert_int_equal(fold_domain(text, 2 * count, got, &len),
				 count == 84);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("capitals, letters in parts and of other width are those "
		     "of the store",
		     known),
		SAYS("what is no UTF-8, or too long, is not folded", none),
		SAYS("each letter is what libidn2 makes of it, or is left",
		     every_letter),
		SAYS("a letter and a mark are what libidn2 makes of them",
		     pairs),
		SAYS("several marks are what libidn2 makes of them", several),
		SAYS("Hangul is composed as its formula says, and only within "
		     "its ranges",
		     hangul),
		SAYS("a domain of the longest length is folded, and none that "
		     "grows beyond it",
		     lengths),
	};

	return RUN(tests);
}
