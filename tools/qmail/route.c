/* SPDX-License-Identifier: MIT */
#include "route.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The next line that counts; at begins with number 0 and at the text's start.
 * False: none is left. */
static bool next_line(struct route_text text, size_t *at,
		      struct route_line *line)
{
	while (*at < text.len) {
		const char *start = text.bytes + *at;
		const char *end = memchr(start, '\n', text.len - *at);
		size_t len = end ? (size_t)(end - start) : text.len - *at;

		*at += len + (end != NULL);
		line->number++;
		while (len && (start[len - 1] == ' ' || start[len - 1] == '\t'))
			len--;
		line->at = start;
		line->len = len;
		if (len && start[0] != '#')
			return true;
	}
	return false;
}

static bool is(const char *bytes, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(bytes, word, len) == 0;
}

/* The first line that is this word. */
static struct route_line find_whole(struct route_text text, const char *word)
{
	struct route_line line = {0};
	size_t at = 0;

	while (next_line(text, &at, &line)) {
		if (is(line.at, line.len, word))
			return line;
	}
	return (struct route_line){0};
}

/* The last line whose key is this word. */
static struct route_line find_key(struct route_text text, const char *word)
{
	struct route_line line = {0}, found = {0};
	size_t at = 0;

	while (next_line(text, &at, &line)) {
		const char *colon = memchr(line.at, ':', line.len);

		if (!colon || !is(line.at, (size_t)(colon - line.at), word))
			continue;
		line.value = colon + 1;
		line.value_len = (size_t)(line.at + line.len - line.value);
		found = line;
	}
	return found;
}

const char *route_next_name(const char *domain, const char *at)
{
	if (!at)
		return domain;
	return *at ? strchr(at + 1, '.') : NULL;
}

struct route_line route_rcpthosts(struct route_text text, const char *domain)
{
	struct route_line line = {0};

	for (const char *name = domain; name && !line.number;
	     name = route_next_name(domain, name))
		line = find_whole(text, name);
	return line;
}

struct route_line route_first(struct route_text text)
{
	const char *end = text.len ? memchr(text.bytes, '\n', text.len) : NULL;
	struct route_line line = {.at = text.bytes};

	if (!text.bytes)
		return line;
	line.number = 1;
	line.len = end ? (size_t)(end - text.bytes) : text.len;
	while (line.len && (line.at[line.len - 1] == ' ' ||
			    line.at[line.len - 1] == '\t'))
		line.len--;
	return line;
}

void route_percenthack(struct route_text text, char *address)
{
	char *at = strrchr(address, '@');

	while (at && find_whole(text, at + 1).number) {
		char *percent = memrchr(address, '%', (size_t)(at - address));

		if (!percent)
			break;
		*at = 0;
		at = percent;
		*at = '@';
	}
}

struct route_line route_locals(struct route_text locals, struct route_text me,
			       const char *domain)
{
	struct route_line line;

	if (locals.bytes)
		return find_whole(locals, domain);
	line = route_first(me);
	if (line.number && !is(line.at, line.len, domain))
		line.number = 0;
	return line;
}

struct route_line route_virtualdomains(struct route_text text,
				       const char *local, const char *domain)
{
	char whole[1024];
	int len = snprintf(whole, sizeof whole, "%s@%s", local, domain);
	struct route_line line = {0};

	if (len > 0 && (size_t)len < sizeof whole)
		line = find_key(text, whole);
	for (const char *name = domain; name && !line.number;
	     name = route_next_name(domain, name))
		line = find_key(text, name);
	return line.number ? line : find_key(text, "");
}

struct route_line route_smtproutes(struct route_text text, const char *domain)
{
	struct route_line line = {0};

	for (const char *name = domain; name && !line.number;
	     name = route_next_name(domain, name))
		line = find_key(text, name);
	return line.number ? line : find_key(text, "");
}

/* Does the line assign local, and with how long a key? 0: it does not. */
static size_t assigns(const char *line, size_t len, const char *local)
{
	const char *colon = memchr(line, ':', len);
	size_t key = colon ? (size_t)(colon - line) : 0;
	size_t whole = strlen(local);

	if (key < 1 || (line[0] != '=' && line[0] != '+'))
		return 0;
	if (line[0] == '=')
		return is(line + 1, key - 1, local) ? whole + 2 : 0;
	return key - 1 <= whole && strncasecmp(line + 1, local, key - 1) == 0
		       ? key
		       : 0;
}

struct route_line route_assign(struct route_text text, const char *local)
{
	struct route_line best = {0}, line = {0};
	size_t best_key = 0;

	for (size_t at = 0; at < text.len;) {
		const char *start = text.bytes + at;
		const char *end = memchr(start, '\n', text.len - at);
		size_t len = end ? (size_t)(end - start) : text.len - at, key;

		line.number++;
		if (start[0] == '.' || !end)
			break; /* an unfinished line is none */
		key = assigns(start, len, local);
		at += len + 1;
		if (key <= best_key)
			continue;
		best_key = key;
		best = line;
		best.at = start;
		best.len = len;
		best.value = (const char *)memchr(start, ':', len) + 1;
		best.value_len = (size_t)(start + len - best.value);
	}
	return best;
}

bool route_fields(const char *value, size_t len, char between,
		  struct route_user *ret_user)
{
	for (int i = 0; i < 6; i++) {
		const char *end = len ? memchr(value, between, len) : NULL;
		/* In users/cdb the sixth field ends with the value. */
		size_t field = end ? (size_t)(end - value) : len;

		if ((!end && (between || i < 5)) || field >= ROUTE_FIELD_MAX)
			return false;
		memcpy(ret_user->field[i], value, field);
		ret_user->field[i][field] = 0;
		value += field + (end != NULL);
		len -= field + (end != NULL);
	}
	return true;
}

bool route_qmail_name(const char *dash, const char *ext, unsigned n,
		      char ret_name[ROUTE_QMAIL_MAX])
{
	size_t len = strlen(ext);
	int done;

	/* The n-th try: the whole, then up to each hyphen from the right. */
	for (unsigned i = 1; i <= n; i++) {
		if (i > 1 && len == 0)
			return false;
		if (i > 1)
			len--;
		while (len && ext[len - 1] != '-')
			len--;
	}
	done = snprintf(ret_name, ROUTE_QMAIL_MAX, ".qmail%s%.*s%s", dash,
			(int)len, ext, n ? "default" : "");
	if (done < 0 || done >= ROUTE_QMAIL_MAX) {
		ret_name[0] = 0;
		return true;
	}
	for (char *c = ret_name + 6 + strlen(dash); *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 32);
		else if (*c == '.')
			*c = ':';
	}
	return true;
}
