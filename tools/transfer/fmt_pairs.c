/* SPDX-License-Identifier: MIT */
#include "fmt_pairs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fmt_clean.h"
#include "fmt_passwd.h"

/* fmt_pairs.c: the account that names and values make, and the formats that are a
 * pair a line, or LDIF.
 */

void fmt_pairs_open(struct fmt_pairs *pairs)
{
	*pairs = (struct fmt_pairs){.forwards.secret = true,
				    .others.secret = true,
				    .hash.secret = true,
				    .clear.secret = true,
				    .line.secret = true};
	csvfile_start(&pairs->values);
}

void fmt_pairs_clear(struct fmt_pairs *pairs)
{
	csvfile_clear(&pairs->values);
	pairs->columns = (struct fmt_csv){.count = 0};
	pairs->forwards.len = pairs->others.len = 0;
	pairs->hash.len = pairs->clear.len = pairs->line.len = 0;
	pairs->begun = pairs->foreign = pairs->listed = false;
	pairs->bytes = 0;
	pairs->why = NULL;
}

void fmt_pairs_close(struct fmt_pairs *pairs)
{
	csvfile_close(&pairs->values);
	text_wipe(&pairs->hash);
	text_wipe(&pairs->clear);
	text_wipe(&pairs->line);
	text_wipe(&pairs->forwards);
	text_wipe(&pairs->others);
}

/* A text of its own. */
static void put_text(struct fmt_pairs *pairs, struct text *text,
		     const char *value)
{
	text->len = 0;
	pairs->starved = pairs->starved ||
			 !text_put(text, value, strlen(value));
}

/* A column's value; a second one, and an empty one, say nothing. */
static void put_value(struct fmt_pairs *pairs, enum fmt_csv_column is,
		      const char *value)
{
	if (!value[0] || fmt_csv_has(&pairs->columns, is))
		return; /* the first counts */
	switch (csvfile_add(&pairs->values, value, strlen(value))) {
	case CSVFILE_ADDED:
		pairs->columns.column[pairs->columns.count++] = is;
		break;
	case CSVFILE_FULL:
	case CSVFILE_NUL: /* never of a string */
		pairs->why = "the account has more than 1 MiB";
		break;
	case CSVFILE_STARVED:
		pairs->starved = true;
		break;
	}
}

/* One of several, with a byte behind it. */
static void put_more(struct fmt_pairs *pairs, struct text *text,
		     const char *value, char end)
{
	pairs->starved = pairs->starved ||
			 !text_put(text, value, strlen(value)) ||
			 !text_put(text, &end, 1);
}

/* Neither logins nor mail, or no logins alone. */
static void switch_off(struct fmt_pairs *pairs, bool mail)
{
	put_value(pairs, FMT_CSV_LOGIN, "off");
	if (mail)
		put_value(pairs, FMT_CSV_DELIVERY, "off");
	put_value(pairs, FMT_CSV_REASON, "suspended at the old site");
}

/* Counts a line. False: the account is too large, and is not kept further. */
static bool count_line(struct fmt_pairs *pairs, size_t len)
{
	pairs->begun = true;
	pairs->bytes += len + 1;
	if (pairs->bytes > FMT_PAIRS_MAX)
		pairs->why = "the account has more than 1 MiB";
	return !pairs->why;
}

/* key: value, both without the blanks around. False: there is no colon. */
static bool cut(char *line, char **ret_key, char **ret_value)
{
	char *colon = strchr(line, ':');

	if (!colon)
		return false;
	*colon = 0;
	*ret_key = fmt_clean_blanks(line);
	*ret_value = fmt_clean_blanks(colon + 1);
	return true;
}

static bool is(const char *key, const char *name)
{
	return strcasecmp(key, name) == 0;
}

