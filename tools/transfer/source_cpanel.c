/* SPDX-License-Identifier: MIT */
/* source_cpanel.c: the mail accounts of a cPanel user, as its directory etc has
 * them: a directory for each domain, with shadow, passwd and quota in it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/safe_open.h"
#include "base/say.h"
#include "base/strtab.h"
#include "fmt_passwd.h"
#include "input.h"
#include "source.h"

/* user:value of a file, by user. */
struct values {
	struct strtab users;
	char **value;
	size_t room;
};

struct cpanel {
	const struct source_how *how;
	source_sink *sink;
	void *arg;
	struct values quota, dir;
	bool enough;
};

static void forget(struct values *values)
{
	for (size_t i = 0; i < values->users.count; i++)
		free(values->value[i]);
	free(values->value);
	strtab_free(&values->users);
	*values = (struct values){.room = 0};
}

/* False: no memory. */
static bool remember(struct values *values, const char *user, const char *value)
{
	size_t number = SIZE_MAX, before = values->users.count;
	char *copy = strdup(value);

	if (!copy || !strtab_add(&values->users, user, &number) ||
	    number < before) {
		free(copy);
		return copy != NULL && number < before;
	}
	if (number == values->room) {
		size_t room = values->room ? values->room * 2 : 64;
		char **more = reallocarray(values->value, room, sizeof *more);

		if (!more) {
			free(copy);
			return false;
		}
		values->value = more;
		values->room = room;
	}
	values->value[number] = copy;
	return true;
}

static const char *recall(const struct values *values, const char *user)
{
	size_t number;

	return strtab_find(&values->users, user, &number)
		       ? values->value[number]
		       : NULL;
}

/* The field of a line, from 0, cut out. "": it has none. */
static const char *field(char *line, size_t at)
{
	for (; at; at--) {
		line = strchr(line, ':');
		if (!line)
			return "";
		line++;
	}
	line[strcspn(line, ":\r\n")] = 0;
	return line;
}

/* A file that may miss. */
static int read_values(struct cpanel *c, const char *dir, const char *name,
		       size_t at, struct values *values)
{
	char path[PATH_MAX], *line;
	struct input input;
	bool good = true;
	size_t len;

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >=
	    (int)sizeof path)
		errno = ENAMETOOLONG;
	else if (input_open_below(&input, c->how->path, path)) {
		while (good && input_next(&input, &line, &len) == INPUT_LINE) {
			char user[NAME_ADDRESS_TEXT];
			size_t end = strcspn(line, ":");

			if (input.why || !line[end] || end >= sizeof user)
				continue;
			memcpy(user, line, end);
			user[end] = 0;
			good = remember(values, user, field(line, at));
		}
		input_close(&input);
		return good ? CODE_DONE : say_error(CODE_LATER, "no memory");
	} else if (errno == ENOENT)
		return CODE_DONE;
	return say_error(CODE_REFUSED, "cannot read '%s': %s", path,
			 strerror(errno));
}

static bool take(void *arg, const struct source_row *given)
{
	struct cpanel *c = arg;
	struct source_row row = *given;
	struct import_account *account = row.account;
	const char *quota, *dir;

	if (!row.why && !row.left) {
		quota = recall(&c->quota, account->address.local.s);
		dir = recall(&c->dir, account->address.local.s);
		if (quota)
			row.why = import_account_quota(account, quota, 1);
		if (!row.why && dir)
			row.why = import_account_maildir(account, dir);
	}
	c->enough = !c->sink(c->arg, &row);
	return !c->enough;
}

static bool has_shadow(const char *top, const char *dir)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof path, "%s/shadow", dir) >= (int)sizeof path)
		return false;
	fd = safe_open_below(top, path, 0);
	if (fd >= 0)
		(void)close(fd); /* only looked at */
	return fd >= 0;
}

static int read_domain(struct cpanel *c, const char *dir)
{
	const char *name = strrchr(dir, '/');
	struct source_how how = *c->how;
	char path[PATH_MAX];
	int code;

	if (!how.domain)
		how.domain = name && name[1] ? name + 1 : NULL;
	if (snprintf(path, sizeof path, "%s/shadow", dir) >= (int)sizeof path)
		return say_error(CODE_REFUSED, "'%s' is too long", dir);
	code = read_values(c, dir, "quota", 1, &c->quota);
	if (code == CODE_DONE)
		code = read_values(c, dir, "passwd", 5, &c->dir);
	if (code == CODE_DONE)
		code = source_lines(&how, fmt_passwd_shadow, path, take, c);
	forget(&c->quota);
	forget(&c->dir);
	return code;
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* The names of its directories, in an order that lasts. */
static int list(const struct cpanel *c, struct strtab *names)
{
	int fd = safe_open_below(c->how->path, c->how->path, O_DIRECTORY),
	    rc = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t number;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd); /* read only */
		return say_error(CODE_REFUSED, "cannot read '%s': %s",
				 c->how->path, strerror(errno));
	}
	while ((entry = dir_next(dir, &rc)) != NULL) {
		if (strchr(entry->d_name, '.') &&
		    !strtab_add(names, entry->d_name, &number))
			rc = ENOMEM;
	}
	(void)closedir(dir); /* read only */
	if (names->count)
		qsort(names->name, names->count, sizeof *names->name, by_name);
	return rc ? say_error(CODE_LATER, "cannot read '%s': %s",
			      c->how->path, strerror(rc))
		  : CODE_DONE;
}

static int read_domains(struct cpanel *c)
{
	struct strtab names = {.count = 0};
	int code = list(c, &names);
	size_t found = 0;

	for (size_t i = 0; code == CODE_DONE && !c->enough && i < names.count;
	     i++) {
		char dir[PATH_MAX];

		if (snprintf(dir, sizeof dir, "%s/%s", c->how->path,
			     names.name[i]) >= (int)sizeof dir ||
		    !has_shadow(c->how->path, dir))
			continue;
		found++;
		code = read_domain(c, dir);
	}
	strtab_free(&names);
	if (code == CODE_DONE && !found)
		return say_error(CODE_REFUSED,
				 "'%s' has no shadow, and no directory of a "
				 "domain that has one",
				 c->how->path);
	return code;
}

int source_cpanel(const struct source_how *how, source_sink *sink, void *arg)
{
	struct cpanel c = {.how = how, .sink = sink, .arg = arg};

	return has_shadow(how->path, how->path) ? read_domain(&c, how->path)
						: read_domains(&c);
}
