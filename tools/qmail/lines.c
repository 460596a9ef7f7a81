/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/path.h"

/* line NULL: there shall be none. */
static bool put(struct lines *lines, const char *key, const char *line)
{
	struct lines_line new = {strdup(key), line ? strdup(line) : NULL,
				 false};
	bool good = new.key && (new.line || !line);

	if (lines->count == lines->room && good) {
		size_t room = lines->room ? lines->room * 2 : 8;
		struct lines_line *more =
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

void lines_free(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		free(lines->line[i].key);
		free(lines->line[i].line);
	}
	free(lines->line);
	free(lines->by_key);
	*lines = (struct lines){0};
}

static bool fits(int len, size_t room)
{
	return len >= 0 && (size_t)len < room;
}

bool lines_host(const struct store_domain *domain, bool brackets,
		char *ret_text, size_t room)
{
	const char *host = domain->host[0] ? domain->host : domain->name.s;
	/* No name of a host ends in a digit and has nothing else. */
	const bool ip = brackets && strspn(host, "0123456789.") == strlen(host);
	char port[8] = "";

	if (domain->port)
		(void)snprintf(port, sizeof port, ":%u", domain->port);
	return fits(snprintf(ret_text, room, "%s%s%s%s", ip ? "[" : "", host,
			     ip ? "]" : "", port),
		    room);
}

static bool assign_line(const struct config *config,
			const struct store_domain *domain, const char *key,
			char line[LINES_LINE_MAX])
{
	const char *user = config->assign_user == CONFIG_ASSIGN_POPUSR
				   ? config->assign_popusr
				   : domain->handle.s;
	char path[PATH_MAX];

	if (domain->kind == STORE_DIALUP)
		path_dialup(config->serialmail, &domain->name, path);
	else
		path_domain(config->home, &domain->handle,
				     &domain->name, path);
	return fits(snprintf(line, LINES_LINE_MAX, "%s:%s:%u:%u:%s:-::", key,
			     user, config->uid, config->gid, path),
		    LINES_LINE_MAX);
}

/* The id in virtualdomains is the domain's own name; for an alias that of its
 * target, so that mail takes the target's way from there on. */
static bool virtual_line(const struct store_domain *domain, const char *key,
			 char line[LINES_LINE_MAX])
{
	const char *id =
		domain->kind == STORE_ALIAS ? domain->target.s : domain->name.s;

	return fits(snprintf(line, LINES_LINE_MAX, "%s:%s", key, id),
		    LINES_LINE_MAX);
}

static bool route_line(const struct store_domain *domain, const char *key,
		       char line[LINES_LINE_MAX])
{
	char host[NAME_DOMAIN_MAX + 16];

	return lines_host(domain, true, host, sizeof host) &&
	       fits(snprintf(line, LINES_LINE_MAX, "%s:%s", key, host),
		    LINES_LINE_MAX);
}

/* Has this kind of domain lines in this file? */
static bool has(enum lines_file file, enum store_kind kind)
{
	switch (file) {
	case LINES_RCPTHOSTS:
	case LINES_MORE:
		return true;
	case LINES_VIRTUALDOMAINS:
		return kind == STORE_ALIAS || store_kind_is_local(kind);
	case LINES_SMTPROUTES:
		return kind == STORE_RELAY;
	case LINES_ASSIGN:
		return store_kind_is_local(kind);
	case LINES_LOCALS:
		return false;
	}
	return false;
}

static bool make_line(enum lines_file file, const struct config *config,
		      const struct store_domain *domain, const char *key,
		      char line[LINES_LINE_MAX])
{
	switch (file) {
	case LINES_RCPTHOSTS:
	case LINES_MORE:
	case LINES_LOCALS:
		return fits(snprintf(line, LINES_LINE_MAX, "%s", key),
			    LINES_LINE_MAX);
	case LINES_VIRTUALDOMAINS:
		return virtual_line(domain, key, line);
	case LINES_SMTPROUTES:
		return route_line(domain, key, line);
	case LINES_ASSIGN:
		return assign_line(config, domain, key, line);
	}
	return false;
}

/* The key of the domain itself, or of what is below it. */
static bool make_key(enum lines_file file, const struct store_domain *domain,
		     bool below, char key[LINES_LINE_MAX])
{
	return fits(snprintf(key, LINES_LINE_MAX,
			     file == LINES_ASSIGN ? "+%s%s-" : "%s%s",
			     below ? "." : "", domain->name.s),
		    LINES_LINE_MAX);
}

bool lines_add(struct lines *lines, enum lines_file file,
	       const struct config *config, const struct store_domain *domain,
	       unsigned what)
{
	char key[LINES_LINE_MAX], line[LINES_LINE_MAX];
	const int keys = file == LINES_ASSIGN || file == LINES_LOCALS ? 1 : 2;

	for (int below = 0; below < keys; below++) {
		bool come = has(file, domain->kind) &&
			    (!below || domain->subdomains) &&
			    !(what & LINES_ALL_GO);

		if (!make_key(file, domain, below, key))
			return false;
		if (come && (what & LINES_COME) &&
		    (!make_line(file, config, domain, key, line) ||
		     !put(lines, key, line)))
			return false;
		if (!come && (what & (LINES_GO | LINES_ALL_GO)) &&
		    !put(lines, key, NULL))
			return false;
	}
	return true;
}

bool lines_whole(enum lines_file file)
{
	return file == LINES_RCPTHOSTS || file == LINES_MORE ||
	       file == LINES_LOCALS;
}

static int by_key(const void *a, const void *b)
{
	const struct lines_line *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

bool lines_index(struct lines *lines)
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

int lines_order(const char *key, size_t len, const char *wanted)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)key[i];

		if (!wanted[i])
			return 1;
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + 32);
		if (c != (unsigned char)wanted[i])
			return c - (unsigned char)wanted[i];
	}
	return wanted[len] ? -1 : 0;
}

struct span {
	const char *at;
	size_t len;
};

static int by_span(const void *a, const void *b)
{
	const struct span *key = a;
	const struct lines_line *const *wanted = b;

	return lines_order(key->at, key->len, (*wanted)->key);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct lines_line *lines_find(enum lines_file file, const struct lines *lines,
			      const char *line, size_t len)
{
	struct span key = {line, len};
	struct lines_line **found;

	if (!lines_whole(file)) {
		const char *colon = memchr(line, ':', len);

		if (!colon)
			return NULL;
		key.len = (size_t)(colon - line);
	}
	while (key.len && is_blank(line[key.len - 1]))
		key.len--;
	if (key.len == 0)
		return NULL;
	found = bsearch(&key, lines->by_key, lines->count,
			sizeof *lines->by_key, by_span);
	return found ? *found : NULL;
}