/* .../domains/example.com/joe: also with letters of a hash between. */
static void take_dir(struct fmt_pairs *pairs, const char *dir)
{
	const char *found = strstr(dir, "/domains/");
	const char *at = found ? found + 9 : "";
	char path[PATH_MAX];
	size_t len;

	if (snprintf(path, sizeof path, "%s/Maildir", dir) < (int)sizeof path)
		put_value(pairs, FMT_CSV_MAILDIR, path);
	for (; *at; at += len + (at[len] != 0)) {
		len = strcspn(at, "/");
		if (memchr(at, '.', len) && len < sizeof path) {
			memcpy(path, at, len);
			path[len] = 0;
			put_value(pairs, FMT_CSV_DOMAIN, path);
			return;
		}
	}
}

enum fmt_pairs_got fmt_pairs_vuserinfo(struct fmt_pairs *pairs, char *line,
				       size_t len)
{
	const bool first = strncmp(line, "name:", 5) == 0;
	char *key, *value;

	if (first && pairs->begun)
		return FMT_PAIRS_BEFORE;
	if (!len || (!first && !pairs->begun) || !count_line(pairs, len) ||
	    !cut(line, &key, &value))
		return FMT_PAIRS_MORE;
	if (is(key, "name"))
		put_value(pairs,
			  strchr(value, '@') ? FMT_CSV_ADDRESS : FMT_CSV_LOCAL,
			  value);
	else if (is(key, "passwd"))
		put_text(pairs, &pairs->hash, value);
	else if (is(key, "clear passwd"))
		put_text(pairs, &pairs->clear, value);
	else if (is(key, "gecos") || is(key, "comment/gecos"))
		put_value(pairs, FMT_CSV_NAME, value);
	else if (is(key, "flags") || (is(key, "gid") && strcmp(value, "0") != 0))
		put_value(pairs, FMT_CSV_VFLAGS, value);
	else if (is(key, "quota"))
		put_value(pairs, FMT_CSV_VQUOTA, value);
	else if (is(key, "dir"))
		take_dir(pairs, value);
	return FMT_PAIRS_MORE;
}

/* The next NAME='value' of a line, cut in place. False: no more. */
static bool next_word(char **at, char **ret_key, char **ret_value)
{
	char *equals, *end;

	*at += strspn(*at, " \t");
	equals = strstr(*at, "='");
	end = equals ? strchr(equals + 2, '\'') : NULL;
	if (!end)
		return false;
	*equals = *end = 0;
	*ret_key = *at;
	*ret_value = equals + 2;
	*at = end + 1;
	return true;
}

static void take_words(struct fmt_pairs *pairs, struct text *text, char *words,
		       const char *between, char end)
{
	char *save = NULL;

	for (char *word = strtok_r(words, between, &save); word;
	     word = strtok_r(NULL, between, &save))
		put_more(pairs, text, word, end);
}

enum fmt_pairs_got fmt_pairs_hestia(struct fmt_pairs *pairs, char *line,
				    size_t len)
{
	char *at = line, *key, *value;

	if (!len || !count_line(pairs, len))
		return len ? FMT_PAIRS_DONE : FMT_PAIRS_MORE;
	while (next_word(&at, &key, &value)) {
		if (is(key, "ACCOUNT"))
			put_value(pairs, FMT_CSV_LOCAL, value);
		else if (is(key, "MD5"))
			put_text(pairs, &pairs->hash, value);
		else if (is(key, "QUOTA"))
			put_value(pairs, FMT_CSV_QUOTA_MB, value);
		else if (is(key, "ALIAS"))
			take_words(pairs, &pairs->others, value, ", ", 0);
		else if (is(key, "FWD"))
			take_words(pairs, &pairs->forwards, value, ", ", ',');
		else if (is(key, "FWD_ONLY") && is(value, "yes"))
			put_value(pairs, FMT_CSV_DELIVERY, "off");
		else if (is(key, "SUSPENDED") && is(value, "yes"))
			switch_off(pairs, true);
	}
	return FMT_PAIRS_DONE;
}

