/* SPDX-License-Identifier: MIT */
#include "render.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Blanks at the end are no difference to qmail's control files. */
static bool says(enum lines_file file, const char *line, size_t len,
		 const char *wanted)
{
	while (file != LINES_ASSIGN && len && strchr(" \t", line[len - 1]))
		len--;
	return strlen(wanted) == len && strncasecmp(line, wanted, len) == 0;
}

/* A line of the file that is ours. */
struct mark {
	const char *at;
	size_t len;
	unsigned long number; /* counts from 1 */
	struct lines_line *ours;
};

/* A missing line, and where in the file it comes. */
struct missing {
	const struct lines_line *line;
	const char *before;
	size_t depth; /* labels of its domain */
	size_t index; /* in which order they were wanted */
};

struct rendering {
	enum lines_file file;
	struct lines *lines;
	render_conflict *report;
	void *arg;
	const char *end; /* of what is qmail's, or the line that ends it */
	struct mark *mark;
	size_t marks;
	size_t room;
	struct missing *missing;
	size_t count; /* of missing */
	struct text out;
};

/* The next line of text[0..len): its length without the newline. */
static size_t line_len(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	return end ? (size_t)(end - text) : len;
}

static bool put_line(struct text *out, const char *line)
{
	if (out->len && out->bytes[out->len - 1] != '\n' &&
	    !text_put(out, "\n", 1))
		return false;
	return text_put(out, line, strlen(line)) && text_put(out, "\n", 1);
}

/* A domain in which missing ones lie, and its first line in virtualdomains. */
struct place {
	const char *key; /* within that of a missing one */
	const char *at;	 /* NULL: it has none */
};

static int by_place(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->key,
		      ((const struct place *)b)->key);
}

struct span {
	const char *at;
	size_t len;
};

static int by_span(const void *a, const void *b)
{
	const struct span *key = a;

	return lines_order(key->at, key->len, ((const struct place *)b)->key);
}

static size_t place_keys(const struct missing *missing, struct place *places)
{
	size_t count = 0;

	for (const char *dot = strchr(missing->line->key + 1, '.'); dot;
	     dot = strchr(dot + 1, '.')) {
		if (places)
			places[count] = (struct place){dot + 1, NULL};
		count++;
	}
	return count;
}

/* All domains in which missing ones lie, sorted. NULL: no memory. */
static struct place *make_places(const struct rendering *r, size_t *ret_count)
{
	size_t count = 0, kept = 0;
	struct place *places;

	for (size_t i = 0; i < r->count; i++)
		count += place_keys(&r->missing[i], NULL);
	places = calloc(count + 1, sizeof *places);
	count = 0;
	for (size_t i = 0; places && i < r->count; i++)
		count += place_keys(&r->missing[i], places + count);
	if (places)
		qsort(places, count, sizeof *places, by_place);
	for (size_t i = 0; places && i < count; i++) {
		if (!kept || strcmp(places[kept - 1].key, places[i].key) != 0)
			places[kept++] = places[i];
	}
	*ret_count = kept;
	return places;
}

/* Looks for the first line of each in the file. */
static void find_places(const char *text, size_t len, struct place *places,
			size_t count)
{
	while (count && len) {
		size_t line = line_len(text, len);
		const char *colon = memchr(text, ':', line);
		const size_t dot = text[0] == '.';
		struct place *found = NULL;

		if (colon && text[0] != '#') {
			const struct span key = {text + dot,
						 (size_t)(colon - text) - dot};

			found = bsearch(&key, places, count, sizeof *places,
					by_span);
		}
		if (found && !found->at)
			found->at = text;
		line += line < len;
		text += line;
		len -= line;
	}
}

/* Before which line a domain comes: the first of a domain that it lies in. */
static const char *place_of(const char *key, const struct place *places,
			    size_t count, const char *end)
{
	for (const char *dot = strchr(key, '.'); dot;
	     dot = strchr(dot + 1, '.')) {
		const struct place wanted = {dot + 1, NULL};
		const struct place *found = bsearch(&wanted, places, count,
						    sizeof wanted, by_place);

		if (found && found->at && found->at < end)
			end = found->at;
	}
	return end;
}

