/* SPDX-License-Identifier: MIT */
#include "sqmail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replace.h"

#define FILE_NAME "recipients"
#define FALLBACK "!*"

enum kind { THEIRS, WHOLE, LISTED, REST };

/* A line, without its end, and the domain that it is about. */
static enum kind kind_of(const char *line, size_t len,
			 struct name_domain *ret_name)
{
	static const char ends[] = ":" SQMAIL_CDB;
	const size_t end = sizeof ends - 1;

	if (len == strlen(FALLBACK) && memcmp(line, FALLBACK, len) == 0)
		return REST;
	if (len > 1 && line[0] == '!' &&
	    !name_domain_read(line + 1, len - 1, ret_name))
		return WHOLE;
	if (len > end + 1 && line[0] == '@' &&
	    memcmp(line + len - end, ends, end) == 0 &&
	    !name_domain_read(line + 1, len - end - 1, ret_name))
		return LISTED;
	return THEIRS;
}

/* The domain of somebody else's line, where it has one. */
static bool domain_of(const char *line, size_t len, struct name_domain *ret_name)
{
	size_t at = 0, end;

	if (len && (line[0] == '@' || line[0] == '!'))
		at = 1;
	for (end = at; end < len && line[end] != ':' && line[end] != '|'; end++)
		;
	return !name_domain_read(line + at, end - at, ret_name);
}

/* The lines while they are made. */
struct making {
	struct text theirs;
	struct pairs about; /* domains of theirs */
	struct pairs whole, listed;
};

static bool is_all(const struct sqmail *s, const struct name_domain *name)
{
	char key[NAME_DOMAIN_MAX + 2];

	(void)snprintf(key, sizeof key, "@%s", name->s); /* it fits */
	return pairs_has(s->valid, key);
}

/* Of a look at everything the lines of domains that nobody knows: `!x` may be an
 * administrator's, a line for our file is not. */
static bool stays(const struct sqmail *s, enum kind kind,
		  const struct name_domain *name)
{
	if (s->joins)
		return true;
	return !s->about(s->arg, name) && (!s->all || kind == WHOLE) &&
	       !is_all(s, name);
}

static bool take_line(const struct sqmail *s, struct making *m,
		      const char *line, size_t len)
{
	struct name_domain name;

	switch (kind_of(line, len, &name)) {
	case THEIRS:
		if (domain_of(line, len, &name) &&
		    !pairs_add(&m->about, name.s, ""))
			return false;
		return text_put(&m->theirs, line, len) &&
		       text_put(&m->theirs, "\n", 1);
	case WHOLE:
		return !stays(s, WHOLE, &name) ||
		       pairs_add(&m->whole, name.s, "");
	case LISTED:
		return !stays(s, LISTED, &name) ||
		       pairs_add(&m->listed, name.s, "");
	case REST:
		break;
	}
	return true;
}

static bool take_old(const struct sqmail *s, struct making *m, const char *old,
		     size_t len)
{
	bool good = true;

	for (size_t at = 0; good && at < len;) {
		const char *end = memchr(old + at, '\n', len - at);
		const size_t line = end ? (size_t)(end - old) - at : len - at;

		good = take_line(s, m, old + at, line);
		at += line + 1;
	}
	pairs_sort(&m->about);
	return good;
}

static bool add_new(const struct sqmail *s, struct making *m)
{
	bool good = true;

	for (size_t i = 0; good && i < s->valid->count; i++) {
		const char *key = pairs_key(s->valid, i);

		/* Of a domain of others that they have a line for. */
		if (key[0] == '@' && (pairs_has(s->domains, key + 1) ||
				      !pairs_has(&m->about, key + 1)))
			good = pairs_add(&m->whole, key + 1, "");
	}
	for (size_t i = 0; good && i < s->domains->count; i++) {
		struct name_domain name;
		const char *key = pairs_key(s->domains, i);

		if (!name_domain_read(key, strlen(key), &name) &&
		    !is_all(s, &name))
			good = pairs_add(&m->listed, key, "");
	}
	pairs_sort(&m->whole);
	pairs_sort(&m->listed);
	return good;
}

