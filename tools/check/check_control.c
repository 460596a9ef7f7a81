/* SPDX-License-Identifier: MIT */
/* check_control.c: what is wrong with qmail's files on the disk. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/resource_error.h"
#include "base/say.h"
#include "qmail/cdbfile.h"
#include "qmail/control.h"
#include "qmail/route.h"

/* One file that is looked at. */
struct audited {
	const struct config *config;
	enum lines_file file;
	control_found *found;
	void *arg;
	char name[64]; /* control/rcpthosts */
};

static __attribute__((format(printf, 4, 5))) void tell(const struct audited *a,
						       const char *check,
						       bool mends,
						       const char *format, ...)
{
	char text[1024], clean[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* cut is enough */
	va_end(args);
	say_clean(text, clean, sizeof clean);
	a->found(a->arg, check, mends, clean);
}

static const char *file_name(enum lines_file file)
{
	switch (file) {
	case LINES_RCPTHOSTS:
		return "control/rcpthosts";
	case LINES_MORE:
		return "control/morercpthosts";
	case LINES_VIRTUALDOMAINS:
		return "control/virtualdomains";
	case LINES_SMTPROUTES:
		return "control/smtproutes";
	case LINES_ASSIGN:
		return "users/assign";
	case LINES_LOCALS:
		return "control/locals";
	}
	return "?";
}

/* control/locals, or what stands in for it. */
static int read_locals(struct audited *a, struct replace_text *ret_text)
{
	char path[PATH_MAX];
	bool missing = false;
	int dir, rc;

	(void)snprintf(path, sizeof path, "%s/control", a->config->qmail);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dir < 0 ? errno : control_load_locals(dir, &missing, ret_text);
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	if (missing)
		(void)snprintf(a->name, sizeof a->name,
			       "control/me (control/locals is missing)");
	return rc;
}

/* A file below qmail's home. 0 or an errno. */
static int read_below_home(const struct config *config, const char *name,
			   struct replace_text *ret_text)
{
	int dir = open(config->qmail, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir < 0 ? errno : replace_read(dir, name, ret_text);

	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	return rc;
}

static int read_audited(struct audited *a, struct replace_text *ret_text)
{
	return a->file == LINES_LOCALS
		       ? read_locals(a, ret_text)
		       : read_below_home(a->config, a->name, ret_text);
}

static void on_conflict(void *arg, unsigned long number, const char *line,
			size_t len, const char *wanted)
{
	const struct audited *a = arg;
	const int width = len < 200 ? (int)len : 200;

	if (wanted)
		tell(a, "line-wrong", true,
		     "%s line %lu says '%.*s' where '%s' is wanted", a->name,
		     number, width, line, wanted);
	else if (a->file == LINES_LOCALS)
		tell(a, "locals", false,
		     "%s line %lu has the domain '%.*s', which is delivered "
		     "locally by that ('popbox check --repair "
		     "--fix-locals' takes it out)",
		     a->name, number, width, line);
	else
		tell(a, "line-left", true,
		     "%s line %lu says '%.*s', which should not be there",
		     a->name, number, width, line);
}

/* What qmail makes of a line, whoever's it is. */
static void judge_line(const struct audited *a, unsigned long number,
		       const char *line, size_t len)
{
	const int width = len < 200 ? (int)len : 200;
	const char *colon = len ? memchr(line, ':', len) : NULL;
	const char *fault = render_assign_line(line, len);
	bool comment = len && line[0] == '#';

	if (len && line[len - 1] == '\r')
		tell(a, "line-crlf", false,
		     "%s line %lu ends in a carriage return, which is part of "
		     "it",
		     a->name, number);
	else if (!comment && len && (line[0] == ' ' || line[0] == '\t'))
		tell(a, "line-blank", false,
		     "%s line %lu begins with a blank, and matches nothing",
		     a->name, number);
	else if (a->file == LINES_ASSIGN && fault)
		tell(a, "line-form", false,
		     "%s line %lu %s: qmail-newu refuses the file", a->name,
		     number, fault);
	else if (!comment && len && !colon && !lines_whole(a->file))
		tell(a, "line-form", false, "%s line %lu has no colon: '%.*s'",
		     a->name, number, width, line);
}

static void judge_lines(const struct audited *a, const char *text, size_t len)
{
	unsigned long number = 0;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		number++;
		if (a->file == LINES_ASSIGN && text[0] == '.')
			return; /* what stands behind it is nobody's */
		judge_line(a, number, text, line);
		text += line + (end != NULL);
		len -= line + (end != NULL);
	}
}

static void judge_ours(struct audited *a, const struct replace_text *text,
		       struct lines *lines)
{
	char *out;
	size_t len;

	if (!render_file(a->file, text->bytes ? text->bytes : "", text->len,
			 lines, on_conflict, a, &out, &len)) {
		say_lost();
		return;
	}
	free(out);
	for (size_t i = 0; i < lines->count; i++) {
		if (lines->line[i].line && !lines->line[i].seen)
			tell(a, "line-missing", true,
			     "%s: the line '%s' is missing", a->name,
			     lines->line[i].line);
	}
}

static void judge_file(const struct audited *a, const struct replace_text *text)
{
	if (text->uid != 0 && text->uid != geteuid())
		tell(a, "owner", false,
		     "%s belongs to uid %u, not to root "
		     "(chown it)",
		     a->name, text->uid);
	if (text->mode & S_IWOTH)
		tell(a, "writable", false,
		     "%s has mode %04o: everybody may write to it (chmod o-w)",
		     a->name, text->mode & 07777);
	if (!(text->mode & S_IROTH))
		tell(a, "readable", false,
		     "%s has mode %04o: qmail's users cannot read it (chmod "
		     "a+r)",
		     a->name, text->mode & 07777);
	if (a->file == LINES_ASSIGN &&
	    !render_assign_ends(text->bytes, text->len))
		tell(a, "assign-end", false,
		     "%s has no line that begins with '.', which must end it",
		     a->name);
}

void control_audit_lines(const struct config *config, enum lines_file file,
			 struct lines *lines, control_found *found, void *arg)
{
	struct audited a = {
		.config = config, .file = file, .found = found, .arg = arg};
	struct replace_text text = {0};
	int rc;

	(void)snprintf(a.name, sizeof a.name, "%s", file_name(file));
	rc = read_audited(&a, &text);
	if (rc == 0 || rc == ENOENT)
		judge_ours(&a, &text, lines);
	else if (resource_error(rc))
		say_lost();
	replace_free(&text);
}

void control_audit(const struct config *config, enum lines_file file,
		   struct lines *lines, control_found *found, void *arg)
{
	struct audited a = {
		.config = config, .file = file, .found = found, .arg = arg};
	struct replace_text text = {0};
	int rc;

	(void)snprintf(a.name, sizeof a.name, "%s", file_name(file));
	rc = read_audited(&a, &text);
	if (rc == ENOENT && file == LINES_RCPTHOSTS) {
		tell(&a, "open-relay", false,
		     "%s is missing: qmail-smtpd takes mail for every domain "
		     "(make it, at least empty, then 'popbox sync --full')",
		     a.name);
		return;
	}
	if (resource_error(rc)) {
		say_lost();
		return;
	}
	if (rc != 0 && rc != ENOENT) {
		tell(&a, "irregular", false, "%s cannot be read: %s", a.name,
		     rc == EINVAL ? "it is no regular file" : strerror(rc));
		return;
	}
	if (rc == 0) {
		if (text.uid != (uid_t)-1) /* else control/me stands in */
			judge_file(&a, &text);
		judge_lines(&a, text.bytes, text.len);
	}
	judge_ours(&a, &text, lines);
	replace_free(&text);
}

/* A text file against the index that one of qmail's programs makes of it: the
 * keys that it should have, sorted, each once. */
struct entry {
	char *key;
	size_t len;
	const char *value; /* into the text */
	size_t value_len;
};

struct index {
	struct audited a;
	const char *source, *name, *program;
	struct entry *entry;
	size_t count;
	size_t keys; /* that are in the index */
	bool stale;
};

static int by_entry(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->key, y->key, len);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* First comes first, as the first of several counts. */
static int by_entry_and_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = by_entry(a, b);

	return order ? order : (x->value > y->value) - (x->value < y->value);
}

