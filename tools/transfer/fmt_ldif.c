/* fmt_ldif.c: RFC 2849: lines that begin with a blank continue the one before;
 * "name: value", "name:: base64"; an entry ends at an empty line.
 */
#include <string.h>
#include <strings.h>

#include "fmt_clean.h"
#include "fmt_pairs_private.h"

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
static void take_password(struct fmt_pairs *pairs, const char *value)
{
	if (value[0] == '{' || value[0] == '$') {
		if (!pairs->hash.len)
			fmt_pairs_text(pairs, &pairs->hash, value);
	} else if (!pairs->clear.len) {
		fmt_pairs_text(pairs, &pairs->clear, value);
	}
}

static const struct {
	const char *name;
	enum fmt_csv_column is;
} columns[] = {
	{"cn", FMT_CSV_NAME},
	{"givenName", FMT_CSV_FIRST_NAME},
	{"sn", FMT_CSV_LAST_NAME},
	{"mailQuota", FMT_CSV_VQUOTA},
	{"mailQuotaSize", FMT_CSV_VQUOTA},
	{"accountStatus", FMT_CSV_STATUS},
};

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcasecmp(name, *names) == 0)
			return true;
	}
	return false;
}

static void attribute(struct fmt_pairs *pairs, const char *name, char *value)
{
	static const char *const others[] = {"mailAlternateAddress",
					     "mailLocalAddress", "mailAlias",
					     "zimbraMailAlias",
					     "shadowAddress", NULL};

	if (strcasecmp(name, "mail") == 0 &&
	    !fmt_csv_has(&pairs->columns, FMT_CSV_ADDRESS))
		fmt_pairs_put(pairs, FMT_CSV_ADDRESS, value);
	else if (strcasecmp(name, "mail") == 0 || is_one_of(name, others))
		fmt_pairs_more(pairs, &pairs->others, fmt_clean_address(value),
			       0);
	else if (strcasecmp(name, "mailForwardingAddress") == 0)
		fmt_pairs_more(pairs, &pairs->forwards,
			       fmt_clean_address(value), ',');
	else if (strcasecmp(name, "userPassword") == 0)
		take_password(pairs, value);
	else if (strcasecmp(name, "deliveryMode") == 0 &&
		 strcasecmp(value, "nolocal") == 0)
		fmt_pairs_put(pairs, FMT_CSV_DELIVERY, "off");
	else if (strcasecmp(name, "objectClass") == 0 &&
		 strcasecmp(value, "mailUser") == 0)
		pairs->listed = true;
	else if (strcasecmp(name, "changetype") == 0 &&
		 strcasecmp(value, "add") != 0)
		pairs->why = "it is a change, and no entry (changetype)";
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		if (strcasecmp(name, columns[i].name) == 0)
			fmt_pairs_put(pairs, columns[i].is, value);
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

static void take_line(struct fmt_pairs *pairs)
{
	char *line = pairs->line.bytes, *colon, *value;
	const size_t len = pairs->line.len;
	bool good = true;

	pairs->line.len = 0;
	if (!len || line[0] == '#' || !fmt_pairs_count(pairs, 0))
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
		value = fmt_clean_blanks(value + 1);
		good = decode(value);
	} else {
		value += strspn(value, " ");
	}
	if (good)
		attribute(pairs, line, value);
	else
		pairs->why = "a value is not base64, or has a NUL";
}

enum fmt_pairs_got fmt_pairs_ldif(struct fmt_pairs *pairs, char *line,
				  size_t len)
{
	const bool more = line[0] == ' ';

	if (!more)
		take_line(pairs);
	if (!len) {
		pairs->line.len = 0;
		return pairs->begun ? FMT_PAIRS_DONE : FMT_PAIRS_MORE;
	}
	if (!pairs->begun && strncmp(line, "version:", 8) == 0)
		return FMT_PAIRS_MORE;
	if (line[0] != '#' && !fmt_pairs_count(pairs, len))
		return FMT_PAIRS_MORE;
	pairs->starved = pairs->starved ||
			 !text_put(&pairs->line, line + more, len - more);
	return FMT_PAIRS_MORE;
}
