/* SPDX-License-Identifier: MIT */
#include "fmt_clean.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* In UTF-8: no-break, figure and narrow no-break space, zero width space, byte
 * order mark, ideographic space. */
static const char *const blanks[] = {
	" ", "\t", "\r", "\n", "\xc2\xa0", "\xe2\x80\x87", "\xe2\x80\xaf",
	"\xe2\x80\x8b", "\xef\xbb\xbf", "\xe3\x80\x80",
};

enum { BLANKS = sizeof blanks / sizeof *blanks };

/* Bytes of the blank that begins, or ends, here; 0: none does. */
static size_t blank_at(const char *text, size_t len, bool end)
{
	const unsigned char byte = !len ? 'x'
				   : (unsigned char)text[end ? len - 1 : 0];

	if (byte > ' ' && byte < 0x80)
		return 0; /* as nearly all are */
	for (size_t i = 0; i < BLANKS; i++) {
		size_t size = strlen(blanks[i]);

		if (size <= len && memcmp(end ? text + len - size : text,
					  blanks[i], size) == 0)
			return size;
	}
	return 0;
}

/* What lies at from, at the beginning of text. */
static char *keep(char *text, const char *from, size_t len)
{
	memmove(text, from, len);
	text[len] = 0;
	return text;
}

char *fmt_clean_blanks(char *text)
{
	const char *from = text;
	size_t len = strlen(text), size;

	while ((size = blank_at(from, len, false)) != 0) {
		from += size;
		len -= size;
	}
	while ((size = blank_at(from, len, true)) != 0)
		len -= size;
	return keep(text, from, len);
}

char *fmt_clean_field(char *text)
{
	(void)fmt_clean_blanks(text);
	if (strcmp(text, "NULL") == 0 || strcmp(text, "\\N") == 0)
		*text = 0;
	return text;
}

char *fmt_clean_domain(char *text)
{
	size_t len;

	(void)fmt_clean_field(text);
	len = strlen(text);
	if (len > 1 && text[len - 1] == '.')
		text[len - 1] = 0;
	return text;
}

/* Without the blanks around the last @. */
static void join(char *text)
{
	char *at = strrchr(text, '@');
	size_t len = at ? (size_t)(at - text) : 0, size;

	if (!at)
		return;
	(void)fmt_clean_blanks(at + 1);
	while ((size = blank_at(text, len, true)) != 0)
		len -= size;
	memmove(text + len, at, strlen(at) + 1);
}

char *fmt_clean_address(char *text)
{
	const char *open, *close;

	(void)fmt_clean_field(text);
	open = strrchr(text, '<');
	close = open ? strchr(open, '>') : NULL;
	if (close && !close[1])
		(void)fmt_clean_blanks(
			keep(text, open + 1, (size_t)(close - open - 1)));
	if (strncasecmp(text, "mailto:", 7) == 0)
		(void)fmt_clean_blanks(keep(text, text + 7, strlen(text + 7)));
	join(text);
	return strchr(text, '@') ? fmt_clean_domain(text) : text;
}

/* The next byte that counts, in lower case. */
static int next(const char **at)
{
	*at += strspn(*at, " .-_");
	return **at ? tolower((unsigned char)*(*at)++) : 0;
}

bool fmt_clean_same(const char *a, const char *b)
{
	int one, other;

	do {
		one = next(&a);
		other = next(&b);
	} while (one && one == other);
	return one == other;
}