static bool put_lines(struct text *text, const char *before,
		      const struct pairs *names, const char *behind)
{
	bool good = true;

	for (size_t i = 0; good && i < names->count; i++) {
		const char *name = pairs_key(names, i);

		good = text_put(text, before, 1) &&
		       text_put(text, name, strlen(name)) &&
		       text_put(text, behind, strlen(behind));
	}
	return good;
}

bool sqmail_text(const struct sqmail *s, const char *old, size_t len,
		 struct text *ret_text)
{
	struct making m = {0};
	const bool good =
		take_old(s, &m, old, len) && add_new(s, &m) &&
		put_lines(&m.theirs, "!", &m.whole, "\n") &&
		put_lines(&m.theirs, "@", &m.listed, ":" SQMAIL_CDB "\n") &&
		text_put(&m.theirs, FALLBACK "\n", strlen(FALLBACK) + 1);

	pairs_free(&m.about);
	pairs_free(&m.whole);
	pairs_free(&m.listed);
	*ret_text = m.theirs;
	return good;
}

static int open_control(const char *qmail)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/control", qmail);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The old text, empty where there is no file, and the new one. 0 or an errno. */
static int make(const struct sqmail *s, int dir, struct replace_text *ret_old,
		struct text *ret_new)
{
	int rc = replace_read(dir, FILE_NAME, ret_old);

	*ret_new = (struct text){0};
	if (rc == ENOENT)
		*ret_old = (struct replace_text){
			.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
	else if (rc != 0)
		return rc;
	return sqmail_text(s, ret_old->bytes ? ret_old->bytes : "",
			   ret_old->len, ret_new)
		       ? 0
		       : ENOMEM;
}

static bool is_same(const struct replace_text *old, const struct text *new)
{
	return old->bytes && new->bytes && old->len == new->len &&
	       memcmp(old->bytes, new->bytes, old->len) == 0;
}

int sqmail_write(const struct sqmail *s)
{
	struct replace_text old = {0};
	struct text new = {0};
	const int dir = open_control(s->qmail);
	int rc;

	if (dir < 0)
		return errno;
	rc = make(s, dir, &old, &new);
	if (rc == 0 && !is_same(&old, &new))
		rc = replace_file(dir, FILE_NAME, FILE_NAME ".popbox-tmp", &old,
				  new.bytes, new.len);
	else if (rc == 0 && fsync(dir) != 0) /* of a run that was killed */
		rc = errno;
	free(new.bytes);
	replace_free(&old);
	(void)close(dir); /* a directory, read only */
	return rc;
}

bool sqmail_exists(const char *qmail)
{
	char path[PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/control/" FILE_NAME, qmail);
	return stat(path, &st) == 0;
}

static bool split(const char *text, size_t len, struct pairs *lines)
{
	bool good = true;

	for (size_t at = 0; good && at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		const size_t line = end ? (size_t)(end - text) - at : len - at;
		char *copy = strndup(text + at, line);

		good = copy && pairs_add(lines, copy, "");
		free(copy);
		at += line + 1;
	}
	pairs_sort(lines);
	return good;
}

bool sqmail_compare(const struct sqmail *s, pairs_differs *each, void *arg,
		    bool *ret_same)
{
	struct replace_text old = {0};
	struct text new = {0};
	struct pairs is = {0}, was = {0};
	const int dir = open_control(s->qmail);
	int rc = dir < 0 ? errno : make(s, dir, &old, &new);

	if (rc == 0 && ((old.bytes && !split(old.bytes, old.len, &was)) ||
			!split(new.bytes, new.len, &is)))
		rc = ENOMEM;
	if (rc == 0) {
		(void)pairs_compare(&is, &was, each, arg);
		*ret_same = is_same(&old, &new);
	}
	pairs_free(&is);
	pairs_free(&was);
	free(new.bytes);
	replace_free(&old);
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	errno = rc;
	return rc == 0;
}
