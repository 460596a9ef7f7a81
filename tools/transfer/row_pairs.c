/* row_pairs.c: the account that names and values make, and the formats that are a
 * pair a line; LDIF is in row_ldif.c.
 */
#include "row_pairs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "row_clean.h"
#include "row_pairs_private.h"
#include "row_passwd.h"

void row_pairs_open(struct row_pairs *pairs)
{
	*pairs = (struct row_pairs){.forwards.secret = true,
				    .others.secret = true,
				    .hash.secret = true,
				    .clear.secret = true,
				    .line.secret = true};
	csvfile_start(&pairs->values);
}

void row_pairs_clear(struct row_pairs *pairs)
{
	csvfile_clear(&pairs->values);
	pairs->columns = (struct row_csv){.count = 0};
	pairs->forwards.len = pairs->others.len = 0;
	pairs->hash.len = pairs->clear.len = pairs->line.len = 0;
	pairs->begun = pairs->foreign = pairs->listed = false;
	pairs->bytes = 0;
	pairs->why = NULL;
}

void row_pairs_close(struct row_pairs *pairs)
{
	csvfile_close(&pairs->values);
	text_wipe(&pairs->hash);
	text_wipe(&pairs->clear);
	text_wipe(&pairs->line);
	text_wipe(&pairs->forwards);
	text_wipe(&pairs->others);
}

void row_pairs_text(struct row_pairs *pairs, struct text *text,
		    const char *value)
{
	text->len = 0;
	pairs->starved = pairs->starved ||
			 !text_put(text, value, strlen(value));
}

