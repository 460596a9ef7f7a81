/* SPDX-License-Identifier: MIT */
/* Control files: whatever stood in one, the lines that are not ours stay byte
 * for byte in their order, each wanted line is there once, unwanted ones are
 * gone, and a second time changes nothing. */
#include "fuzz.h"

#include "qmail/render.h"

static const char *const names[] = {"example.com", "a.example.com", "x.org"};

struct part {
	const char *at;
	size_t len;
};

static size_t split(const char *text, size_t len, struct part *parts,
		    size_t room)
{
	size_t count = 0;

	while (len && count < room) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		parts[count++] = (struct part){text, line};
		line += end != NULL;
		text += line;
		len -= line;
	}
	return count;
}

/* This file's own reading of whose a line is. */
static const struct lines_line *whose(enum lines_file file,
				      const struct lines *lines,
				      struct part line)
{
	size_t len = line.len;

	if (!lines_whole(file)) {
		const char *colon = memchr(line.at, ':', len);

		if (!colon)
			return NULL;
		len = (size_t)(colon - line.at);
	}
	while (len && (line.at[len - 1] == ' ' || line.at[len - 1] == '\t' ||
		       line.at[len - 1] == '\r'))
		len--;
	for (size_t i = 0; i < lines->count; i++) {
		const char *key = lines->line[i].key;

		if (strlen(key) == len && strncasecmp(line.at, key, len) == 0)
			return &lines->line[i];
	}
	return NULL;
}

static void foreign_kept(enum lines_file file, const struct lines *lines,
			 const struct part *before, size_t b,
			 const struct part *after, size_t a)
{
	size_t j = 0;
	bool ended = false;

	for (size_t i = 0; i < b; i++) {
		ended = ended || (file == LINES_ASSIGN && before[i].len &&
				  before[i].at[0] == '.');
		if (!ended && whose(file, lines, before[i]))
			continue;
		while (j < a && (after[j].len != before[i].len ||
				 memcmp(after[j].at, before[i].at,
					before[i].len) != 0))
			j++;
		HOLDS(j++ < a);
	}
}

static void ours_right(enum lines_file file, const struct lines *lines,
		       const struct part *after, size_t a)
{
	size_t *times = calloc(lines->count + 1, sizeof *times);

	for (size_t i = 0; i < a; i++) {
		const struct lines_line *ours;

		if (file == LINES_ASSIGN && after[i].len &&
		    after[i].at[0] == '.')
			break;
		ours = whose(file, lines, after[i]);
		if (!ours)
			continue;
		HOLDS(ours->line && after[i].len >= strlen(ours->line));
		HOLDS(strncasecmp(after[i].at, ours->line,
				  strlen(ours->line)) == 0);
		times[ours - lines->line]++;
	}
	for (size_t i = 0; i < lines->count; i++)
		HOLDS(times[i] == (lines->line[i].line != NULL));
	free(times);
}

static void add(struct lines *lines, enum lines_file file,
		const struct config *config, unsigned i, uint8_t how)
{
	struct store_domain domain = {
		.handle = {"ex1"},
		.kind = (enum store_kind)(how >> 2 & 3),
		.subdomains = how & 16,
		.host = "h.org",
		.target = {"x.org"},
	};

	HOLDS(!name_domain_read(names[i], strlen(names[i]), &domain.name));
	HOLDS(lines_add(lines, file, config, &domain,
			how & 2 ? LINES_COME | LINES_GO : LINES_ALL_GO));
}

static void holds(enum lines_file file, struct lines *lines, const char *text,
		  size_t size)
{
	enum { PARTS = 4096 };
	static struct part before[PARTS], after[PARTS];
	char *out, *again;
	size_t len, again_len, b = split(text, size, before, PARTS), a;

	HOLDS(render_file(file, text, size, lines, NULL, NULL, &out, &len));
	a = split(out, len, after, PARTS);
	foreign_kept(file, lines, before, b, after, a);
	ours_right(file, lines, after, a);
	HOLDS(file != LINES_ASSIGN || render_assign_ends(out, len));
	HOLDS(render_file(file, out, len, lines, NULL, NULL, &again,
			  &again_len));
	HOLDS(len == again_len && memcmp(out, again, len) == 0);
	free(out);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	struct config_fault fault;
	struct lines lines = {0};
	enum lines_file file = (enum lines_file)(fuzz_byte(&data, &size) % 6);
	bool more[32];
	char *text;

	if (!config.home[0])
		HOLDS(config_parse("", 0, &config, &fault) == ERR_OK);
	for (unsigned i = 0; i < 3; i++) {
		uint8_t how = fuzz_byte(&data, &size);

		if (how & 1)
			add(&lines, file, &config, i, how);
	}
	text = malloc(size ? size : 1);
	if (size)
		memcpy(text, data, size);
	holds(file, &lines, text, size);
	HOLDS(lines.count <= 32);
	if (lines_whole(file))
		HOLDS(render_split(text, size / 2, text + size / 2,
				   size - size / 2, &lines, 3, size & 1,
				   more));
	free(text);
	lines_free(&lines);
	return 0;
}
