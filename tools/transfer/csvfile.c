/* SPDX-License-Identifier: MIT */
#include "csvfile.h"

#include <csv.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "store/secret.h"

enum { OPTIONS = CSV_STRICT | CSV_STRICT_FINI };

/* Blanks belong to their field. */
static int never(unsigned char c)
{
	(void)c;
	return 0;
}

/* The parser has the field that it is about in memory of its own, which may be a
 * password. */
static void wipe_free(void *bytes)
{
	if (bytes)
		secret_wipe(bytes, malloc_usable_size(bytes));
	free(bytes);
}

static void *move(void *bytes, size_t room)
{
	const size_t old = bytes ? malloc_usable_size(bytes) : 0;
	void *more = malloc(room);

	if (more && bytes)
		memcpy(more, bytes, old < room ? old : room);
	if (more)
		wipe_free(bytes);
	return more;
}

static bool begin(struct csvfile *csv)
{
	if (csv_init(csv->parser, OPTIONS) != 0)
		return false;
	csv_set_space_func(csv->parser, never);
	csv_set_realloc_func(csv->parser, move);
	csv_set_free_func(csv->parser, wipe_free);
	if (csv->delimiter)
		csv_set_delim(csv->parser, (unsigned char)csv->delimiter);
	return true;
}

/* After an error: the next line begins a record. */
static void restart(struct csvfile *csv)
{
	csv_free(csv->parser);
	(void)begin(csv); /* had its memory before */
}

bool csvfile_open(struct csvfile *csv, struct input *input, char delimiter)
{
	*csv = (struct csvfile){.input = input,
				.delimiter = delimiter,
				.raw.secret = true,
				.fields.secret = true,
				.parser = malloc(sizeof *csv->parser)};
	if (csv->parser && begin(csv))
		return true;
	free(csv->parser);
	csv->parser = NULL;
	return false;
}

void csvfile_close(struct csvfile *csv)
{
	if (csv->parser)
		csv_free(csv->parser);
	free(csv->parser);
	csv->parser = NULL;
	text_wipe(&csv->raw);
	text_wipe(&csv->fields);
}

void csvfile_start(struct csvfile *csv)
{
	*csv = (struct csvfile){.raw.secret = true, .fields.secret = true};
}

void csvfile_clear(struct csvfile *csv)
{
	csv->fields.len = csv->count = 0;
}

enum csvfile_added csvfile_add(struct csvfile *csv, const char *field,
			       size_t len)
{
	const size_t at = csv->fields.len;

	if (csv->count == CSVFILE_FIELDS_MAX || len > CSVFILE_RECORD_MAX - at)
		return CSVFILE_FULL;
	if (memchr(field, 0, len))
		return CSVFILE_NUL;
	if (!text_put(&csv->fields, field, len) ||
	    !text_put(&csv->fields, "", 1)) {
		csv->fields.len = at;
		return CSVFILE_STARVED;
	}
	csv->at[csv->count++] = at;
	return CSVFILE_ADDED;
}

static void on_field(void *bytes, size_t len, void *arg)
{
	struct csvfile *csv = arg;

	if (csv->count == CSVFILE_FIELDS_MAX)
		csv->full = true;
	if (csv->full || csv->starved)
		return;
	csv->at[csv->count++] = csv->fields.len;
	csv->starved = !text_put(&csv->fields, bytes, len) ||
		       !text_put(&csv->fields, "", 1);
}

static void on_record(int end, void *arg)
{
	struct csvfile *csv = arg;

	(void)end;
	csv->whole = true;
}

/* Of the three, the one that the first line has most of outside of quotes. */
static char find_delimiter(const char *line, size_t len)
{
	static const char those[] = ",;\t";
	size_t count[3] = {0}, best = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		const char *is = line[i] ? strchr(those, line[i]) : NULL;

		if (line[i] == '"')
			quoted = !quoted;
		else if (is && !quoted)
			count[is - those]++;
	}
	for (size_t i = 1; i < 3; i++) {
		if (count[i] > count[best])
			best = i;
	}
	return those[best];
}