static int by_order(const void *a, const void *b)
{
	const struct missing *x = a, *y = b;

	if (x->before != y->before)
		return x->before < y->before ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth > y->depth ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* A host stands before the domain it lies in, so that whoever reads the file
 * from its top meets what wins first. */
static bool order_virtual(struct rendering *r, const char *text, size_t len)
{
	size_t count = 0;
	struct place *places = make_places(r, &count);

	if (!places)
		return false;
	find_places(text, len, places, count);
	for (size_t i = 0; i < r->count; i++) {
		struct missing *m = &r->missing[i];
		const char *key = m->line->key + (m->line->key[0] == '.');

		m->before = place_of(key, places, count, r->end);
		for (const char *c = key; *c; c++)
			m->depth += *c == '.';
	}
	free(places);
	if (r->count)
		qsort(r->missing, r->count, sizeof *r->missing, by_order);
	return true;
}

static bool put_mark(struct rendering *r, const char *at, size_t len,
		     unsigned long number, struct lines_line *ours)
{
	if (r->marks == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		struct mark *more = realloc(r->mark, room * sizeof *more);

		if (!more)
			return false;
		r->mark = more;
		r->room = room;
	}
	r->mark[r->marks++] = (struct mark){at, len, number, ours};
	ours->seen = true;
	return true;
}

/* Which lines are ours? The first that begins with a dot ends users/assign;
 * what stands behind it is nobody's. */
static bool find_marks(struct rendering *r, const char *text, size_t len)
{
	bool good = true;

	for (unsigned long number = 1; good && len; number++) {
		size_t line = line_len(text, len);
		struct lines_line *ours;

		if (r->file == LINES_ASSIGN && text[0] == '.')
			break;
		ours = lines_find(r->file, r->lines, text, line);
		if (ours)
			good = put_mark(r, text, line, number, ours);
		line += line < len;
		text += line;
		len -= line;
	}
	r->end = text;
	return good;
}

/* Which wanted lines are not there? All that are, find_marks has seen. */
static bool find_missing(struct rendering *r, const char *text)
{
	r->missing = calloc(r->lines->count + 1, sizeof *r->missing);
	for (size_t i = 0; r->missing && i < r->lines->count; i++) {
		struct lines_line *line = &r->lines->line[i];

		if (!line->seen && line->line)
			r->missing[r->count++] =
				(struct missing){line, r->end, 0, i};
		line->seen = false;
	}
	return r->missing &&
	       (r->file != LINES_VIRTUALDOMAINS ||
		order_virtual(r, text, (size_t)(r->end - text)));
}

/* As large as it can become, so that it never moves. */
static bool make_room(struct rendering *r, size_t len)
{
	size_t room = len + sizeof "\n.\n";

	for (size_t i = 0; i < r->lines->count; i++) {
		const char *line = r->lines->line[i].line;

		room += line ? strlen(line) + sizeof "\n" : 0;
	}
	r->out = (struct text){.bytes = malloc(room), .room = room};
	if (r->out.bytes)
		r->out.bytes[0] = 0;
	return r->out.bytes != NULL;
}

/* All of the file up to here. */
static bool put_span(struct rendering *r, const char **at, const char *end)
{
	const char *begin = *at;

	*at = end;
	return text_put(&r->out, begin, (size_t)(end - begin));
}

/* A line of an old site that moves in here contradicts nothing. */
static bool yields(const struct rendering *r, const struct mark *mark)
{
	return r->lines->yields &&
	       r->lines->yields(r->lines->yields_arg, r->file, mark->at,
				mark->len);
}

/* The first line of ours becomes what is wanted; further ones of the same key
 * go. */
static bool render_mark(struct rendering *r, const struct mark *mark,
			const char **at)
{
	struct lines_line *ours = mark->ours;
	bool same = ours->line &&
		    says(r->file, mark->at, mark->len, ours->line);
	bool again = ours->seen;

	if (r->report && !same && !yields(r, mark))
		r->report(r->arg, mark->number, mark->at, mark->len,
			  ours->line);
	ours->seen = true;
	if (same && !again)
		return true; /* it is part of the span that comes */
	if (!put_span(r, at, mark->at))
		return false;
	*at += mark->len;
	*at += *at < r->end; /* its newline */
	return again || !ours->line || put_line(&r->out, ours->line);
}

/* What is there and what comes, in the order of the file. */
static bool render_all(struct rendering *r, const char *text)
{
	const char *at = text;
	size_t m = 0, n = 0;
	bool good = true;

	while (good && (m < r->marks || n < r->count)) {
		if (n < r->count && (m == r->marks ||
				     r->missing[n].before <= r->mark[m].at)) {
			good = put_span(r, &at, r->missing[n].before) &&
			       put_line(&r->out, r->missing[n].line->line);
			n++;
		} else {
			good = render_mark(r, &r->mark[m++], &at);
		}
	}
	return good && put_span(r, &at, r->end);
}

bool render_file(enum lines_file file, const char *text, size_t len,
		 struct lines *lines, render_conflict *report, void *arg,
		 char **ret_text, size_t *ret_len)
{
	struct rendering r = {
		.file = file, .lines = lines, .report = report, .arg = arg};
	const char *end = text + len;
	bool good = lines_index(lines) && make_room(&r, len) &&
		    find_marks(&r, text, len) && find_missing(&r, text) &&
		    render_all(&r, text);

	if (good && file == LINES_ASSIGN && r.end == end)
		good = put_line(&r.out, ".");
	good = good && put_span(&r, &r.end, end);
	free(r.mark);
	free(r.missing);
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
	while (len && text[0] != '.') {
		size_t line = line_len(text, len);

		if (line + 1 >= len)
			return false;
		text += line + 1;
		len -= line + 1;
	}
	return true;
}

const char *render_assign_line(const char *line, size_t len)
{
	const char *colon = len ? memchr(line, ':', len) : NULL;
	size_t colons = 0;

	if (len == 0)
		return "is blank";
	if (line[0] == '#' && !colon)
		return "is a comment";
	if (memchr(line, 0, len))
		return "has a NUL byte";
	if (!colon)
		return "has no colon";
	if (colon == line)
		return "begins with a colon";
	for (size_t i = 0; i < len; i++)
		colons += line[i] == ':';
	if (colons >= 7)
		return NULL;
	return line[0] == '#' ? "is a comment" : "has too few colons";
}

const char *render_assign_fault(const char *text, size_t len,
				unsigned long *ret_number)
{
	for (unsigned long number = 1; len && text[0] != '.'; number++) {
		size_t line = line_len(text, len);
		const char *fault = render_assign_line(text, line);

		if (fault) {
			*ret_number = number;
			return fault;
		}
		line += line < len;
		text += line;
		len -= line;
	}
	return NULL;
}

/* Marks what a text has of the lines, and counts the lines qmail reads. */
static size_t mark(enum lines_file file, const char *text, size_t len,
		   struct lines *lines)
{
	size_t count = 0;

	while (len) {
		size_t line = line_len(text, len);
		struct lines_line *ours = lines_find(file, lines, text, line);

		if (ours)
			ours->seen = true;
		count += line > 0 && text[0] != '#';
		line += line < len;
		text += line;
		len -= line;
	}
	return count;
}

/* Those that are in the file stay, as long as there is room beside the lines of
 * others; then the rest comes, in the order in which it is wanted. */
static void split_anew(struct lines *lines, size_t count, size_t max,
		       bool *ret_more)
{
	size_t ours = 0;

	for (size_t i = 0; i < lines->count; i++)
		ours += lines->line[i].seen;
	count -= ours < count ? ours : count;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < lines->count; i++) {
			if (lines->line[i].line &&
			    lines->line[i].seen == (pass == 0))
				ret_more[i] = count++ >= max;
		}
	}
}

bool render_split(const char *rcpthosts, size_t len, const char *more,
		  size_t more_len, struct lines *lines, size_t max, bool anew,
		  bool *ret_more)
{
	size_t count;

	if (!lines_index(lines))
		return false;
	(void)mark(LINES_MORE, more, more_len, lines); /* only the marks */
	for (size_t i = 0; i < lines->count; i++) {
		ret_more[i] = lines->line[i].seen;
		lines->line[i].seen = false;
	}
	count = mark(LINES_RCPTHOSTS, rcpthosts, len, lines);
	if (anew) {
		split_anew(lines, count, max, ret_more);
		return true;
	}
	for (size_t i = 0; i < lines->count; i++) {
		if (lines->line[i].seen)
			ret_more[i] = false;
		else if (!ret_more[i] && lines->line[i].line)
			ret_more[i] = count++ >= max;
	}
	return true;
}
