/* SPDX-License-Identifier: MIT */
#include "fmt_vmailmgr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/secret.h"

enum {
	VERSION = 2,
	FLAG_ENABLED = 0x08,
	FLAG_MAILBOX = 0x0a,
	USER_MAX = 64,
	OLD_MAX = 1024,
};

/* What is left of a value. */
struct bytes {
	const char *at;
	size_t len;
};

/* An entry of any version; the texts point into the value. */
struct entry {
	const char *hash, *dir;
	struct bytes forwards; /* each NUL-ended */
	const char *name, *hard, *soft, *size, *count, *expiry;
	bool mailbox, enabled;
	char old[OLD_MAX]; /* of the first version, cut in place */
};

/* The next text; NULL: it does not end. */
static const char *take_text(struct bytes *bytes)
{
	const char *text = bytes->at;
	const char *end = memchr(text, 0, bytes->len);

	if (!end)
		return NULL;
	bytes->len -= (size_t)(end + 1 - text);
	bytes->at = end + 1;
	return text;
}

/* Pairs of flag and value. False: they do not end. */
static bool take_flags(struct bytes *bytes, struct entry *entry)
{
	while (bytes->len && bytes->at[0]) {
		if (bytes->len < 2)
			return false;
		if (bytes->at[0] == FLAG_MAILBOX)
			entry->mailbox = bytes->at[1] != 0;
		if (bytes->at[0] == FLAG_ENABLED)
			entry->enabled = bytes->at[1] != 0;
		bytes->at += 2;
		bytes->len -= 2;
	}
	if (!bytes->len)
		return false;
	bytes->at++;
	bytes->len--;
	return true;
}

/* hash, directory, forwards and an empty one. */
static bool take_base(struct bytes *bytes, struct entry *entry)
{
	const char *text;

	entry->hash = take_text(bytes);
	entry->dir = entry->hash ? take_text(bytes) : NULL;
	if (!entry->dir)
		return false;
	entry->forwards.at = bytes->at;
	while ((text = take_text(bytes)) != NULL && text[0])
		entry->forwards.len = (size_t)(bytes->at - entry->forwards.at);
	return text != NULL;
}

static bool take_rest(struct bytes *bytes, struct entry *entry)
{
	entry->name = take_text(bytes);
	entry->hard = entry->name ? take_text(bytes) : NULL;
	entry->soft = entry->hard ? take_text(bytes) : NULL;
	entry->size = entry->soft ? take_text(bytes) : NULL;
	entry->count = entry->size ? take_text(bytes) : NULL;
	entry->expiry = entry->count && take_text(bytes) /* created */
				? take_text(bytes)
				: NULL;
	return entry->expiry != NULL;
}

/* :HASH:./users/joe, or :HASH:&joe,ann@example.org. */
static bool take_old(struct bytes bytes, struct entry *entry)
{
	char *colon;

	if (bytes.len >= sizeof entry->old || memchr(bytes.at, 0, bytes.len))
		return false;
	memcpy(entry->old, bytes.at, bytes.len);
	entry->old[bytes.len] = 0;
	colon = strchr(entry->old, ':');
	if (!colon)
		return false;
	*colon++ = 0;
	entry->hash = entry->old;
	entry->name = entry->dir = "";
	entry->hard = entry->soft = entry->size = entry->count = entry->expiry =
		"-";
	entry->mailbox = *colon == '.' || *colon == '/';
	if (entry->mailbox) {
		entry->dir = colon;
		return true;
	}
	entry->forwards.at = colon;
	entry->forwards.len = strlen(colon) + 1; /* an empty one is none */
	for (; *colon; colon++) {
		if (*colon == ',')
			*colon = 0;
	}
	return true;
}

static const char *read_entry(const char *value, size_t len,
			      struct entry *entry)
{
	static const char cut[] = "its entry is cut";
	struct bytes bytes = {value + 1, len - 1};

	*entry = (struct entry){.mailbox = true, .enabled = true};
	if (len == 0 || value[0] < 1 || (value[0] > VERSION && value[0] != ':'))
		return "its entry is of an unknown version";
	if (value[0] == ':')
		return take_old(bytes, entry) ? NULL : cut;
	if (value[0] == VERSION && !take_flags(&bytes, entry))
		return cut;
	if (!take_base(&bytes, entry) || !take_rest(&bytes, entry))
		return cut;
	if (!entry->dir[0])
		entry->mailbox = false;
	return NULL;
}

static bool find_dir(const char *dir, const char *base, char ret_dir[PATH_MAX])
{
	int made;

	if (strncmp(dir, "./", 2) == 0)
		dir += 2;
	made = dir[0] == '/' || !dir[0]
		       ? snprintf(ret_dir, PATH_MAX, "%s", dir)
		       : snprintf(ret_dir, PATH_MAX, "%s/%s", base, dir);
	return made >= 0 && made < PATH_MAX;
}

bool fmt_vmailmgr_dir(const char *value, size_t len,
		      const struct fmt_vmailmgr_site *site,
		      char ret_dir[PATH_MAX])
{
	struct entry entry;
	const bool found =
		!read_entry(value, len, &entry) &&
		find_dir(entry.mailbox ? entry.dir : "", site->base, ret_dir);

	secret_wipe(entry.old, sizeof entry.old);
	return found;
}

/* A forward without a domain is one of the same; with an empty one, of this
 * host. */
