/* SPDX-License-Identifier: MIT */
/* fold.c: see fold.h; the algorithm is that of Unicode 3.11 and 3.12. */
#include "fold.h"

#include <stdint.h>

#include "fold_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Hangul is composed by its numbers. */
enum {
	HANGUL = 0xac00,
	LEADS = 0x1100,
	VOWELS = 0x1161,
	TAILS = 0x11a7,
	LEAD_COUNT = 19,
	VOWEL_COUNT = 21,
	TAIL_COUNT = 28,
	HANGUL_COUNT = LEAD_COUNT * VOWEL_COUNT * TAIL_COUNT,
};

/* A letter comes apart into four at most: a letter and three marks. */
enum { LETTERS = NAME_DOMAIN_MAX, PARTS = 4 * LETTERS };

static size_t read_letter(const unsigned char *at, size_t len,
			  uint32_t *ret_letter)
{
	const size_t more = at[0] >= 0xf0   ? 3
			    : at[0] >= 0xe0 ? 2
					    : at[0] >= 0x80;
	uint32_t letter = more ? at[0] & (0x3fu >> more) : at[0];

	if (more >= len || at[0] >= 0xf8 || (at[0] & 0xc0) == 0x80)
		return 0;
	for (size_t i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		letter = letter << 6 | (at[i] & 0x3fu);
	}
	*ret_letter = letter;
	return more + 1;
}

static uint32_t lower(uint32_t letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return letter + ('a' - 'A');
	for (size_t i = 0; i < COUNT(runs) && runs[i].first <= letter; i++) {
		if (letter <= runs[i].last &&
		    (letter - runs[i].first) % (uint32_t)runs[i].step == 0)
			return letter + (uint32_t)runs[i].added;
	}
	return letter;
}

static int order(uint32_t letter)
{
	for (size_t i = 0; i < COUNT(marks); i++) {
		if (marks[i].letter == letter)
			return marks[i].order;
	}
	return 0;
}

/* 0: these two are no one letter. */
static uint32_t compose(uint32_t base, uint32_t mark)
{
	const uint32_t tail = mark - TAILS, vowel = mark - VOWELS;

	if (base - LEADS < LEAD_COUNT && vowel < VOWEL_COUNT)
		return HANGUL + ((base - LEADS) * VOWEL_COUNT + vowel) *
					TAIL_COUNT;
	if (base - HANGUL < HANGUL_COUNT &&
	    (base - HANGUL) % TAIL_COUNT == 0 && tail - 1 < TAIL_COUNT - 1)
		return base + tail;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		if (pairs[i].base == base && pairs[i].mark == mark)
			return pairs[i].composed;
	}
	return 0;
}

/* Into its letter and its marks; Hangul stays, as it would come back. */
static size_t decompose(uint32_t letter, uint32_t *ret_parts)
{
	uint32_t marks_back[3];
	size_t count = 0, len = 0;

	for (size_t i = 0; i < COUNT(pairs) && letter >= 0x80; i++) {
		if (pairs[i].composed != letter || count == COUNT(marks_back))
			continue;
		marks_back[count++] = pairs[i].mark;
		letter = pairs[i].base;
		i = (size_t)-1; /* that may come apart again */
	}
	ret_parts[len++] = letter;
	while (count)
		ret_parts[len++] = marks_back[--count];
	return len;
}

/* Marks of other classes do not depend on how they were typed. */
static void sort_marks(uint32_t *parts, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t at = i; at > 0 && order(parts[at]) != 0 &&
				    order(parts[at - 1]) > order(parts[at]);
		     at--) {
			const uint32_t swapped = parts[at];

			parts[at] = parts[at - 1];
			parts[at - 1] = swapped;
		}
	}
}

/* In place; a mark that another of its class, or a letter, stands before does
 * not reach the letter. */
static size_t compose_all(uint32_t *parts, size_t count)
{
	size_t len = 0, starter = 0;
	int before = 0;

	for (size_t i = 0; i < count; i++) {
		const int class = order(parts[i]);
		uint32_t one = 0;

		if (len > starter && (len == starter + 1 || before < class))
			one = compose(parts[starter], parts[i]);
		if (one) {
			parts[starter] = one;
			continue;
		}
		if (class == 0)
			starter = len;
		before = class;
		parts[len++] = parts[i];
	}
	return len;
}

static bool write_letter(uint32_t letter, char *text, size_t *len)
{
	const size_t more = letter >= 0x10000 ? 3
			    : letter >= 0x800 ? 2
					      : letter >= 0x80;
	static const unsigned char heads[] = {0, 0xc0, 0xe0, 0xf0};

	if (*len + more + 1 > NAME_DOMAIN_MAX)
		return false;
	text[(*len)++] = (char)(heads[more] | letter >> 6 * more);
	for (size_t i = more; i-- > 0;)
		text[(*len)++] = (char)(0x80 | (letter >> 6 * i & 0x3f));
	return true;
}

bool fold_domain(const void *bytes, size_t len,
		 char ret_text[NAME_DOMAIN_MAX + 1], size_t *ret_len)
{
	const unsigned char *at = bytes;
	uint32_t parts[PARTS];
	size_t count = 0, got;

	if (len > LETTERS)
		return false;
	for (size_t done = 0; done < len; done += got) {
		uint32_t letter;

		got = read_letter(at + done, len - done, &letter);
		if (got == 0)
			return false;
		count += decompose(lower(letter), parts + count);
	}
	sort_marks(parts, count);
	count = compose_all(parts, count);
	*ret_len = 0;
	for (size_t i = 0; i < count; i++) {
		if (!write_letter(parts[i], ret_text, ret_len))
			return false;
	}
	ret_text[*ret_len] = 0;
	return true;
}
