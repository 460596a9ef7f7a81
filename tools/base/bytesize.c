/* SPDX-License-Identifier: MIT */
#include "bytesize.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What stands behind a number: K, KB, KiB and so on. 0: none of these. */
static uint64_t read_unit(const char *text, uint64_t unit)
{
	static const char letters[] = "KMGT";
	const char *letter;
	uint64_t factor;

	if (!*text || strcasecmp(text, "B") == 0)
		return *text ? 1 : unit;
	letter = strchr(letters, toupper((unsigned char)*text));
	if (!letter)
		return 0;
	factor = UINT64_C(1) << (10 * (letter - letters + 1));
	text++;
	if (*text == 'i' || *text == 'I')
		text++;
	if (*text == 'b' || *text == 'B')
		text++;
	return *text ? 0 : factor;
}

static bool is_none(const char *text)
{
	static const char *const words[] = {"", "none", "unlimited", "NOQUOTA",
					    "-", "-1"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcasecmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

/* .5 or ,5 in thousandths; *text moves behind it. False: it is none. */
static bool read_fraction(const char **text, unsigned *ret_thousandths)
{
	size_t len;

	*ret_thousandths = 0;
	if (**text != '.' && **text != ',')
		return true;
	len = strspn(*text + 1, "0123456789");
	/* Three digits behind a comma may be thousands. */
	if (len == 0 || len > 3 || (**text == ',' && len == 3))
		return false;
	for (size_t i = 0; i < 3; i++)
		*ret_thousandths = *ret_thousandths * 10 +
				   (i < len ? (unsigned)((*text)[1 + i] - '0')
					    : 0);
	*text += 1 + len;
	return true;
}

bool bytesize_read(const char *text, uint64_t unit, uint64_t *ret_bytes)
{
	const size_t len = strspn(text, "0123456789");
	const char *behind = text + len;
	unsigned thousandths;
	uint64_t number;

	*ret_bytes = 0;
	if (is_none(text))
		return true;
	if (len == 0 || len > 18 || !read_fraction(&behind, &thousandths))
		return false;
	unit = read_unit(behind + strspn(behind, " "), unit);
	number = strtoull(text, NULL, 10);
	if (!unit || (thousandths && unit < 1024) ||
	    number > UINT64_MAX / 4 / unit)
		return false;
	*ret_bytes = number * unit + unit * thousandths / 1000;
	return true;
}