void row_pairs_put(struct row_pairs *pairs, enum row_csv_column is,
		   const char *value)
{
	if (!value[0] || row_csv_has(&pairs->columns, is))
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

void row_pairs_more(struct row_pairs *pairs, struct text *text,
		    const char *value, char end)
{
	pairs->starved = pairs->starved ||
			 !text_put(text, value, strlen(value)) ||
			 !text_put(text, &end, 1);
}

void row_pairs_switch_off(struct row_pairs *pairs, bool mail)
{
	row_pairs_put(pairs, ROW_CSV_LOGIN, "off");
	if (mail)
		row_pairs_put(pairs, ROW_CSV_DELIVERY, "off");
	row_pairs_put(pairs, ROW_CSV_REASON, "suspended at the old site");
}

bool row_pairs_count(struct row_pairs *pairs, size_t len)
{
	pairs->begun = true;
	pairs->bytes += len + 1;
	if (pairs->bytes > ROW_PAIRS_MAX)
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
	*ret_key = row_clean_blanks(line);
	*ret_value = row_clean_blanks(colon + 1);
	return true;
}

static bool is(const char *key, const char *name)
{
	return strcasecmp(key, name) == 0;
}

/* .../domains/example.com/joe: also with letters of a hash between. */
static void take_dir(struct row_pairs *pairs, const char *dir)
{
	const char *found = strstr(dir, "/domains/");
	const char *at = found ? found + 9 : "";
	char path[PATH_MAX];
	size_t len;

	if (snprintf(path, sizeof path, "%s/Maildir", dir) < (int)sizeof path)
		row_pairs_put(pairs, ROW_CSV_MAILDIR, path);
	for (; *at; at += len + (at[len] != 0)) {
		len = strcspn(at, "/");
		if (memchr(at, '.', len) && len < sizeof path) {
			memcpy(path, at, len);
			path[len] = 0;
			row_pairs_put(pairs, ROW_CSV_DOMAIN, path);
			return;
		}
	}
}

enum row_pairs_got row_pairs_vuserinfo(struct row_pairs *pairs, char *line,
				       size_t len)
{
	const bool first = strncmp(line, "name:", 5) == 0;
	char *key, *value;

	if (first && pairs->begun)
		return ROW_PAIRS_BEFORE;
	if (!len || (!first && !pairs->begun) || !row_pairs_count(pairs, len) ||
	    !cut(line, &key, &value))
		return ROW_PAIRS_MORE;
	if (is(key, "name"))
		row_pairs_put(pairs, strchr(value, '@') ? ROW_CSV_ADDRESS
							: ROW_CSV_LOCAL,
			      value);
	else if (is(key, "passwd"))
		row_pairs_text(pairs, &pairs->hash, value);
	else if (is(key, "clear passwd"))
		row_pairs_text(pairs, &pairs->clear, value);
	else if (is(key, "gecos") || is(key, "comment/gecos"))
		row_pairs_put(pairs, ROW_CSV_NAME, value);
	else if (is(key, "flags") || (is(key, "gid") && strcmp(value, "0") != 0))
		row_pairs_put(pairs, ROW_CSV_VFLAGS, value);
	else if (is(key, "quota"))
		row_pairs_put(pairs, ROW_CSV_VQUOTA, value);
	else if (is(key, "dir"))
		take_dir(pairs, value);
	return ROW_PAIRS_MORE;
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

static void take_words(struct row_pairs *pairs, struct text *text, char *words,
		       const char *between, char end)
{
	char *save = NULL;

	for (char *word = strtok_r(words, between, &save); word;
	     word = strtok_r(NULL, between, &save))
		row_pairs_more(pairs, text, word, end);
}

enum row_pairs_got row_pairs_hestia(struct row_pairs *pairs, char *line,
				    size_t len)
{
	char *at = line, *key, *value;

	if (!len || !row_pairs_count(pairs, len))
		return len ? ROW_PAIRS_DONE : ROW_PAIRS_MORE;
	while (next_word(&at, &key, &value)) {
		if (is(key, "ACCOUNT"))
			row_pairs_put(pairs, ROW_CSV_LOCAL, value);
		else if (is(key, "MD5"))
			row_pairs_text(pairs, &pairs->hash, value);
		else if (is(key, "QUOTA"))
			row_pairs_put(pairs, ROW_CSV_QUOTA_MB, value);
		else if (is(key, "ALIAS"))
			take_words(pairs, &pairs->others, value, ", ", 0);
		else if (is(key, "FWD"))
			take_words(pairs, &pairs->forwards, value, ", ", ',');
		else if (is(key, "FWD_ONLY") && is(value, "yes"))
			row_pairs_put(pairs, ROW_CSV_DELIVERY, "off");
		else if (is(key, "SUSPENDED") && is(value, "yes"))
			row_pairs_switch_off(pairs, true);
	}
	return ROW_PAIRS_DONE;
}

static void virtualmin(struct row_pairs *pairs, const char *key, char *value)
{
	if (is(key, "Email address"))
		row_pairs_put(pairs, ROW_CSV_ADDRESS, value);
	else if (is(key, "Real name"))
		row_pairs_put(pairs, ROW_CSV_NAME, value);
	else if (is(key, "Password"))
		row_pairs_text(pairs, &pairs->clear, value);
	else if (is(key, "Encrypted password"))
		row_pairs_text(pairs, &pairs->hash, value);
	else if (is(key, "Disabled") && is(value, "Yes"))
		row_pairs_switch_off(pairs, false);
	else if (is(key, "Extra addresses"))
		take_words(pairs, &pairs->others, value, " ,", 0);
	else if (is(key, "Forward") || is(key, "Forward mail to"))
		row_pairs_more(pairs, &pairs->forwards, value, ',');
	else if (is(key, "Deliver to user") && is(value, "No"))
		row_pairs_put(pairs, ROW_CSV_DELIVERY, "off");
	else if (is(key, "Mail byte quota") || is(key, "Home byte quota"))
		row_pairs_put(pairs, ROW_CSV_QUOTA, value);
	else if (is(key, "Mail location") && value[0] == '/')
		row_pairs_put(pairs, ROW_CSV_MAILDIR, value);
}

/* user:name:password:ftp:mail:quota in KiB:addresses:forwards:databases, from which
 * it makes many. */
static enum row_pairs_got batch(struct row_pairs *pairs, char *line)
{
	char *field[9], *end = line + strlen(line);
	size_t count = 0;

	for (char *rest = line; count < 9; count++)
		field[count] = rest ? strsep(&rest, ":") : end;
	pairs->foreign = strcmp(field[4], "1") != 0; /* no mail */
	row_pairs_put(pairs, ROW_CSV_LOCAL, field[0]);
	row_pairs_put(pairs, ROW_CSV_NAME, field[1]);
	row_pairs_text(pairs, &pairs->clear, field[2]);
	row_pairs_put(pairs, ROW_CSV_QUOTA_KB, field[5]);
	take_words(pairs, &pairs->others, field[6], ", ", 0);
	take_words(pairs, &pairs->forwards, field[7], ", ", ',');
	return ROW_PAIRS_DONE;
}

static size_t colons(const char *line)
{
	size_t count = 0;

	for (; *line; line++)
		count += *line == ':';
	return count;
}

enum row_pairs_got row_pairs_virtualmin(struct row_pairs *pairs, char *line,
					size_t len)
{
	const bool first = len && !isspace((unsigned char)line[0]);
	char *key, *value;

	if (first && pairs->begun)
		return ROW_PAIRS_BEFORE;
	if (!len || (!first && !pairs->begun) || !row_pairs_count(pairs, len))
		return ROW_PAIRS_MORE;
	if (first && colons(line) >= 5)
		return batch(pairs, line);
	if (first)
		return ROW_PAIRS_MORE;
	if (cut(line, &key, &value))
		virtualmin(pairs, key, value);
	return ROW_PAIRS_MORE;
}

const char *row_pairs_fill(struct row_pairs *pairs, const char *domain,
			   struct intake *intake, const char **ret_left)
{
	const bool is_box = pairs->hash.len || pairs->clear.len;
	const char *why = pairs->why;

	*ret_left = NULL;
	if (why) { /* whose it is, if that can be told */
		(void)row_csv_fill(&pairs->columns, &pairs->values, domain,
				   intake, ret_left);
		*ret_left = NULL;
		intake->bad[0] = 0;
		return why;
	}
	if (!row_csv_has(&pairs->columns, ROW_CSV_ADDRESS) &&
	    !row_csv_has(&pairs->columns, ROW_CSV_LOCAL))
		pairs->foreign = true;
	if (pairs->foreign) {
		*ret_left = "it is of no address";
		return NULL;
	}
	if (pairs->forwards.len)
		row_pairs_put(pairs, ROW_CSV_FORWARD, pairs->forwards.bytes);
	why = row_csv_fill(&pairs->columns, &pairs->values, domain, intake,
			   ret_left);
	if (!why && is_box)
		why = row_passwd_either(
			intake, pairs->hash.len ? pairs->hash.bytes : "",
			pairs->clear.len ? pairs->clear.bytes : "");
	if (is_box && pairs->listed && intake->has_forwards &&
	    !intake->itself && !intake->has_delivery)
		intake_no_mail(intake);
	if (!is_box && intake->has_forwards)
		intake->has_title = intake->has_quota = false;
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

bool row_pairs_is_vuserinfo(const char *bytes, size_t len)
{
	return has_line(bytes, len, "name:") &&
	       memmem(bytes, len, "\npasswd:", 8);
}

bool row_pairs_is_hestia(const char *bytes, size_t len)
{
	return has_line(bytes, len, "ACCOUNT='");
}

bool row_pairs_is_virtualmin(const char *bytes, size_t len)
{
	return memmem(bytes, len, "\n    Unix username: ", 20) &&
	       memmem(bytes, len, "\n    Domain: ", 13);
}

bool row_pairs_is_ldif(const char *bytes, size_t len)
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
