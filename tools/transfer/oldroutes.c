/* SPDX-License-Identifier: MIT */
#include "oldroutes.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/say.h"
#include "qmail/route.h"

enum { KEY_MAX = 256 };

/* A line of a file: key and value around its first colon, lower-case key. */
struct line {
	char key[KEY_MAX];
	const char *value;
	size_t value_len;
};

/* False: it has no key, or one too long for a domain. */
static bool split(const char *at, size_t len, bool whole, struct line *ret_line)
{
	const char *colon = whole ? NULL : memchr(at, ':', len);
	size_t key;

	while (len && strchr(" \t\r", at[len - 1]))
		len--;
	key = colon ? (size_t)(colon - at) : len;
	if (key == 0 || key >= KEY_MAX || at[0] == '#' || (!colon && !whole) ||
	    memchr(at, 0, key))
		return false;
	for (size_t i = 0; i < key; i++)
		ret_line->key[i] = at[i] >= 'A' && at[i] <= 'Z'
					   ? (char)(at[i] + 32)
					   : at[i];
	ret_line->key[key] = 0;
	ret_line->value = colon ? colon + 1 : at + key;
	ret_line->value_len = colon && len > key ? len - key - 1 : 0;
	return true;
}

typedef bool take_line(struct oldroutes *old, const struct line *line);

/* Calls take with each line; false: no memory. */
static bool each_line(struct oldroutes *old, const struct replace_text *text,
		      bool whole, take_line *take)
{
	struct line line;
	bool good = true;

	for (size_t at = 0; good && at < text->len;) {
		const char *start = text->bytes + at;
		const char *end = memchr(start, '\n', text->len - at);
		size_t len = end ? (size_t)(end - start) : text->len - at;

		if (split(start, len, whole, &line))
			good = take(old, &line);
		at += len + 1;
	}
	return good;
}

/* Grown like the names that it belongs to. False: no memory. */
static bool grow(void **array, size_t size, const struct strtab *names)
{
	void *more = reallocarray(*array, names->room, size);

	if (more)
		*array = more;
	return more != NULL;
}

static struct oldroutes_dir look(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0
		       ? (struct oldroutes_dir){st.st_dev, st.st_ino}
		       : (struct oldroutes_dir){0, 0};
}

/* The field home of an assignment. */
static struct oldroutes_dir home_of(const char *value, size_t len)
{
	static struct route_user user; /* 24 KiB */

	return route_fields(value, len, ':', &user)
		       ? look(user.field[ROUTE_HOME])
		       : (struct oldroutes_dir){0, 0};
}

/* +ID-:...; of the same key the first line counts. */
static bool take_assign(struct oldroutes *old, const struct line *line)
{
	char id[KEY_MAX];
	size_t len = strlen(line->key), number;

	if (line->key[0] != '+' || len < 3 || line->key[len - 1] != '-')
		return true;
	memcpy(id, line->key + 1, len - 2);
	id[len - 2] = 0;
	if (strtab_has(&old->assigned, id))
		return true;
	if (!strtab_add(&old->assigned, id, &number) ||
	    !grow((void **)&old->home, sizeof *old->home, &old->assigned))
		return false;
	old->home[number] = home_of(line->value, line->value_len);
	return true;
}

static bool take_route(struct oldroutes *old, const struct line *line)
{
	const size_t count = old->routed.count;
	size_t number;

	if (!strtab_add(&old->routed, line->key, &number) ||
	    !grow((void **)&old->id, sizeof *old->id, &old->routed) ||
	    !grow((void **)&old->into, sizeof *old->into, &old->routed))
		return false;
	if (number < count)
		free(old->id[number]);
	old->id[number] = strndup(line->value, line->value_len);
	old->ids = old->routed.count;
	return old->id[number] != NULL;
}

static bool take_below(struct oldroutes *old, const struct line *line)
{
	size_t number;

	return line->key[0] != '.' ||
	       strtab_add(&old->below, line->key, &number);
}

/* Mail of this id goes to ID-LOCAL: an assignment, else a user of that name. */
static struct oldroutes_dir dir_of(const struct oldroutes *old, const char *id)
{
	const struct passwd *user;
	size_t number;

	if (strtab_find(&old->assigned, id, &number))
		return old->home[number];
	user = id[0] ? getpwnam(id) : NULL;
	return user ? look(user->pw_dir) : (struct oldroutes_dir){0, 0};
}

static int read_file(const struct config *config, int dir, const char *name,
		     struct replace_text *ret_text)
{
	int rc = dir < 0 ? errno : replace_read(dir, name, ret_text);

