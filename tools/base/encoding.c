/* SPDX-License-Identifier: MIT */
#include "encoding.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

static const struct {
	const char *name;
	enum encoding_is is;
} names[] = {
	{"utf-8", ENCODING_UTF8},
	{"latin-1", ENCODING_LATIN1},
	{"windows-1252", ENCODING_WINDOWS1252},
	{"utf-16", ENCODING_UTF16},
	{"utf-16le", ENCODING_UTF16LE},
	{"utf-16be", ENCODING_UTF16BE},
	{"iso-8859-1", ENCODING_LATIN1},
	{"cp1252", ENCODING_WINDOWS1252},
};

enum { NAMES = sizeof names / sizeof *names };

/* Windows-1252 where it is not Latin-1: 0x80 to 0x9f; 0: no letter. */
static const uint16_t windows[32] = {
	0x20ac, 0,	0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,	0x017d, 0,
	0,	0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,	0x017e, 0x0178,
};

static bool same(const char *name, const char *text)
{
	char bare[2][16];

	for (size_t i = 0; i < 2; i++) {
		size_t len = 0;

		for (const char *c = i ? text : name; *c; c++) {
			if (*c == '-' || *c == '_')
				continue;
			if (len + 1 == sizeof bare[i])
				return false;
			bare[i][len++] = *c;
		}
		bare[i][len] = 0;
	}
	return strcasecmp(bare[0], bare[1]) == 0;
}

bool encoding_read(const char *name, enum encoding_is *ret_is)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (same(names[i].name, name)) {
			*ret_is = names[i].is;
			return true;
		}
	}
	return false;
}

const char *encoding_name(enum encoding_is is)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (names[i].is == is)
			return names[i].name;
	}
	return "ascii";
}

static bool put_letter(struct text *out, uint32_t letter)
{
	char bytes[4];
	size_t len = letter < 0x80 ? 1 : letter < 0x800 ? 2
				     : letter < 0x10000 ? 3
							: 4;

	for (size_t i = len; i-- > 1; letter >>= 6)
		bytes[i] = (char)(0x80 | (letter & 0x3f));
	bytes[0] = (char)(len == 1 ? letter : (0xf00u >> len & 0xff) | letter);
	return text_put(out, bytes, len);
}

static uint32_t unit(const struct encoding *encoding, size_t at)
{
	const unsigned char *two = encoding->kept + at;

	return encoding->is == ENCODING_UTF16BE
		       ? (uint32_t)two[0] << 8 | two[1]
		       : (uint32_t)two[1] << 8 | two[0];
}

/* The byte order mark, which is no part of the text. */
static bool begin(struct encoding *encoding)
{
	const bool big = encoding->kept[0] == 0xfe && encoding->kept[1] == 0xff;
	const bool mark = big || (encoding->kept[0] == 0xff &&
				  encoding->kept[1] == 0xfe);

	encoding->begun = true;
	if (encoding->is == ENCODING_UTF16)
		encoding->is = big ? ENCODING_UTF16BE : ENCODING_UTF16LE;
	if (mark && unit(encoding, 0) == 0xfeff)
		encoding->kept_len = 0;
	return encoding->kept_len == 0;
}

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* What there is, if it is a letter, or cannot become one. */
static bool take_kept(struct encoding *encoding, struct text *out)
{
	const uint32_t first = unit(encoding, 0);
	const bool pair = encoding->kept_len == 4;
	uint32_t second;

	if (!encoding->begun && begin(encoding))
		return true;
	if (is_high(first) && !pair)
		return true;
	second = pair ? unit(encoding, 2) : 0;
	encoding->kept_len = 0;
	if (pair && is_low(second))
		return put_letter(out, 0x10000 + ((first - 0xd800) << 10) +
					       (second - 0xdc00));
	if (!is_high(first) && !is_low(first))
		return put_letter(out, first);
	if (!text_put(out, "\xff", 1))
		return false;
	if (!pair)
		return true;
	/* The second is a letter of its own, or half of the next. */
	memmove(encoding->kept, encoding->kept + 2, 2);
	encoding->kept_len = 2;
	return take_kept(encoding, out);
}

bool encoding_wide(struct encoding *encoding, const char *bytes, size_t len,
		   struct text *out)
{
	for (size_t i = 0; i < len; i++) {
		encoding->kept[encoding->kept_len++] = (unsigned char)bytes[i];
		if (encoding->kept_len % 2 == 0 && !take_kept(encoding, out))
			return false;
	}
	return true;
}

bool encoding_wide_end(struct encoding *encoding, struct text *out)
{
	const bool half = encoding->kept_len != 0;

	encoding->kept_len = 0;
	return !half || text_put(out, "\xff", 1);
}

static bool is_ascii(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] & 0x80)
			return false;
	}
	return true;
}

/* Has each byte a letter there? */
static bool is_windows(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const unsigned char byte = (unsigned char)bytes[i];

		if (byte >= 0x80 && byte < 0xa0 && !windows[byte - 0x80])
			return false;
	}
	return true;
}

/* The first text beyond ASCII. */
static void decide(struct encoding *encoding, const char *bytes, size_t len)
{
	encoding->is = utf8_good(bytes, len)	? ENCODING_UTF8
		       : is_windows(bytes, len) ? ENCODING_WINDOWS1252
						: ENCODING_UNKNOWN;
	encoding->assumed = true;
}

static const char *judge(const struct encoding *encoding, const char *bytes,
			 size_t len)
{
	const bool good = utf8_good(bytes, len);

	if (encoding->is == ENCODING_UNKNOWN)
		return "it is not UTF-8, nor Windows-1252 (use --encoding)";
	if (encoding->is == ENCODING_UTF8 && !good)
		return encoding->assumed
			       ? "it is not UTF-8, as the text before it is "
				 "(--encoding says what all of it is)"
			       : "it is not UTF-8 (save the file as UTF-8, "
				 "or use --encoding)";
	if (encoding->is == ENCODING_WINDOWS1252 && encoding->assumed && good)
		return "it is UTF-8, and the text before it is not (--encoding "
		       "says what all of it is)";
	if (encoding->is == ENCODING_WINDOWS1252 && !is_windows(bytes, len))
		return "it is not Windows-1252";
	return encoding->is >= ENCODING_UTF16 && !good
		       ? "it is not UTF-16"
		       : NULL;
}

static bool widen(enum encoding_is is, const char *bytes, size_t len,
		  struct text *out)
{
	for (size_t i = 0; i < len; i++) {
		uint32_t letter = (unsigned char)bytes[i];

		if (is == ENCODING_WINDOWS1252 && letter >= 0x80 &&
		    letter < 0xa0)
			letter = windows[letter - 0x80];
		if (!put_letter(out, letter))
			return false;
	}
	return true;
}

const char *encoding_text(struct encoding *encoding, const char *bytes,
			  size_t len, struct text *out, bool *ret_changed,
			  bool *ret_starved)
{
	const char *why;

	*ret_changed = *ret_starved = false;
	if (is_ascii(bytes, len))
		return NULL;
	if (encoding->is == ENCODING_UNKNOWN)
		decide(encoding, bytes, len);
	why = judge(encoding, bytes, len);
	if (why || (encoding->is != ENCODING_LATIN1 &&
		    encoding->is != ENCODING_WINDOWS1252))
		return why;
	out->len = 0;
	*ret_starved = !widen(encoding->is, bytes, len, out);
	*ret_changed = !*ret_starved;
	return NULL;
}