/* The key of a line: lower-case, of users/assign with '!' for its first
 * character and, where it is exact, a NUL. */
static bool add_entry(struct index *index, const char *line, size_t len)
{
	const bool assign = index->a.file == LINES_ASSIGN;
	const char *colon = assign ? memchr(line, ':', len) : line + len;
	struct entry *entry = &index->entry[index->count];

	if (!colon || colon == line)
		return true; /* the program refuses it, or passes it over */
	entry->len = (size_t)(colon - line);
	entry->key = calloc(1, entry->len + 1);
	if (!entry->key)
		return false;
	for (size_t i = 0; i < entry->len; i++)
		entry->key[i] = line[i] >= 'A' && line[i] <= 'Z'
					? (char)(line[i] + 32)
					: line[i];
	entry->value = colon + assign;
	entry->value_len = (size_t)(line + len - entry->value);
	if (assign) {
		entry->len += line[0] == '=';
		entry->key[0] = '!';
	}
	index->count++;
	return true;
}

static bool fill(struct index *index, const char *text, size_t len)
{
	const bool assign = index->a.file == LINES_ASSIGN;
	size_t lines = 1, kept = 0;
	bool good = true;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	index->entry = calloc(lines, sizeof *index->entry);
	if (!index->entry)
		return false;
	while (good && len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len, key = line;

		if (assign && (text[0] == '.' || !end))
			break; /* what stands behind it is nobody's */
		while (!assign && key && strchr(" \t", text[key - 1]))
			key--;
		if (assign || (key && text[0] != '#'))
			good = add_entry(index, text, key);
		text += line + (end != NULL);
		len -= line + (end != NULL);
	}
	if (index->count)
		qsort(index->entry, index->count, sizeof *index->entry,
		      by_entry_and_place);
	for (size_t i = 0; i < index->count; i++) {
		if (kept &&
		    by_entry(&index->entry[kept - 1], &index->entry[i]) == 0)
			free(index->entry[i].key);
		else
			index->entry[kept++] = index->entry[i];
	}
	index->count = kept;
	return good;
}

