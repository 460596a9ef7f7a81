#include "render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Grows by doubling; bytes.at is one malloc'ed block. */
struct text {
	char *bytes;
	size_t len;
	size_t room;
};

static bool put(struct text *text, const char *bytes, size_t len)
{
	if (text->len + len + 1 > text->room) {
		size_t room = (text->len + len + 1) * 2;
		char *more = realloc(text->bytes, room);

		if (!more)
			return false;
		text->bytes = more;
		text->room = room;
	}
	if (len)
		memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = 0;
	return true;
}

/* line NULL: there shall be none. */
static bool want(struct render_lines *lines, const char *key, const char *line)
{
	struct render_line new = {strdup(key), line ? strdup(line) : NULL,
				  false};
	bool good = new.key && (new.line || !line);

	if (lines->count == lines->room && good) {
		size_t room = lines->room ? lines->room * 2 : 8;
		struct render_line *more =
			reallocarray(lines->line, room, sizeof *more);

		if (more) {
			lines->line = more;
			lines->room = room;
		}
	}
	if (!good || lines->count == lines->room) {
		free(new.key);
		free(new.line);
		return false;
	}
	lines->line[lines->count++] = new;
	free(lines->by_key);
	lines->by_key = NULL;
	return true;
}

void render_lines_free(struct render_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		free(lines->line[i].key);
		free(lines->line[i].line);
	}
	free(lines->line);
	free(lines->by_key);
	*lines = (struct render_lines){0};
}

static bool fits(int len, size_t room)
{
	return len >= 0 && (size_t)len < room;
}

static bool want_assign(struct render_lines *lines, const struct config *config,
			const struct store_domain *domain)
{
	const char *user = config->assign_user == CONFIG_ASSIGN_POPUSR
				   ? config->assign_popusr
				   : domain->handle.s;
	char path[PATH_MAX], key[RENDER_LINE_MAX], line[RENDER_LINE_MAX];

	return mailroot_domain_path(config->home, &domain->handle,
				    &domain->name, path) &&
	       fits(snprintf(key, sizeof key, "+%s-", domain->name.s),
		    sizeof key) &&
	       fits(snprintf(line, sizeof line, "%s:%s:%u:%u:%s:-::", key, user,
			     config->uid, config->gid, path),
		    sizeof line) &&
	       want(lines, key, line);
}

/* For the domain itself, and for what is below it. The id in virtualdomains is
 * the domain's own name; for an alias that of its target, so that mail takes
 * the target's way from there on. */
static bool want_names(struct render_lines *lines, enum render_file file,
		       const struct store_domain *domain)
{
	const char *name = domain->name.s;
	const char *id =
		domain->kind == STORE_ALIAS ? domain->target.s : name;

	for (int below = 0; below <= (int)domain->subdomains; below++) {
		char key[RENDER_LINE_MAX], line[RENDER_LINE_MAX];

		if (!fits(snprintf(key, sizeof key, "%s%s", below ? "." : "",
				   name),
			  sizeof key) ||
		    !fits(snprintf(line, sizeof line, "%s:%s", key, id),
			  sizeof line) ||
		    !want(lines, key,
			  file == RENDER_VIRTUALDOMAINS ? line : key))
			return false;
	}
	return true;
}

bool render_want(struct render_lines *lines, enum render_file file,
		 const struct config *config, const struct store_domain *domain)
{
	switch (file) {
	case RENDER_ASSIGN:
		return domain->kind != STORE_POP ||
		       want_assign(lines, config, domain);
	case RENDER_RCPTHOSTS:
	case RENDER_VIRTUALDOMAINS:
		return want_names(lines, file, domain);
	}
	return false;
}

bool render_unwant(struct render_lines *lines, enum render_file file,
		   const struct store_domain *domain)
{
	const char *marks[] = {"", "."};
	char key[RENDER_LINE_MAX];

	for (size_t i = 0; i < 2; i++) {
		if (file == RENDER_ASSIGN)
			return fits(snprintf(key, sizeof key, "+%s-",
					     domain->name.s),
				    sizeof key) &&
			       want(lines, key, NULL);
		if (!fits(snprintf(key, sizeof key, "%s%s", marks[i],
				   domain->name.s),
			  sizeof key) ||
		    !want(lines, key, NULL))
			return false;
	}
	return true;
}

