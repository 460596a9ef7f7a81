/* SPDX-License-Identifier: MIT */
#include "columns.h"

#include <stdint.h>
#include <string.h>

#include "utf8.h"

/* The blocks that are drawn with another width; of Unicode's EastAsianWidth
 * and its marks those that names are made of. Not wcwidth(3), which knows
 * nothing in the locale of cron. */
static const struct {
	uint32_t first, last;
	size_t columns;
} blocks[] = {
	{0x300, 0x36f, 0},     {0x200b, 0x200d, 0},   {0x20d0, 0x20ff, 0},
	{0xfe00, 0xfe0f, 0},   {0x1100, 0x115f, 2},   {0x2e80, 0xa4cf, 2},
	{0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe30, 0xfe6f, 2},
	{0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1faff, 2},
	{0x20000, 0x3fffd, 2},
};

/* One letter, or a byte that is none; how many bytes. */
static size_t letter(const char *text, uint32_t *ret_letter)
{
	size_t bytes = utf8_letter(text, strnlen(text, 4), ret_letter);

	if (bytes == 0)
		*ret_letter = (unsigned char)text[0];
	return bytes ? bytes : 1;
}

static size_t width(uint32_t letter)
{
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		if (letter >= blocks[i].first && letter <= blocks[i].last)
			return blocks[i].columns;
	}
	return 1;
}

size_t columns_fit(const char *text, size_t columns)
{
	size_t at = 0, used = 0;

	while (text[at]) {
		uint32_t value;
		size_t bytes = letter(text + at, &value);

		used += width(value);
		if (used > columns)
			break;
		at += bytes;
	}
	return at;
}

size_t columns_of(const char *text)
{
	size_t columns = 0;

	while (*text) {
		uint32_t value;

		text += letter(text, &value);
		columns += width(value);
	}
	return columns;
}
