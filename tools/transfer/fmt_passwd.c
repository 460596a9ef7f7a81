/* SPDX-License-Identifier: MIT */
#include "fmt_passwd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt_clean.h"
#include "fmt_flags.h"

enum { FIELDS = 8, SHADOW_FIELDS = 9 };

/* Cuts a line at its colons; what lies behind the last of the wanted fields
 * stays with it. */
static size_t split(char *line, size_t wanted, char **ret_field)
{
	size_t count = 0;

	ret_field[count++] = line;
	for (char *colon = strchr(line, ':'); colon && count < wanted;
	     colon = strchr(colon + 1, ':')) {
		*colon = 0;
		ret_field[count++] = colon + 1;
	}
	return count;
}

static const char *take_user(const char *user, const char *domain,
			     struct import_account *account)
{
	if (!user[0])
		return "it has no user";
	if (strchr(user, '@'))
		return import_account_address(account, user);
	if (!domain)
		return "it has no domain (use --domain D)";
	return import_account_local(account, user, domain);
}

/* DIR/Maildir, where an old mailbox lies. */
static const char *take_dir(struct import_account *account, const char *dir,
			    const char *below)
{
	char path[PATH_MAX];
	size_t len = strlen(dir);
	int made;

	if (!len)
		return NULL;
	while (len > 1 && dir[len - 1] == '/')
		len--;
	made = snprintf(path, sizeof path, "%.*s%s", (int)len, dir, below);
	if (made < 0 || (size_t)made >= sizeof path)
		return "the directory's path is too long";
	return import_account_maildir(account, path);
}

const char *fmt_passwd_dir(struct import_account *account, const char *dir)
{
	return take_dir(account, dir, "/Maildir");
}

/* Titles of other programs may say anything; one that cannot be kept is none. */
static const char *take_gecos(struct import_account *account, char *gecos)
{
	gecos[strcspn(gecos, ",")] = 0; /* room, telephone */
	return gecos[0] ? import_account_title(account, gecos) : NULL;
}

const char *fmt_passwd_quota(struct import_account *account, const char *text)
{
	const char *why = import_account_quota(account, "", 1);

	/* 10485760S,1000C; a number alone is one of bytes. */
	while (!why && *text) {
		char number[64];
		const size_t len = strcspn(text, ",");
		const bool count = len && text[len - 1] == 'C';
		const bool bytes = len && text[len - 1] == 'S';

		if (len >= sizeof number)
			return "the quota is too long";
		memcpy(number, text, len);
		number[len - (count || bytes)] = 0;
		why = count ? import_account_messages(account, number)
			    : import_account_quota(account, number, 1);
		text += len + (text[len] == ',');
	}
	return why;
}

const char *fmt_passwd_flags(struct import_account *account, const char *gid)
{
	char *end;
	unsigned long flags = strtoul(gid, &end, 10);

	if (end == gid || *end)
		return "its flags are not a number";
	fmt_flags_vpopmail(account, flags);
	return NULL;
}

/* The clear password counts only where the hash cannot be used. */
const char *fmt_passwd_either(struct import_account *account, const char *hash,
			      const char *clear)
{
	const char *why = hash[0] ? import_account_hash(account, hash) : NULL;

	if (clear[0] && (why || account->unusable || !hash[0])) {
		account->unusable = NULL;
		why = import_account_password(account, clear);
	}
	return why;
}

const char *fmt_passwd_vpopmail(char *line, const char *domain,
				struct import_account *account,
				const char **ret_left)
{
	char *field[FIELDS];
	size_t count = split(line, FIELDS, field);
	const char *why;

	*ret_left = NULL;
	if (count < 7)
		return "it has fewer than seven fields (user:hash:uid:gid:"
		       "gecos:dir:quota)";
	why = take_user(field[0], domain, account);
	if (!why)
		why = fmt_passwd_either(account, field[1],
					count > 7 ? field[7] : "");
	if (!why)
		why = fmt_passwd_flags(account, field[3]);
	if (!why)
		why = take_gecos(account, field[4]);
	if (!why)
		why = take_dir(account, field[5], "/Maildir");
	return why ? why : fmt_passwd_quota(account, field[6]);
}

bool fmt_passwd_cells(const char *line, size_t len, const char *domain,
		      struct fmt_passwd_cells *ret_cells)
{
	struct fmt_passwd_cells *cells = ret_cells;
	char *field[FIELDS];
	size_t count;

