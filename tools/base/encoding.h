/* SPDX-License-Identifier: MIT */
/* encoding.h: texts in the encodings of old files, as UTF-8. Pure.
 *
 * Tables of our own rather than iconv(3), which loads code for each encoding
 * while the file is read, as root. What no encoding is known of is UTF-8 where
 * it can be, else Windows-1252: the first text beyond ASCII decides for all.
 */
#ifndef POPBOX_ENCODING_H
#define POPBOX_ENCODING_H

#include "text.h"

enum encoding_is {
	ENCODING_UNKNOWN, /* and only ASCII was seen so far */
	ENCODING_UTF8,
	ENCODING_LATIN1,
	ENCODING_WINDOWS1252,
	ENCODING_UTF16, /* a byte order mark tells which; else little endian */
	ENCODING_UTF16LE,
	ENCODING_UTF16BE,
};

struct encoding {
	enum encoding_is is;
	bool assumed;	   /* from its bytes, and nobody said so */
	unsigned char kept[4]; /* of UTF-16: not yet a whole letter */
	size_t kept_len;
	bool begun; /* behind the byte order mark */
};

#define ENCODING_NAMES "utf-8, latin-1, windows-1252, utf-16"

/* In any case, with or without hyphens; iso-8859-1 and cp1252, too. False: it is
 * none. */
bool encoding_read(const char *name, enum encoding_is *ret_is);
const char *encoding_name(enum encoding_is is);

/* Of UTF-16: the bytes that follow those before, put behind out; what is no
 * letter becomes a byte that no UTF-8 has. False: no memory. */
bool encoding_wide(struct encoding *encoding, const char *bytes, size_t len,
		   struct text *out);
/* The file has no more: half a letter is none. */
bool encoding_wide_end(struct encoding *encoding, struct text *out);

/* A text of the others, whole: NULL, or why it is none. out then has it as UTF-8
 * if *ret_changed. No memory: *ret_starved. */
const char *encoding_text(struct encoding *encoding, const char *bytes,
			  size_t len, struct text *out, bool *ret_changed,
			  bool *ret_starved);

#endif