static void virtualmin(struct fmt_pairs *pairs, const char *key, char *value)
{
	if (is(key, "Email address"))
		put_value(pairs, FMT_CSV_ADDRESS, value);
	else if (is(key, "Real name"))
		put_value(pairs, FMT_CSV_NAME, value);
	else if (is(key, "Password"))
		put_text(pairs, &pairs->clear, value);
	else if (is(key, "Encrypted password"))
		put_text(pairs, &pairs->hash, value);
	else if (is(key, "Disabled") && is(value, "Yes"))
		switch_off(pairs, false);
	else if (is(key, "Extra addresses"))
		take_words(pairs, &pairs->others, value, " ,", 0);
	else if (is(key, "Forward") || is(key, "Forward mail to"))
		put_more(pairs, &pairs->forwards, value, ',');
	else if (is(key, "Deliver to user") && is(value, "No"))
		put_value(pairs, FMT_CSV_DELIVERY, "off");
	else if (is(key, "Mail byte quota") || is(key, "Home byte quota"))
		put_value(pairs, FMT_CSV_QUOTA, value);
	else if (is(key, "Mail location") && value[0] == '/')
		put_value(pairs, FMT_CSV_MAILDIR, value);
}

/* user:name:password:ftp:mail:quota in KiB:addresses:forwards:databases, from which
 * it makes many. */
static enum fmt_pairs_got batch(struct fmt_pairs *pairs, char *line)
{
	char *field[9], *end = line + strlen(line);
	size_t count = 0;

	for (char *rest = line; count < 9; count++)
		field[count] = rest ? strsep(&rest, ":") : end;
	pairs->foreign = strcmp(field[4], "1") != 0; /* no mail */
	put_value(pairs, FMT_CSV_LOCAL, field[0]);
	put_value(pairs, FMT_CSV_NAME, field[1]);
	put_text(pairs, &pairs->clear, field[2]);
	put_value(pairs, FMT_CSV_QUOTA_KB, field[5]);
	take_words(pairs, &pairs->others, field[6], ", ", 0);
	take_words(pairs, &pairs->forwards, field[7], ", ", ',');
	return FMT_PAIRS_DONE;
}

static size_t colons(const char *line)
{
	size_t count = 0;

	for (; *line; line++)
		count += *line == ':';
	return count;
}

enum fmt_pairs_got fmt_pairs_virtualmin(struct fmt_pairs *pairs, char *line,
					size_t len)
{
	const bool first = len && !isspace((unsigned char)line[0]);
	char *key, *value;

	if (first && pairs->begun)
		return FMT_PAIRS_BEFORE;
	if (!len || (!first && !pairs->begun) || !count_line(pairs, len))
		return FMT_PAIRS_MORE;
	if (first && colons(line) >= 5)
		return batch(pairs, line);
	if (first)
		return FMT_PAIRS_MORE;
	if (cut(line, &key, &value))
		virtualmin(pairs, key, value);
	return FMT_PAIRS_MORE;
}

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
			put_text(pairs, &pairs->hash, value);
	} else if (!pairs->clear.len) {
		put_text(pairs, &pairs->clear, value);
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
	static const char *const others[] = {
		"mailAlternateAddress", "mailLocalAddress", "mailAlias",
		"zimbraMailAlias",	"shadowAddress",    NULL};

	if (strcasecmp(name, "mail") == 0 &&
	    !fmt_csv_has(&pairs->columns, FMT_CSV_ADDRESS))
		put_value(pairs, FMT_CSV_ADDRESS, value);
	else if (strcasecmp(name, "mail") == 0 || is_one_of(name, others))
		put_more(pairs, &pairs->others, fmt_clean_address(value), 0);
	else if (strcasecmp(name, "mailForwardingAddress") == 0)
		put_more(pairs, &pairs->forwards, fmt_clean_address(value),
			 ',');
	else if (strcasecmp(name, "userPassword") == 0)
		take_password(pairs, value);
	else if (strcasecmp(name, "deliveryMode") == 0 &&
		 strcasecmp(value, "nolocal") == 0)
		put_value(pairs, FMT_CSV_DELIVERY, "off");
	else if (strcasecmp(name, "objectClass") == 0 &&
		 strcasecmp(value, "mailUser") == 0)
		pairs->listed = true;
	else if (strcasecmp(name, "changetype") == 0 &&
		 strcasecmp(value, "add") != 0)
		pairs->why = "it is a change, and no entry (changetype)";
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		if (strcasecmp(name, columns[i].name) == 0)
			put_value(pairs, columns[i].is, value);
	}
}

