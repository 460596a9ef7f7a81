/* SPDX-License-Identifier: MIT */
/* Texts of old files as UTF-8, compared with iconv(3). */
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/encoding.h"

static size_t by_iconv(const char *from, const char *in, size_t len, char *out,
		       size_t room)
{
	iconv_t cd = iconv_open("UTF-8", from);
	char *at = out, *bytes = (char *)(uintptr_t)in;
	size_t left = room, got;

	assert_true(cd != (iconv_t)-1);
	got = iconv(cd, &bytes, &len, &at, &left);
	(void)iconv_close(cd);
	return got == (size_t)-1 ? 0 : (size_t)(at - out);
}

static void every_byte_is_what_iconv_makes_of_it(void **state)
{
	static const struct {
		enum encoding_is is;
		const char *name;
	} those[] = {{ENCODING_LATIN1, "ISO-8859-1"},
		     {ENCODING_WINDOWS1252, "CP1252"}};

	(void)state;
	for (size_t i = 0; i < sizeof those / sizeof *those; i++) {
		for (int byte = 0x80; byte < 0x100; byte++) {
			struct encoding encoding = {.is = those[i].is};
			const char in = (char)byte;
			struct text out = {.bytes = NULL};
			bool changed, starved;
			char want[8];
			size_t len = by_iconv(those[i].name, &in, 1, want,
					      sizeof want);
			const char *why = encoding_text(&encoding, &in, 1,
							&out, &changed,
							&starved);

			assert_false(starved);
			assert_int_equal(len == 0, why != NULL);
			assert_int_equal(len != 0, changed);
			if (len) {
				assert_int_equal(out.len, len);
				assert_memory_equal(out.bytes, want, len);
			}
			free(out.bytes);
		}
	}
}

/* Given in pieces of this size. */
static void wide(enum encoding_is is, const char *bytes, size_t len,
		 size_t piece, struct text *out)
{
	struct encoding encoding = {.is = is};

	out->len = 0;
	for (size_t at = 0; at < len; at += piece)
		assert_true(encoding_wide(&encoding, bytes + at,
					  len - at < piece ? len - at : piece,
					  out));
	assert_true(encoding_wide_end(&encoding, out));
	assert_true(text_put(out, "", 0));
}

static void utf16_is_what_iconv_makes_of_it_in_any_pieces(void **state)
{
	static const char little[] = "J\0\xf6\0\xac \x3d\xd8\0\xde\n\0"
				     "\xff\xdb\xff\xdf\0\xd8\0\xdc"
				     "\xff\xd7\0\xe0";
	static const char big[] = "\0J\0\xf6 \xac\xd8\x3d\xde\0\0\n"
				  "\xdb\xff\xdf\xff\xd8\0\xdc\0"
				  "\xd7\xff\xe0\0";
	struct text out = {.bytes = NULL};
	char want[64];
	size_t len = by_iconv("UTF-16LE", little, sizeof little - 1, want,
			      sizeof want);

	(void)state;
	assert_true(len > 0);
	for (size_t piece = 1; piece < sizeof little; piece++) {
		wide(ENCODING_UTF16, little, sizeof little - 1, piece, &out);
		assert_int_equal(out.len, len);
		assert_memory_equal(out.bytes, want, len);
		wide(ENCODING_UTF16BE, big, sizeof big - 1, piece, &out);
		assert_int_equal(out.len, len);
		assert_memory_equal(out.bytes, want, len);
	}
	wide(ENCODING_UTF16, "\xfe\xff\0a\xfe\xff", 6, 1, &out);
	assert_string_equal(out.bytes, "a\xef\xbb\xbf");
	free(out.bytes);
}

/* x stands for the byte that no UTF-8 has. */
static void half_letters_of_utf16_are_none(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} cases[] = {
		{"a\0b", 3, "a\xff"},	     {"\x3d\xd8", 2, "\xff"},
		{"\x3d\xd8" "a\0", 4, "\xff" "a"}, {"\0\xde" "a\0", 4, "\xff" "a"},
		{"\x3d\xd8\x3d\xd8\0\xde", 6, "\xff\xf0\x9f\x98\x80"},
	};
	struct text out = {.bytes = NULL};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t piece = 1; piece < 4; piece++) {
			wide(ENCODING_UTF16LE, cases[i].in, cases[i].len, piece,
			     &out);
			assert_string_equal(out.bytes, cases[i].out);
		}
	}
	free(out.bytes);
}

static void the_first_text_beyond_ascii_decides(void **state)
{
	static const struct {
		const char *first, *then;
		enum encoding_is is;
		bool then_good;
	} cases[] = {
		{"abc", "abc", ENCODING_UNKNOWN, true},
		{"\xc3\xb6", "\xc3\xa4", ENCODING_UTF8, true},
		{"\xc3\xb6", "\xf6", ENCODING_UTF8, false},
		{"\xf6 o", "\xe4", ENCODING_WINDOWS1252, true},
		{"\xf6 o", "\xc3\xb6", ENCODING_WINDOWS1252, false},
		{"\xf6 o", "\x81", ENCODING_WINDOWS1252, false},
		{"abc", "\x81", ENCODING_UNKNOWN, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct encoding encoding = {.is = ENCODING_UNKNOWN};
		struct text out = {.bytes = NULL};
		bool changed, starved;

		assert_null(encoding_text(&encoding, cases[i].first,
					  strlen(cases[i].first), &out,
					  &changed, &starved));
		assert_int_equal(encoding.is, cases[i].is);
		assert_int_equal(encoding_text(&encoding, cases[i].then,
					       strlen(cases[i].then), &out,
					       &changed, &starved) == NULL,
				 cases[i].then_good);
		free(out.bytes);
	}
}

static void names_are_read_as_people_write_them(void **state)
{
	enum encoding_is is;

	(void)state;
	assert_true(encoding_read("UTF8", &is) && is == ENCODING_UTF8);
	assert_true(encoding_read("Latin1", &is) && is == ENCODING_LATIN1);
	assert_true(encoding_read("ISO_8859-1", &is) && is == ENCODING_LATIN1);
	assert_true(encoding_read("CP-1252", &is) &&
		    is == ENCODING_WINDOWS1252);
	assert_true(encoding_read("utf-16", &is) && is == ENCODING_UTF16);
	assert_false(encoding_read("utf-7", &is));
	assert_false(encoding_read("", &is));
	assert_false(encoding_read("windows-1252-and-more-letters", &is));
	assert_string_equal(encoding_name(ENCODING_UTF16LE), "utf-16le");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("every byte of Latin-1 and Windows-1252 is what iconv "
		     "makes of it",
		     every_byte_is_what_iconv_makes_of_it),
		SAYS("UTF-16 is what iconv makes of it, in any pieces",
		     utf16_is_what_iconv_makes_of_it_in_any_pieces),
		SAYS("half a letter of UTF-16 is none",
		     half_letters_of_utf16_are_none),
		SAYS("the first text beyond ASCII decides",
		     the_first_text_beyond_ascii_decides),
		SAYS("names of encodings are read as people write them",
		     names_are_read_as_people_write_them),
	};

	return RUN(tests);
}
