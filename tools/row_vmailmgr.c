#include "row_vmailmgr.h"

#include <stdio.h>
#include <string.h>

enum {
	VERSION = 2,
	FLAG_ENABLED = 0x08,
	FLAG_MAILBOX = 0x0a,
	USER_MAX = 64,
};

/* What is left of a value. */
struct bytes {
	const char *at;
	size_t len;
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
static bool take_flags(struct bytes *bytes, bool *ret_mailbox,
		       bool *ret_enabled)
{
	*ret_mailbox = *ret_enabled = true;
	while (bytes->len && bytes->at[0]) {
		if (bytes->len < 2)
			return false;
		if (bytes->at[0] == FLAG_MAILBOX)
			*ret_mailbox = bytes->at[1] != 0;
		if (bytes->at[0] == FLAG_ENABLED)
			*ret_enabled = bytes->at[1] != 0;
		bytes->at += 2;
		bytes->len -= 2;
	}
	if (!bytes->len)
		return false;
	bytes->at++;
	bytes->len--;
	return true;
}

/* ./users/joe below the directory that passwd.cdb is in. */
static const char *take_dir(struct intake *intake, const char *base,
			    const char *dir)
{
	char path[PATH_MAX];
	int made;

	if (!dir[0])
		return NULL;
	if (dir[0] == '/')
		return intake_maildir(intake, dir);
	if (strncmp(dir, "./", 2) == 0)
		dir += 2;
	made = snprintf(path, sizeof path, "%s/%s", base, dir);
	if (made < 0 || (size_t)made >= sizeof path)
		return "the directory's path is too long";
	return intake_maildir(intake, path);
}

/* A forward without a domain is one of the same. */
static const char *take_forward(struct intake *intake, const char *text,
				const char *domain)
{
	char whole[NAME_ADDRESS_TEXT];
	int made;

	if (text[0] == '&')
		text++;
	if (strchr(text, '@'))
		return intake_forward(intake, text);
	made = snprintf(whole, sizeof whole, "%s@%s", text, domain);
	if (made < 0 || (size_t)made >= sizeof whole)
		return "a forward is too long for an address";
	return intake_forward(intake, whole);
}

static const char *take_forwards(struct intake *intake, struct bytes *bytes,
				 const char *domain)
{
	const char *text, *why = NULL;

	while (!why && (text = take_text(bytes)) != NULL && text[0])
		why = take_forward(intake, text, domain);
	return why || text ? why : "its entry is cut";
}

static const char *take_rest(struct intake *intake, struct bytes *bytes)
{
	const char *name = take_text(bytes);
	const char *hard = take_text(bytes);
	const char *why;

	if (!name || !hard)
		return "its entry is cut";
	why = name[0] ? intake_title(intake, name) : NULL;
	return why ? why : intake_quota(intake, hard, 1);
}

static const char *take_name(struct intake *intake, const char *user,
			     size_t len, const char *domain)
{
	char local[USER_MAX + 1];

	if (len > USER_MAX || memchr(user, 0, len))
		return "its name is none of a user";
	memcpy(local, user, len);
	local[len] = 0;
	/* vmailmgr's catch-all. */
	return intake_local(intake, strcmp(local, "+") == 0 ? "*" : local,
			    domain);
}

const char *row_vmailmgr(const char *user, size_t user_len, const char *value,
			 size_t len, const char *domain, const char *base,
			 struct intake *intake)
{
	struct bytes bytes = {value + 1, len - 1};
	const char *why = take_name(intake, user, user_len, domain);
	const char *hash, *dir;
	bool mailbox, enabled;

	if (why)
		return why;
	if (len == 0 || value[0] != VERSION)
		return "its entry is of another version than 2 (let vmailmgr's "
		       "vpasswd rewrite it)";
	if (!take_flags(&bytes, &mailbox, &enabled))
		return "its entry is cut";
	hash = take_text(&bytes);
	dir = take_text(&bytes);
	if (!hash || !dir)
		return "its entry is cut";
	why = take_forwards(intake, &bytes, domain);
	if (!why)
		why = take_rest(intake, &bytes);
	if (!mailbox && intake->has_forwards) { /* an alias: no box's data */
		intake->has_title = intake->has_quota = false;
		return why;
	}
	if (why)
		return why;
	if (!enabled) {
		intake->has_login = true;
		intake->login = false;
	}
	why = take_dir(intake, base, dir);
	return why ? why : intake_hash(intake, hash[0] ? hash : "*");
}
