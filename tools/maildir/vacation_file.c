/* SPDX-License-Identifier: MIT */
#include "vacation_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static bool is_control(char c)
{
	const unsigned char letter = (unsigned char)c;

	return (letter < 32 && letter != '\n' && letter != '\t') ||
	       letter == 127;
}

const char *vacation_text_read(const char *bytes, size_t len,
			       char ret_text[STORE_VACATION_MAX + 1])
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t used = 0;

	if (len >= 3 && memcmp(bytes, mark, 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	while (len && strchr(" \t\r\n", bytes[0]) && bytes[0]) {
		bytes++;
		len--;
	}
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\r' && i + 1 < len && bytes[i + 1] == '\n')
			continue;
		if (is_control(bytes[i]))
			return "has a control character";
		if (used == STORE_VACATION_MAX)
			return "has more than 7168 bytes";
		ret_text[used++] = bytes[i];
	}
	while (used && strchr(" \t\n", ret_text[used - 1]))
		used--;
	ret_text[used] = 0;
	if (!used)
		return "is empty";
	return utf8_good(ret_text, used) ? NULL : "is not UTF-8";
}

size_t vacation_file_write(int64_t from, int64_t until, const char *text,
			   char ret_bytes[VACATION_FILE_MAX])
{
	/* Two numbers of at most 20 letters. */
	return (size_t)snprintf(ret_bytes, VACATION_FILE_MAX,
				"%" PRId64 " %" PRId64 "\n%s", from, until,
				text);
}

/* Digits, then this letter. The number of bytes, or 0. */
static size_t number(const char *bytes, size_t len, char end, int64_t *ret)
{
	int64_t value = 0;
	size_t at = 0;

	while (at < len && at < 18 && bytes[at] >= '0' && bytes[at] <= '9')
		value = value * 10 + (bytes[at++] - '0');
	*ret = value;
	return at && at < len && bytes[at] == end ? at + 1 : 0;
}

bool vacation_file_read(const char *bytes, size_t len,
			struct vacation_file *ret_file)
{
	struct vacation_file file = {.text = NULL};
	const size_t one = number(bytes, len, ' ', &file.from);
	const size_t two = one ? number(bytes + one, len - one, '\n',
					&file.until)
			       : 0;

	file.text = bytes + one + two;
	file.len = len - one - two;
	if (!two || !file.len || memchr(file.text, 0, file.len))
		return false;
	*ret_file = file;
	return true;
}

bool vacation_file_is_on(const struct vacation_file *file, int64_t now)
{
	return now >= file->from && (!file->until || now < file->until);
}
