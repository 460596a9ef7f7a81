#include "render.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Blanks at the end are no difference to qmail's control files. */
static bool says(enum lines_file file, const char *line, size_t len,
		 const char *wanted)
{
	while (file != LINES_ASSIGN && len && strchr(" \t", line[len - 1]))
		len--;
	return strlen(wanted) == len && strncasecmp(line, wanted, len) == 0;
}

/* A missing line, and the line of the file before which it comes. */
struct missing {
	const struct lines_line *line;
	unsigned long before;
	size_t depth; /* labels of its domain */
	size_t index; /* in which order they were wanted */
};

struct rendering {
	enum lines_file file;
	struct lines *lines;
	render_conflict *report;
	void *arg;
	struct text out;
	struct missing *missing;
	size_t count; /* of missing */
	size_t next;  /* of missing, to be put */
	size_t ours;  /* lines of the file that are, and are still to come */
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

/* What is wanted and was not there, as far as it comes before this line. */
static bool put_missing(struct rendering *r, unsigned long number)
{
	for (; r->next < r->count && r->missing[r->next].before <= number;
	     r->next++) {
		if (!put_line(&r->out, r->missing[r->next].line->line))
			return false;
	}
	return true;
}

/* A line that is not ours stays; the first of ours becomes what is wanted;
 * further ones of the same key go. bytes end with a newline if the file's
 * line does. */
static bool render_line(struct rendering *r, unsigned long number,
			const char *line, size_t len, bool newline)
{
	struct lines_line *ours =
		r->ours ? lines_find(r->file, r->lines, line, len) : NULL;
	bool same = ours && ours->line && says(r->file, line, len, ours->line);

	r->ours -= ours != NULL;
	if (ours && r->report && !same)
		r->report(r->arg, number, line, len, ours->line);
	if (ours && (ours->seen || !ours->line))
		return true;
	if (ours)
		ours->seen = true;
	if (ours && !same)
		return text_put(&r->out, ours->line, strlen(ours->line)) &&
		       text_put(&r->out, "\n", 1);
	return text_put(&r->out, line, len) &&
	       (!newline || text_put(&r->out, "\n", 1));
}

/* A domain in which missing ones lie, and its first line in virtualdomains. */
struct place {
	const char *key;      /* within that of a missing one */
	unsigned long number; /* ~0: it has none */
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
			places[count] = (struct place){dot + 1, ~0UL};
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
	unsigned long number = 0;

	while (count && len) {
		size_t line = line_len(text, len);
		const char *colon = memchr(text, ':', line);
		const size_t dot = text[0] == '.';
		struct place *found = NULL;

		number++;
		if (colon && text[0] != '#') {
			const struct span key = {text + dot,
						 (size_t)(colon - text) - dot};

			found = bsearch(&key, places, count, sizeof *places,
					by_span);
		}
		if (found && found->number == ~0UL)
			found->number = number;
		line += line < len;
		text += line;
		len -= line;
	}
}

/* Before which line a domain comes: the first of a domain that it lies in. */
static unsigned long place_of(const char *key, const struct place *places,
			      size_t count)
{
	unsigned long first = ~0UL;

	for (const char *dot = strchr(key, '.'); dot;
	     dot = strchr(dot + 1, '.')) {
		const struct place wanted = {dot + 1, 0};
		const struct place *found = bsearch(&wanted, places, count,
						    sizeof wanted, by_place);

		if (found && found->number < first)
			first = found->number;
	}
	return first;
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

		m->before = place_of(key, places, count);
		for (const char *c = key; *c; c++)
			m->depth += *c == '.';
	}
	free(places);
	if (r->count)
		qsort(r->missing, r->count, sizeof *r->missing, by_order);
	return true;
}

/* Which wanted lines are not there? All ours that are are marked seen. */
static bool find_missing(struct rendering *r, const char *text, size_t len)
{
	const char *at = text;

	for (size_t rest = len; rest;) {
		size_t line = line_len(at, rest);
		struct lines_line *ours;

		if (r->file == LINES_ASSIGN && at[0] == '.')
			break; /* what stands behind it is nobody's */
		ours = lines_find(r->file, r->lines, at, line);
		if (ours)
			ours->seen = true;
		r->ours += ours != NULL;
		line += line < rest;
		at += line;
		rest -= line;
	}
	r->missing = calloc(r->lines->count + 1, sizeof *r->missing);
	for (size_t i = 0; r->missing && i < r->lines->count; i++) {
		struct lines_line *line = &r->lines->line[i];

		if (!line->seen && line->line) {
			r->missing[r->count] =
				(struct missing){line, ~0UL, 0, i};
			r->count++;
		}
		line->seen = false;
	}
	return r->missing &&
	       (r->file != LINES_VIRTUALDOMAINS || order_virtual(r, text, len));
}

bool render_file(enum lines_file file, const char *text, size_t len,
		 struct lines *lines, render_conflict *report, void *arg,
		 char **ret_text, size_t *ret_len)
{
	struct rendering r = {
		.file = file, .lines = lines, .report = report, .arg = arg};
	bool good = lines_index(lines) && text_put(&r.out, "", 0) &&
		    find_missing(&r, text, len);
	unsigned long number = 0;
	bool ended = false;

	while (good && len) {
		size_t line = line_len(text, len);
		bool newline = line < len;

		number++;
		/* The first line that begins with a dot ends users/assign;
		 * what stands behind it is nobody's. */
		if (file == LINES_ASSIGN && !ended && text[0] == '.')
			ended = good = put_missing(&r, ~0UL);
		else if (!ended)
			good = put_missing(&r, number);
		if (ended)
			good = good && text_put(&r.out, text, line) &&
			       (!newline || text_put(&r.out, "\n", 1));
		else
			good = good &&
			       render_line(&r, number, text, line, newline);
		text += line + newline;
		len -= line + newline;
	}
	good = good && put_missing(&r, ~0UL);
	if (good && file == LINES_ASSIGN && !ended)
		good = put_line(&r.out, ".");
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

bool render_split(const char *rcpthosts, size_t len, const char *more,
		  size_t more_len, struct lines *lines, size_t max,
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
	for (size_t i = 0; i < lines->count; i++) {
		if (lines->line[i].seen)
			ret_more[i] = false;
		else if (!ret_more[i] && lines->line[i].line)
			ret_more[i] = count++ >= max;
	}
	return true;
}
