/* SPDX-License-Identifier: MIT */
#include "header.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The length of a line without its newline. */
static size_t line_len(const char *text, size_t len)
{
	const char *newline = len ? memchr(text, '\n', len) : NULL;

	return newline ? (size_t)(newline - text) : len;
}

static bool is_empty(const char *line, size_t len)
{
	return len == 0 || (len == 1 && line[0] == '\r');
}

size_t header_end(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const size_t line = line_len(text + at, len - at);

		if (at + line == len)
			return 0;
		if (is_empty(text + at, line))
			return at + line + 1;
		at += line + 1;
	}
	return 0;
}

/* The letters of a name in front of its colon; 0: the line is no field. */
static size_t name_len(const char *line, size_t len)
{
	size_t name = 0, at;

	while (name < len && line[name] > 32 && line[name] < 127 &&
	       line[name] != ':')
		name++;
	at = name;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++; /* as old programs wrote */
	return at < len && line[at] == ':' ? name : 0;
}

/* The bytes of a line and of those that continue it, without the last newline. */
static size_t folded_len(const char *text, size_t len)
{
	size_t all = line_len(text, len);

	while (all + 1 < len && (text[all + 1] == ' ' || text[all + 1] == '\t'))
		all += 1 + line_len(text + all + 1, len - all - 1);
	return all;
}

bool header_next(const char *text, size_t len, size_t *at,
		 struct header_field *ret_field)
{
	while (*at < len) {
		const char *line = text + *at;
		const size_t all = folded_len(line, len - *at);
		const size_t name = name_len(line, all);

		if (is_empty(line, line_len(line, len - *at)))
			return false;
		*at += all + (*at + all < len);
		if (name) {
			const char *colon = memchr(line, ':', all);

			*ret_field = (struct header_field){
				line, name, colon + 1,
				(size_t)(line + all - colon - 1)};
			return true;
		}
	}
	return false;
}

bool header_is(const struct header_field *field, const char *name)
{
	return strlen(name) == field->name_len &&
	       strncasecmp(name, field->name, field->name_len) == 0;
}

/* Behind a comment that begins here; comments stand in each other. */
static size_t skip_comment(const char *text, size_t len, size_t at)
{
	size_t depth = 0;

	for (; at < len; at++) {
		if (text[at] == '\\')
			at++;
		else if (text[at] == '(')
			depth++;
		else if (text[at] == ')' && --depth == 0)
			return at + 1;
	}
	return len;
}

bool header_says(const struct header_field *field, const char *word)
{
	const char *text = field->body;
	const size_t len = field->body_len, need = strlen(word);
	size_t at = 0;

	while (at < len && (is_blank(text[at]) || text[at] == '('))
		at = text[at] == '(' ? skip_comment(text, len, at) : at + 1;
	if (len - at < need || strncasecmp(text + at, word, need) != 0)
		return false;
	at += need;
	return at == len || is_blank(text[at]) || text[at] == ';' ||
	       text[at] == '(' || text[at] == ',';
}

bool header_has(const struct header_field *field, const char *word)
{
	const size_t need = strlen(word);

	for (size_t at = 0; at + need <= field->body_len; at++) {
		if (strncasecmp(field->body + at, word, need) == 0)
			return true;
	}
	return false;
}

/* The address that is being read of a list. */
struct spec {
	char text[HEADER_ADDRESS_MAX];
	size_t len;
	bool over;  /* longer than any that is looked for */
	bool whole; /* what stood between < and > is it */
	bool angle;
};

static void put(struct spec *spec, char c)
{
	if (spec->whole)
		return; /* a word behind it */
	if (spec->len == sizeof spec->text)
		spec->over = true;
	else
		spec->text[spec->len++] = c;
}

/* Takes a quoted string that begins here, without its quotes. */
static size_t take_quoted(const char *text, size_t len, size_t at,
			  struct spec *spec)
{
	for (at++; at < len && text[at] != '"'; at++) {
		if (text[at] == '\\' && at + 1 < len)
			at++;
		put(spec, text[at]);
	}
	spec->over |= at >= len; /* it does not end */
	return at < len ? at + 1 : len;
}

static bool same_local(const char *text, size_t len, const char *local)
{
	const size_t need = strlen(local);

	return len >= need && strncasecmp(text, local, need) == 0 &&
	       (len == need || text[need] == '+');
}

static bool is_this(const struct spec *spec, const char *local,
		    const char *domain)
{
	const char *at = spec->len ? memrchr(spec->text, '@', spec->len) : NULL;
	const size_t before = at ? (size_t)(at - spec->text) : 0;
	const size_t behind = at ? spec->len - before - 1 : 0;

	return at && !spec->over && behind == strlen(domain) &&
	       strncasecmp(at + 1, domain, behind) == 0 &&
	       same_local(spec->text, before, local);
}

/* A letter with a meaning, outside of quotes and comments. True: an address ends
 * there. */
static bool mark(struct spec *spec, char c)
{
	const struct spec none = {.len = 0};

	switch (c) {
	case '<': /* what stood before is a name */
		*spec = none;
		spec->angle = true;
		return false;
	case '>':
		spec->whole = true;
		spec->angle = false;
		return false;
	case ':': /* the end of a route, or of a group's name */
		spec->len = 0;
		spec->over = false;
		return false;
	case ',':
		if (spec->angle) { /* hosts of a route */
			spec->len = 0;
			return false;
		}
		return true;
	case ';':
		return true;
	default:
		if (!is_blank(c))
			put(spec, c);
		return false;
	}
}

bool header_names(const struct header_field *field, const char *local,
		  const char *domain)
{
	const struct spec none = {.len = 0};
	const char *text = field->body;
	const size_t len = field->body_len;
	struct spec spec = none;
	size_t at = 0;

	while (at < len) {
		if (text[at] == '(') {
			at = skip_comment(text, len, at);
		} else if (text[at] == '"') {
			at = take_quoted(text, len, at, &spec);
		} else if (mark(&spec, text[at++])) {
			if (is_this(&spec, local, domain))
				return true;
			spec = none;
		}
	}
	return is_this(&spec, local, domain);
}