	while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len >= sizeof cells->line)
		return false;
	memcpy(cells->line, line, len);
	cells->line[len] = 0;
	count = split(cells->line, FIELDS, field);
	if (count < 7)
		return false;
	if (strchr(field[0], '@'))
		domain = "";
	(void)snprintf(cells->address, sizeof cells->address, "%s%s%s",
		       field[0], domain[0] ? "@" : "", domain);
	cells->hash = field[1];
	cells->password = count > 7 && !field[1][0] ? field[7] : "";
	cells->flags = strtoul(field[3], NULL, 10);
	field[4][strcspn(field[4], ",")] = 0;
	cells->name = field[4];
	cells->dir = field[5];
	cells->maildir[0] = 0;
	if (field[5][0])
		(void)snprintf(cells->maildir, sizeof cells->maildir,
			       "%s/Maildir", field[5]);
	field[6][strcspn(field[6], "SC,")] = 0;
	cells->quota = field[6];
	return true;
}

/* maildir:/path:INDEX=... */
static const char *take_mail(struct import_account *account,
			     const char *location)
{
	char path[PATH_MAX];
	size_t len;

	if (strncmp(location, "maildir:", 8) != 0)
		return NULL;
	location += 8;
	len = strcspn(location, ":");
	if (location[0] != '/' || len >= sizeof path)
		return NULL;
	memcpy(path, location, len);
	path[len] = 0;
	return take_dir(account, path, "");
}

/* What stands behind that word of a rule, up to its colon. False: it is not there;
 * what is too long for a number is cut, and then none. */
static bool part_of(const char *rule, const char *word, char ret_number[32])
{
	const char *at = strstr(rule, word);

	if (at)
		(void)snprintf(ret_number, 32, "%.*s",
			       (int)strcspn(at + strlen(word), ":"),
			       at + strlen(word));
	return at != NULL;
}

/* *:storage=100M (of KiB), *:bytes=N, *:messages=N, or several of them */
static const char *take_rule(struct import_account *account, const char *rule)
{
	char number[32];
	const char *why = NULL;

	if (part_of(rule, "bytes=", number))
		why = import_account_quota(account, number, 1);
	else if (part_of(rule, "storage=", number))
		why = import_account_quota(account, number, 1024);
	if (!why && part_of(rule, "messages=", number))
		why = import_account_messages(account, number);
	return why;
}

static const char *take_extra(struct import_account *account, char *extra)
{
	const char *why = NULL;
	char *at = extra, *value;

	while (!why && at) {
		char *word = at + strspn(at, " ");

		at = strchr(word, ' ');
		if (at)
			*at++ = 0;
		value = word + strcspn(word, "=");
		if (*value)
			*value++ = 0;
		if (strcmp(word, "userdb_mail") == 0)
			why = take_mail(account, value);
		else if (strcmp(word, "userdb_quota_rule") == 0)
			why = take_rule(account, value);
		else if (word[0])
			fmt_flags_dovecot(account, word, value);
	}
	return why;
}

/* user|password and user password are user:password. */
static void settle_separator(char *line)
{
	char *at = line + strcspn(line, ":| \t");
	size_t more = *at && *at != ':' ? strspn(at + 1, " \t") : 0;

	if (!*at)
		return;
	*at = ':';
	memmove(at + 1, at + 1 + more, strlen(at + 1 + more) + 1);
}

bool fmt_passwd_resembles(const char *line)
{
	size_t user = strcspn(line, ":|, ;\t\r\n");
	const char *behind = line + user;

	if (user == 0 || !*behind || !strchr(":| \t", *behind))
		return false;
	behind += 1 + strspn(behind + 1, " \t");
	return *behind && strchr("{$*!", *behind);
}

const char *fmt_passwd_dovecot(char *line, const char *domain,
			       struct import_account *account,
			       const char **ret_left)
{
	char *field[FIELDS];
	size_t count;
	const char *why;

	*ret_left = NULL;
	if (line[0] == '#') {
		*ret_left = "a comment";
		return NULL;
	}
	settle_separator(line);
	count = split(line, FIELDS, field);
	if (count < 2)
		return "it has no password (user:password:...)";
	(void)fmt_clean_blanks(field[1]);
	why = take_user(field[0], domain, account);
	if (!why && field[1][0])
		why = import_account_hash(account, field[1]);
	if (!why && count > 4)
		why = take_gecos(account, field[4]);
	if (!why && count > 5)
		why = take_dir(account, field[5], "/Maildir");
	if (!why && count > 7)
		why = take_extra(account, field[7]);
	return why;
}

const char *fmt_passwd_shadow(char *line, const char *domain,
			      struct import_account *account,
			      const char **ret_left)
{
	char *field[SHADOW_FIELDS];
	const char *marks[FMT_FLAGS_SHADOW];
	const size_t count = split(line, SHADOW_FIELDS, field);
	const char *why;

	*ret_left = NULL;
	if (count < 2)
		return "it has no password field (name:hash:...)";
	why = take_user(field[0], domain, account);
	if (why)
		return why;
	if (!field[1][0])
		return "its password is empty: everybody could log in";
	for (size_t i = 0; i < FMT_FLAGS_SHADOW; i++)
		marks[i] = i + 2 < count ? field[i + 2] : "";
	fmt_flags_shadow(account, marks);
	return import_account_hash(account, field[1]);
}
