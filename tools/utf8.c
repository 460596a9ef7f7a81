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
