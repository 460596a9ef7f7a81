/* control_audit_cdb.c: the indexes that qmail's programs make of their files. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "control_private.h"
#include "qmail/cdbfile.h"
#include "qmail/route.h"

/* A text file against the index that one of qmail's programs makes of it: the
 * keys that it should have, sorted, each once. */
struct entry {
	char *key;
	size_t len;
	const char *value; /* into the text */
	size_t value_len;
};

struct index {
	struct control_audit a;
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
	bool good;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	index->entry = calloc(lines, sizeof *index->entry);
	good = index->entry != NULL;
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
		if (kept && by_entry(&index->entry[kept - 1],
				     &index->entry[i]) == 0)
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
	index->stale = !found ||
		       (assign && !same_user(found, value, value_len));
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
		control_tell(&index->a, "cdb-missing", true,
		     "%s is missing (%s makes it)", index->name,
		     index->program);
	else if (read == CDBFILE_LATER)
		say_lost();
	else if (read != CDBFILE_FOUND)
		control_tell(&index->a, "cdb-damaged", true,
		     "%s is damaged (%s makes it anew)", index->name,
		     index->program);
	else if (index->stale || index->keys != index->count)
		control_tell(&index->a, "cdb-stale", true,
		     "%s says something else than %s (%s makes it anew)",
		     index->name, index->source, index->program);
}

static void audit_index(struct index *index)
{
	struct replace_text text = {0};

	/* One that is not there has no index; one that cannot be read was
	 * said already. */
	if (control_read(index->a.config, index->source, &text) == 0) {
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
	struct index users = {
		.a = {.config = config, .file = LINES_ASSIGN, .found = found,
		      .arg = arg},
		.source = "users/assign",
		.name = cdbfile_users(config->qmail),
		.program = "qmail-newu"};
	struct index hosts = {
		.a = {.config = config, .file = LINES_MORE, .found = found,
		      .arg = arg},
		.source = "control/morercpthosts",
		.name = "control/morercpthosts.cdb",
		.program = "qmail-newmrh"};

	audit_index(&users);
	audit_index(&hosts);
}