/* sep=; before the header. */
static bool says_delimiter(struct csvfile *csv, const char *line, size_t len)
{
	if (len < 5 || strncmp(line, "sep=", 4) != 0 ||
	    strspn(line + 5, "\r\n") != len - 5 || !strchr(",;\t|", line[4]))
		return false;
	csv->delimiter = line[4];
	csv_set_delim(csv->parser, (unsigned char)csv->delimiter);
	return true;
}

void csvfile_guess(struct csvfile *csv)
{
	csv->delimiter = 0;
}

/* +----+-----+, around a table that a database's program prints. */
static bool is_rule(const char *line, size_t len)
{
	return len > 2 && line[0] == '+' && line[1] == '-' &&
	       strspn(line, "+-\r\n") == len;
}

static const char *take_line(struct csvfile *csv, const char *line, size_t len)
{
	if (!csv->delimiter && strspn(line, "\r\n") != len) {
		csv->delimiter = line[0] == '|' ? '|'
						: find_delimiter(line, len);
		csv->boxed = csv->delimiter == '|';
		csv_set_delim(csv->parser, (unsigned char)csv->delimiter);
	}
	csv->starved = !text_put(&csv->raw, line, len);
	if (csv->starved)
		return NULL;
	if (csv->input->why)
		return csv->input->why;
	if (csv->raw.len > CSVFILE_RECORD_MAX)
		return "the record has more than 1 MiB (does a quote not "
		       "end?)";
	if (csv_parse(csv->parser, line, len, on_field, on_record, csv) !=
	    len) {
		csv->starved = csv_error(csv->parser) == CSV_ENOMEM;
		return "a quote stands where none may be (inside of a field it "
		       "is written twice, and the field in quotes)";
	}
	return csv->full ? "the record has more than 128 fields" : NULL;
}

/* A record that there was no memory for is no bad one: the file is not read on,
 * so that nobody leaves it out. */
static enum input_got starve(struct csvfile *csv)
{
	restart(csv);
	errno = ENOMEM;
	return INPUT_FAILED;
}

/* The end of the file ends the last record too. */
static enum input_got finish(struct csvfile *csv)
{
	if (csv_fini(csv->parser, on_field, on_record, csv) != 0)
		csv->why = "the quote that begins here never ends";
	else if (csv->starved)
		return starve(csv);
	else if (csv->full)
		csv->why = "the record has more than 128 fields";
	else if (!csv->whole)
		return INPUT_END;
	restart(csv);
	return INPUT_LINE;
}

enum input_got csvfile_next(struct csvfile *csv)
{
	size_t len;
	char *line;

	csv->raw.len = csv->fields.len = csv->count = 0;
	csv->whole = csv->full = csv->starved = false;
	csv->why = NULL;
	for (;;) {
		enum input_got got = input_next(csv->input, &line, &len);

		if (got == INPUT_END)
			return finish(csv);
		if (got != INPUT_LINE)
			return got;
		if (csv->raw.len == 0)
			csv->line = csv->input->line;
		if ((!csv->delimiter || csv->boxed) && csv->raw.len == 0 &&
		    is_rule(line, len))
			continue;
		if (!csv->delimiter && says_delimiter(csv, line, len))
			continue;
		csv->why = take_line(csv, line, len);
		if (csv->starved)
			return starve(csv);
		if (csv->why) {
			restart(csv);
			return INPUT_LINE;
		}
		if (csv->whole)
			return INPUT_LINE;
		if (csv->count == 0 && strspn(line, "\r\n") == len)
			csv->raw.len = 0; /* a blank line */
	}
}

char *csvfile_field(const struct csvfile *csv, size_t i)
{
	return csv->fields.bytes + csv->at[i];
}

bool csvfile_put(struct text *out, const char *field, bool first)
{
	const bool quotes = field[strcspn(field, ",;\t\"\r\n")] != 0;
	bool good = first || text_put(out, ",", 1);

	if (!quotes)
		return good && text_put(out, field, strlen(field));
	good = good && text_put(out, "\"", 1);
	for (; good && *field; field++)
		good = text_put(out, field, 1) &&
		       (*field != '"' || text_put(out, field, 1));
	return good && text_put(out, "\"", 1);
}