static const char *take_forward(struct import_account *account,
				const char *text,
				const struct fmt_vmailmgr_site *site)
{
	const char *at = strchr(text, '@');
	const char *host = at ? site->me : site->domain;
	char whole[NAME_ADDRESS_TEXT];
	int made;

	if (text[0] == '&')
		text++;
	if (at && at[1])
		return import_account_forward(account, text);
	if (!host[0])
		return "a forward is to this host, whose name qmail's files do "
		       "not say";
	made = snprintf(whole, sizeof whole, "%s%s%s", text, at ? "" : "@",
			host);
	if (made < 0 || (size_t)made >= sizeof whole)
		return "a forward is too long for an address";
	return import_account_forward(account, whole);
}

static const char *take_forwards(struct import_account *account,
				 const struct entry *entry,
				 const struct fmt_vmailmgr_site *site)
{
	struct bytes bytes = entry->forwards;
	const char *text, *why = NULL;

	while (!why && bytes.len && (text = take_text(&bytes)) != NULL)
		why = text[0] ? take_forward(account, text, site) : NULL;
	return why;
}

static const char *take_name(struct import_account *account, const char *user,
			     size_t len, const char *domain)
{
	char local[USER_MAX + 1];

	if (len > USER_MAX || memchr(user, 0, len))
		return "its name is none of a user";
	memcpy(local, user, len);
	local[len] = 0;
	/* vmailmgr's catch-all. */
	return import_account_local(
		account, strcmp(local, "+") == 0 ? "*" : local, domain);
}

/* md5 as hex digits behind a 3, a clear password behind $0$, or crypt(3). */
static const char *take_hash(struct import_account *account, const char *hash)
{
	char tagged[64];

	if (strncmp(hash, "$0$", 3) == 0)
		return import_account_password(account, hash + 3);
	if (strlen(hash) == 33 && hash[0] == '3' &&
	    strspn(hash, "0123456789abcdef") == 33) {
		(void)snprintf(tagged, sizeof tagged, "{PLAIN-MD5}%s",
			       hash + 1); /* it fits */
		return import_account_hash(account, tagged);
	}
	return import_account_hash(account, hash[0] ? hash : "*");
}

static void note_limits(struct import_account *account,
			const struct entry *entry)
{
	const struct {
		const char *value, *name;
	} limits[] = {
		{entry->soft, "soft quota"},
		{entry->size, "size of a message"},
		{entry->count, "number of messages"},
	};

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		if (strcmp(limits[i].value, "-") != 0)
			import_account_note(account, "the limit %s, %s",
					    limits[i].name, limits[i].value);
	}
}

/* Not enabled is no delivery into the box; logins and forwards go on. */
static const char *take_box(struct import_account *account,
			    const struct entry *entry,
			    const struct fmt_vmailmgr_site *site)
{
	char path[PATH_MAX];
	const char *why = NULL;

	if (entry->name[0])
		why = import_account_title(account, entry->name);
	if (!why)
		why = import_account_quota(account, entry->hard, 1);
	if (!why && !find_dir(entry->dir, site->base, path))
		why = "the directory's path is too long";
	if (!why)
		why = import_account_maildir(account, path);
	if (!why)
		why = take_hash(account, entry->hash);
	note_limits(account, entry);
	if (!entry->enabled) {
		import_account_no_mail(account);
		if (!account->has_forwards)
			import_account_note(account,
					    "its mail was thrown away (not "
					    "enabled): here it is sent back");
	}
	return why;
}

static const char *take_entry(struct import_account *account,
			      const struct entry *entry,
			      const struct fmt_vmailmgr_site *site,
			      const char **ret_left)
{
	const char *why = take_forwards(account, entry, site);

	if (why)
		return why;
	if (strcmp(entry->expiry, "-") != 0) {
		account->expires = strtoll(entry->expiry, NULL, 10);
		if (!account->expires)
			account->expires = 1; /* 1970: not never */
		account->expires_mail = true;
	}
	if (entry->mailbox)
		return take_box(account, entry, site);
	if (!account->has_forwards)
		*ret_left = "it leads nowhere: its mail was thrown away, and "
			    "here it is no address";
	return NULL;
}

bool fmt_vmailmgr_cells(const char *user, size_t user_len, const char *value,
			size_t len, const struct fmt_vmailmgr_site *site,
			struct fmt_vmailmgr_cells *ret_cells)
{
	struct fmt_vmailmgr_cells *cells = ret_cells;
	static struct entry entry; /* which the texts of an old one lie in */
	size_t at = 0;

	if (read_entry(value, len, &entry))
		return false;
	(void)snprintf(cells->address, sizeof cells->address, "%.*s@%s",
		       (int)user_len, user, site->domain);
	if (user_len == 1 && user[0] == '+')
		cells->address[0] = '*';
	while (at + 1 < entry.forwards.len && at + 1 < STORE_FORWARDS_MAX) {
		char c = entry.forwards.at[at];

		cells->forwards[at++] = c && c != '&' ? c : ' ';
	}
	cells->forwards[at] = 0;
	cells->hash = entry.hash[0] ? entry.hash : "*";
	cells->dir = entry.dir;
	cells->name = entry.name;
	cells->quota = entry.hard;
	cells->mailbox = entry.mailbox;
	cells->enabled = entry.enabled;
	return true;
}

const char *fmt_vmailmgr(const char *user, size_t user_len, const char *value,
			 size_t len, const struct fmt_vmailmgr_site *site,
			 struct import_account *account, const char **ret_left)
{
	struct entry entry;
	const char *why = take_name(account, user, user_len, site->domain);

	*ret_left = NULL;
	if (why)
		return why;
	why = read_entry(value, len, &entry);
	if (!why)
		why = take_entry(account, &entry, site, ret_left);
	secret_wipe(entry.old, sizeof entry.old);
	return why;
}