static int by_key(const void *a, const void *b)
{
	const struct render_line *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

/* The index by key, and no line seen yet. */
static bool index_lines(struct render_lines *lines)
{
	if (!lines->by_key) {
		lines->by_key = calloc(lines->count + 1, sizeof *lines->by_key);
		if (!lines->by_key)
			return false;
		for (size_t i = 0; i < lines->count; i++)
			lines->by_key[i] = &lines->line[i];
		qsort(lines->by_key, lines->count, sizeof *lines->by_key,
		      by_key);
	}
	for (size_t i = 0; i < lines->count; i++)
		lines->line[i].seen = false;
	return true;
}

/* The wanted line whose key this line has, or NULL. A carriage return at the
 * end is none to qmail but part of the line; here the line is ours all the
 * same, so that it is reported and mended. */
static struct render_line *find(enum render_file file,
				const struct render_lines *lines,
				const char *line, size_t len)
{
	char text[NAME_DOMAIN_MAX + 8] = {0};
	const struct render_line key = {.key = text}, *wanted = &key;
	struct render_line **found;

	if (file != RENDER_RCPTHOSTS) {
		const char *colon = memchr(line, ':', len);

		if (!colon)
			return NULL;
		len = (size_t)(colon - line);
	}
	while (len && strchr(" \t\r", line[len - 1]))
		len--;
	if (len == 0 || len >= sizeof text)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		char c = line[i];

		text[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	found = bsearch(&wanted, lines->by_key, lines->count,
			sizeof *lines->by_key, by_key);
	return found ? *found : NULL;
}

/* Blanks at the end are no difference to qmail's control files. */
static bool says(enum render_file file, const char *line, size_t len,
		 const char *wanted)
{
	while (file != RENDER_ASSIGN && len && strchr(" \t", line[len - 1]))
		len--;
	return strlen(wanted) == len && strncasecmp(line, wanted, len) == 0;
}

struct rendering {
	enum render_file file;
	struct render_lines *lines;
	render_conflict *report;
	void *arg;
	struct text out;
};

/* A line that is not ours stays; the first of ours becomes what is wanted;
 * further ones of the same key go. bytes end with a newline if the file's
 * line does. */
static bool render_line(struct rendering *r, unsigned long number,
			const char *line, size_t len, bool newline)
{
	struct render_line *ours = find(r->file, r->lines, line, len);
	bool same = ours && ours->line && says(r->file, line, len, ours->line);

	if (ours && !ours->line)
		return true;
	if (ours && r->report && !same)
		r->report(r->arg, number, line, len, ours->line);
	if (ours && ours->seen)
		return true;
	if (ours)
		ours->seen = true;
	if (ours && !same)
		return put(&r->out, ours->line, strlen(ours->line)) &&
		       put(&r->out, "\n", 1);
	return put(&r->out, line, len) && (!newline || put(&r->out, "\n", 1));
}

/* What is wanted and was not there, after a newline where one is missing. */
static bool render_missing(struct rendering *r)
{
	for (size_t i = 0; i < r->lines->count; i++) {
		struct render_line *line = &r->lines->line[i];

		if (line->seen || !line->line)
			continue;
		if (r->out.len && r->out.bytes[r->out.len - 1] != '\n' &&
		    !put(&r->out, "\n", 1))
			return false;
		if (!put(&r->out, line->line, strlen(line->line)) ||
		    !put(&r->out, "\n", 1))
			return false;
		line->seen = true;
	}
	return true;
}

bool render_file(enum render_file file, const char *text, size_t len,
		 struct render_lines *lines, render_conflict *report, void *arg,
		 char **ret_text, size_t *ret_len)
{
	struct rendering r = {file, lines, report, arg, {0}};
	bool good = index_lines(lines) && put(&r.out, "", 0), ended = false;
	unsigned long number = 0;

	while (good && len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		number++;
		/* The first line that begins with a dot ends users/assign;
		 * what stands behind it is nobody's. */
		if (file == RENDER_ASSIGN && !ended && text[0] == '.') {
			ended = true;
			good = render_missing(&r);
		}
		if (ended)
			good = good && put(&r.out, text, line) &&
			       (!end || put(&r.out, "\n", 1));
		else
			good = render_line(&r, number, text, line, end != NULL);
		text += line + (end != NULL);
		len -= line + (end != NULL);
	}
	good = good && render_missing(&r);
	if (good && file == RENDER_ASSIGN && !ended)
		good = put(&r.out, ".\n", 2);
	if (!good) {
		free(r.out.bytes);
		return false;
	}
	*ret_text = r.out.bytes;
	*ret_len = r.out.len;
	return true;
}

bool render_assign_ends(const char *text, size_t len)
{
	return len == 0 || text[0] == '.' || memmem(text, len, "\n.", 2);
}

/* bouncesaying of qmail's; a mail root without qmail is used by one that lies
 * where it usually does. */
static bool put_bounce(struct text *out, const struct config *config)
{
	const char *qmail = config_has_qmail(config) ? config->qmail
						     : "/var/qmail";
	char line[RENDER_LINE_MAX];
	int len = snprintf(line, sizeof line,
			   "|%s/bin/bouncesaying 'This address does not take "
			   "mail. (#5.2.1)'\n",
			   qmail);

	return fits(len, sizeof line) && put(out, line, (size_t)len);
}

static bool put_targets(struct text *out, const struct config *config,
			const struct store_address *address, bool with_box)
{
	char path[PATH_MAX];
	bool good = true;

	if (with_box)
		good = mailroot_box_path(config->home, &address->box, path) &&
		       put(out, path, strlen(path)) && put(out, "/\n", 2);
	for (size_t at = 0; good && at < address->forwards_len;) {
		const char *forward = address->forwards + at;
		size_t len = strlen(forward);

		good = put(out, "&", 1) && put(out, forward, len) &&
		       put(out, "\n", 1);
		at += len + 1;
	}
	return good;
}

bool render_qmail(const struct config *config,
		  const struct store_address *address, enum store_delivery all,
		  enum store_delivery box, char **ret_text, size_t *ret_len,
		  mode_t *ret_mode)
{
	bool with_box = address->has_box && box != STORE_BOUNCE;
	bool bounce = all == STORE_BOUNCE ||
		      (address->has_box && !with_box && !address->forwards_len);
	bool hold = !bounce && (all == STORE_HOLD ||
				(with_box && box == STORE_HOLD));
	struct text out = {0};
	bool good = !hold || put(&out, "\n", 1);

	if (bounce)
		good = put_bounce(&out, config);
	else
		good = good && put_targets(&out, config, address, with_box);
	if (!good || out.len == 0) {
		free(out.bytes);
		return false;
	}
	*ret_text = out.bytes;
	*ret_len = out.len;
	*ret_mode = with_box || bounce ? 0644 : 0744;
	return true;
}