static bool same_user(const struct entry *entry, const char *value,
		      unsigned value_len)
{
	struct route_user *is = calloc(2, sizeof *is);
	bool same = true;

	if (!is) {
		say_lost();
		return true;
	}
	same = route_fields(value, value_len, 0, &is[0]) &&
	       route_fields(entry->value, entry->value_len, ':', &is[1]);

	for (int i = 0; same && i < 6; i++)
		same = strcmp(is[0].field[i], is[1].field[i]) == 0;
	free(is);
	return same;
}

static bool on_key(void *arg, const char *key, unsigned key_len,
		   const char *value, unsigned value_len)
{
	struct index *index = arg;
	const bool assign = index->a.file == LINES_ASSIGN;
	char *copy = key_len ? strndup(key, key_len) : NULL;
	const struct entry wanted = {.key = copy, .len = key_len};
	const struct entry *found;

	if (!copy) {
		if (key_len)
			say_lost();
		return true; /* the empty one: in which characters prefixes end */
	}
	found = index->count ? bsearch(&wanted, index->entry, index->count,
				       sizeof wanted, by_entry)
			     : NULL;
	index->keys++;
	index->stale =
		!found || (assign && !same_user(found, value, value_len));
	free(copy);
	return !index->stale;
}

static void compare(struct index *index)
{
	char path[PATH_MAX];
	enum cdbfile read;

	(void)snprintf(path, sizeof path, "%s/%s", index->a.config->qmail,
		       index->name);
	read = cdbfile_walk(path, on_key, index);
	if (read == CDBFILE_MISSING)
		tell(&index->a, "cdb-missing", true,
		     "%s is missing (%s makes it)", index->name,
		     index->program);
	else if (read == CDBFILE_LATER)
		say_lost();
	else if (read != CDBFILE_FOUND)
		tell(&index->a, "cdb-damaged", true,
		     "%s is damaged (%s makes it anew)", index->name,
		     index->program);
	else if (index->stale || index->keys != index->count)
		tell(&index->a, "cdb-stale", true,
		     "%s says something else than %s (%s makes it anew)",
		     index->name, index->source, index->program);
}

static void audit_index(struct index *index)
{
	struct replace_text text = {0};

	/* One that is not there has no index; one that cannot be read was
	 * said already. */
	if (read_below_home(index->a.config, index->source, &text) == 0) {
		if (fill(index, text.bytes, text.len))
			compare(index);
		else
			say_lost();
	}
	for (size_t i = 0; i < index->count; i++)
		free(index->entry[i].key);
	free(index->entry);
	replace_free(&text);
}

void control_audit_cdb(const struct config *config, control_found *found,
		       void *arg)
{
	struct index users = {.a = {.config = config,
				    .file = LINES_ASSIGN,
				    .found = found,
				    .arg = arg},
			      .source = "users/assign",
			      .name = cdbfile_users(config->qmail),
			      .program = "qmail-newu"};
	struct index hosts = {.a = {.config = config,
				    .file = LINES_MORE,
				    .found = found,
				    .arg = arg},
			      .source = "control/morercpthosts",
			      .name = "control/morercpthosts.cdb",
			      .program = "qmail-newmrh"};

	audit_index(&users);
	audit_index(&hosts);
}