	if (rc == 0)
		return CODE_DONE;
	*ret_text = (struct replace_text){.bytes = NULL};
	/* The preflight says what is wrong with a file that popbox writes. */
	if (rc == ENOENT || rc == EINVAL)
		return CODE_DONE;
	return say_error(CODE_LATER, "cannot read '%s/%s': %s", config->qmail,
			 name, strerror(rc));
}

/* The first line of a control file, if that is a domain. */
static int read_name(const struct config *config, int dir, const char *name,
		     char ret_name[NAME_DOMAIN_MAX + 1])
{
	struct replace_text text;
	struct name_domain domain;
	int code = read_file(config, dir, name, &text);

	if (text.bytes) {
		size_t len = strcspn(text.bytes, " \t\r\n");

		if (!name_domain_read(text.bytes, len, &domain))
			memcpy(ret_name, domain.s, sizeof domain.s);
		replace_free(&text);
	}
	return code;
}

static int read_lines(const struct config *config, int dir, const char *name,
		      bool whole, take_line *take, struct oldroutes *old)
{
	struct replace_text text = {.len = 0};
	int code = read_file(config, dir, name, &text);

	if (code == CODE_DONE && !each_line(old, &text, whole, take))
		code = say_error(CODE_LATER, "no memory");
	replace_free(&text);
	return code;
}

int oldroutes_read(const struct config *config, struct oldroutes *ret_old)
{
	struct oldroutes *old = ret_old;
	int dir, code;

	*old = (struct oldroutes){.me = ""};
	if (!config_has_qmail(config))
		return CODE_DONE;
	dir = open(config->qmail, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	code = read_lines(config, dir, "users/assign", false, take_assign, old);
	if (code == CODE_DONE)
		code = read_lines(config, dir, "control/virtualdomains", false,
				  take_route, old);
	for (size_t i = 0; code == CODE_DONE && i < old->routed.count; i++)
		old->into[i] = dir_of(old, old->id[i]);
	if (code == CODE_DONE)
		code = read_lines(config, dir, "control/rcpthosts", true,
				  take_below, old);
	if (code == CODE_DONE)
		code = read_lines(config, dir, "control/morercpthosts", true,
				  take_below, old);
	if (code == CODE_DONE)
		code = read_name(config, dir, "control/me", old->me);
	memcpy(old->nohost, old->me, sizeof old->me);
	if (code == CODE_DONE)
		code = read_name(config, dir, "control/envnoathost",
				 old->nohost);
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	return code;
}

void oldroutes_free(struct oldroutes *old)
{
	for (size_t i = 0; i < old->ids; i++)
		free(old->id[i]);
	free(old->id);
	free(old->into);
	free(old->home);
	strtab_free(&old->assigned);
	strtab_free(&old->routed);
	strtab_free(&old->below);
	*old = (struct oldroutes){.me = ""};
}

bool oldroutes_subdomains(const struct oldroutes *old,
			  const struct name_domain *domain)
{
	char below[NAME_DOMAIN_MAX + 2];
	size_t own, wild;

	(void)snprintf(below, sizeof below, ".%s", domain->s); /* it fits */
	return strtab_has(&old->below, below) &&
	       strtab_find(&old->routed, domain->s, &own) &&
	       strtab_find(&old->routed, below, &wild) &&
	       strcmp(old->id[own], old->id[wild]) == 0;
}

bool oldroutes_is(struct oldroutes_dir dir, const struct stat *st)
{
	return dir.ino && dir.dev == st->st_dev && dir.ino == st->st_ino;
}

struct oldroutes_dir oldroutes_line(const struct oldroutes *old,
				    enum lines_file file, const char *at,
				    size_t len)
{
	static const struct oldroutes_dir nowhere = {0, 0};
	struct line line;
	char id[KEY_MAX];

	if (!split(at, len, false, &line))
		return nowhere;
	if (file == LINES_ASSIGN)
		return home_of(line.value, line.value_len);
	if (file != LINES_VIRTUALDOMAINS || line.value_len >= sizeof id)
		return nowhere;
	memcpy(id, line.value, line.value_len);
	id[line.value_len] = 0;
	return dir_of(old, id);
}

void oldroutes_into(const struct oldroutes *old, const struct stat *dir,
		    oldroutes_each *each, void *arg)
{
	bool more = true;

	for (size_t i = 0; more && i < old->routed.count; i++) {
		const char *name = old->routed.name[i];
		struct name_domain domain;

		if (oldroutes_is(old->into[i], dir) &&
		    !name_domain_read(name, strlen(name), &domain))
			more = each(arg, &domain);
	}
}