/* Of other attributes nobody wants to know, photographs among them. */
static bool is_wanted(const char *name)
{
	static const char *const names[] = {"mail",
					    "mailAlternateAddress",
					    "mailLocalAddress",
					    "mailAlias",
					    "zimbraMailAlias",
					    "mailForwardingAddress",
					    "shadowAddress",
					    "objectClass",
					    "userPassword",
					    "deliveryMode",
					    "changetype",
					    "cn",
					    "givenName",
					    "sn",
					    "mailQuota",
					    "mailQuotaSize",
					    "accountStatus",
					    NULL};

	return is_one_of(name, names);
}

static void take_line(struct fmt_pairs *pairs)
{
	char *line = pairs->line.bytes, *colon, *value;
	const size_t len = pairs->line.len;
	bool good = true;

	pairs->line.len = 0;
	if (!len || line[0] == '#' || !count_line(pairs, 0))
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
	if (line[0] != '#' && !count_line(pairs, len))
		return FMT_PAIRS_MORE;
	pairs->starved = pairs->starved ||
			 !text_put(&pairs->line, line + more, len - more);
	return FMT_PAIRS_MORE;
}

const char *fmt_pairs_fill(struct fmt_pairs *pairs, const char *domain,
			   struct import_account *account,
			   const char **ret_left)
{
	const bool is_box = pairs->hash.len || pairs->clear.len;
	const char *why = pairs->why;

	*ret_left = NULL;
	if (why) { /* whose it is, if that can be told */
		(void)fmt_csv_fill(&pairs->columns, &pairs->values, domain,
				   account, ret_left);
		*ret_left = NULL;
		account->bad[0] = 0;
		return why;
	}
	if (!fmt_csv_has(&pairs->columns, FMT_CSV_ADDRESS) &&
	    !fmt_csv_has(&pairs->columns, FMT_CSV_LOCAL))
		pairs->foreign = true;
	if (pairs->foreign) {
		*ret_left = "it is of no address";
		return NULL;
	}
	if (pairs->forwards.len)
		put_value(pairs, FMT_CSV_FORWARD, pairs->forwards.bytes);
	why = fmt_csv_fill(&pairs->columns, &pairs->values, domain, account,
			   ret_left);
	if (!why && is_box)
		why = fmt_passwd_either(
			account, pairs->hash.len ? pairs->hash.bytes : "",
			pairs->clear.len ? pairs->clear.bytes : "");
	if (is_box && pairs->listed && account->has_forwards &&
	    !account->itself && !account->has_delivery)
		import_account_no_mail(account);
	if (!is_box && account->has_forwards)
		account->has_title = account->has_quota = false;
	return why;
}

static bool has_line(const char *bytes, size_t len, const char *begins)
{
	const size_t part = strlen(begins);
	const char *end = bytes + len;

	while (bytes < end && isspace((unsigned char)*bytes))
		bytes++;
	return (size_t)(end - bytes) >= part &&
	       strncasecmp(bytes, begins, part) == 0;
}

bool fmt_pairs_is_vuserinfo(const char *bytes, size_t len)
{
	return has_line(bytes, len, "name:") &&
	       memmem(bytes, len, "\npasswd:", 8);
}

bool fmt_pairs_is_hestia(const char *bytes, size_t len)
{
	return has_line(bytes, len, "ACCOUNT='");
}

bool fmt_pairs_is_virtualmin(const char *bytes, size_t len)
{
	return memmem(bytes, len, "\n    Unix username: ", 20) &&
	       memmem(bytes, len, "\n    Domain: ", 13);
}

bool fmt_pairs_is_ldif(const char *bytes, size_t len)
{
	while (len && *bytes == '#') { /* comments */
		const char *newline = memchr(bytes, '\n', len);

		if (!newline)
			return false;
		len -= (size_t)(newline + 1 - bytes);
		bytes = newline + 1;
		while (len && (*bytes == '\n' || *bytes == '\r')) {
			bytes++;
			len--;
		}
	}
	return has_line(bytes, len, "dn:") || has_line(bytes, len, "version: 1");
}
