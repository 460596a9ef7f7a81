/* row_ldif.c: RFC 2849: lines that begin with a blank continue the one before;
 * "name: value", "name:: base64"; an entry ends at an empty line.
 */
#include <string.h>
#include <strings.h>

#include "row_clean.h"
#include "row_pairs_private.h"

/* Of one digit; 64: it is none. */
static unsigned digit(char byte)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = byte ? strchr(digits, byte) : NULL;

	return found ? (unsigned)(found - digits) : 64;
}

/* In place. False: it is no base64, or has a NUL. */
static bool decode(char *text)
{
	const size_t len = strcspn(text, "=");
	unsigned bits = 0, count = 0;
	char *out = text;

	if (len % 4 == 1 || strspn(text + len, "=") != strlen(text + len) ||
	    strlen(text + len) > 2)
		return false;
	for (size_t i = 0; i < len; i++) {
		const unsigned value = digit(text[i]);

		if (value == 64)
			return false;
		bits = (bits << 6 | value) & 0xfff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			*out = (char)(bits >> count & 0xff);
			if (!*out++)
				return false;
		}
	}
	*out = 0;
	return true;
}

/* A password of whatever writing: {SCHEME}..., or in clear. */
static void take_password(struct row_pairs *pairs, const char *value)
{
	if (value[0] == '{' || value[0] == '$') {
		if (!pairs->hash.len)
			row_pairs_text(pairs, &pairs->hash, value);
	} else if (!pairs->clear.len) {
		row_pairs_text(pairs, &pairs->clear, value);
	}
}

static const struct {
	const char *name;
	enum row_csv_column is;
} columns[] = {
	{"cn", ROW_CSV_NAME},		   {"givenName", ROW_CSV_FIRST_NAME},
	{"sn", ROW_CSV_LAST_NAME},	   {"mailQuota", ROW_CSV_VQUOTA},
	{"mailQuotaSize", ROW_CSV_VQUOTA}, {"accountStatus", ROW_CSV_STATUS},
};

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcasecmp(name, *names) == 0)
			return true;
	}
	return false;
}

static void attribute(struct row_pairs *pairs, const char *name, char *value)
{
	static const char *const others[] = {"mailAlternateAddress",
					     "mailLocalAddress", "mailAlias",
					     "zimbraMailAlias",
					     "shadowAddress", NULL};

	if (strcasecmp(name, "mail") == 0 &&
	    !row_csv_has(&pairs->columns, ROW_CSV_ADDRESS))
		row_pairs_put(pairs, ROW_CSV_ADDRESS, value);
	else if (strcasecmp(name, "mail") == 0 || is_one_of(name, others))
		row_pairs_more(pairs, &pairs->others, row_clean_address(value),
			       0);
	else if (strcasecmp(name, "mailForwardingAddress") == 0)
		row_pairs_more(pairs, &pairs->forwards,
			       row_clean_address(value), ',');
	else if (strcasecmp(name, "userPassword") == 0)
		take_password(pairs, value);
	else if (strcasecmp(name, "deliveryMode") == 0 &&
		 strcasecmp(value, "nolocal") == 0)
		row_pairs_put(pairs, ROW_CSV_DELIVERY, "off");
	else if (strcasecmp(name, "objectClass") == 0 &&
		 strcasecmp(value, "mailUser") == 0)
		pairs->listed = true;
	else if (strcasecmp(name, "changetype") == 0 &&
		 strcasecmp(value, "add") != 0)
		pairs->why = "it is a change, and no entry (changetype)";
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		if (strcasecmp(name, columns[i].name) == 0)
			row_pairs_put(pairs, columns[i].is, value);
	}
}

/* Of other attributes nobody wants to know, photographs among them. */
static bool is_wanted(const char *name)
{
	static const char *const names[] = {
		"mail",		  "mailAlternateAddress", "mailLocalAddress",
		"mailAlias",	  "zimbraMailAlias", "mailForwardingAddress",
		"shadowAddress",  "objectClass",
		"userPassword",	  "deliveryMode",	  "changetype",
		"cn",		  "givenName",		  "sn",
		"mailQuota",	  "mailQuotaSize",	  "accountStatus",
		NULL};

	return is_one_of(name, names);
}

static void take_line(struct row_pairs *pairs)
{
	char *line = pairs->line.bytes, *colon, *value;
	const size_t len = pairs->line.len;
	bool good = true;

	pairs->line.len = 0;
	if (!len || line[0] == '#' || !row_pairs_count(pairs, 0))
		return;
	colon = strchr(line, ':');
	if (!colon) {
		pairs->why = "a line has no colon behind a name";
		return;
	}
	*colon = 0;
	line[strcspn(line, ";")] = 0; /* its options */
	value = colon + 1;
	if (!is_wanted(line))
		return;
	if (*value == '<') {
		pairs->why = "a value lies in another file, which is not read";
		return;
	}
	if (*value == ':') {
		value = row_clean_blanks(value + 1);
		good = decode(value);
	} else {
		value += strspn(value, " ");
	}
	if (good)
		attribute(pairs, line, value);
	else
		pairs->why = "a value is not base64, or has a NUL";
}

enum row_pairs_got row_pairs_ldif(struct row_pairs *pairs, char *line,
				  size_t len)
{
	const bool more = line[0] == ' ';

	if (!more)
		take_line(pairs);
	if (!len) {
		pairs->line.len = 0;
		return pairs->begun ? ROW_PAIRS_DONE : ROW_PAIRS_MORE;
	}
	if (!pairs->begun && strncmp(line, "version:", 8) == 0)
		return ROW_PAIRS_MORE;
	if (line[0] != '#' && !row_pairs_count(pairs, len))
		return ROW_PAIRS_MORE;
	pairs->starved = pairs->starved ||
			 !text_put(&pairs->line, line + more, len - more);
	return ROW_PAIRS_MORE;
}
