/* SPDX-License-Identifier: MIT */
#include "utf8.h"

size_t utf8_letter(const char *at, size_t len, uint32_t *ret_letter)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	const unsigned char *byte = (const unsigned char *)at;
	size_t more;
	uint32_t value;

	if (len == 0 || byte[0] >= 0xf8 || (byte[0] & 0xc0) == 0x80)
		return 0;
	more = byte[0] >= 0xf0 ? 3 : byte[0] >= 0xe0 ? 2 : byte[0] >= 0xc0;
	if (more >= len)
		return 0;
	value = more ? byte[0] & (0x3fu >> more) : byte[0];
	for (size_t i = 1; i <= more; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte[i] & 0x3fu);
	}
	if (value < least[more] || (value >= 0xd800 && value <= 0xdfff) ||
	    value > 0x10ffff)
		return 0;
	*ret_letter = value;
	return more + 1;
}

bool utf8_good(const char *at, size_t len)
{
	uint32_t letter;

	for (size_t bytes; len; at += bytes, len -= bytes) {
		bytes = *at & 0x80 ? utf8_letter(at, len, &letter) : 1;
		if (bytes == 0)
			return false;
	}
	return true;
}

/* The joiners U+200C and U+200D stay: Persian names and signs of several letters
 * need them. */
bool utf8_shown(uint32_t letter)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0, 0x1f},	  {0x7f, 0x9f},	      {0xad, 0xad},
		{0x34f, 0x34f},	  {0x61c, 0x61c},     {0x115f, 0x1160},
		{0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200b},
		{0x200e, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
		{0x3164, 0x3164}, {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},
		{0xfeff, 0xfeff}, {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
		{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
		{0xf0000, 0x10ffff},
	};

	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
		if (letter >= hidden[i].first && letter <= hidden[i].last)
			return false;
	}
	return (letter & 0xfffe) != 0xfffe;
}

bool utf8_plain(const char *at, size_t len)
{
	uint32_t letter;

	for (size_t bytes; len; at += bytes, len -= bytes) {
		bytes = utf8_letter(at, len, &letter);
		if (bytes == 0 || !utf8_shown(letter))
			return false;
	}
	return true;
}
