/* SPDX-License-Identifier: MIT */
/* source_dump.c: the tables of accounts in a dump of a database. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/say.h"
#include "fmt_sql.h"
#include "source_private.h"
#include "store/secret.h"

/* The tables that have accounts, of Postfixadmin, mailcow, iRedMail, vpopmail. */
static const struct {
	const char *name;
	enum import_account_part part;
} those[] = {
	{"mailbox", IMPORT_ACCOUNT_BOX},
	{"vpopmail", IMPORT_ACCOUNT_BOX},
	{"alias", IMPORT_ACCOUNT_FORWARDS},
	{"forwardings", IMPORT_ACCOUNT_FORWARDS},
	{"alias_domain", IMPORT_ACCOUNT_WHOLE},
};

enum { THOSE = sizeof those / sizeof *those, NAMES_MAX = 400 };

struct dump {
	struct source_reading *r;
	unsigned long statement; /* that columns are of */
	size_t table;		 /* THOSE: none of those */
	struct fmt_csv columns;
	bool passed; /* the table is one of those, and has no accounts */
	unsigned long count[THOSE];
	struct csvfile clean; /* a record as UTF-8 */
	struct text word, file, raw;
	char others[NAMES_MAX]; /* names of tables that are passed over */
	int code;
	bool starved;
};

static void pass_over(struct dump *d, const char *table)
{
	const size_t len = strlen(d->others);
	const char *at = d->others;

	/* Once each; a list that does not fit ends in dots. */
	for (; (at = strstr(at, table)) != NULL; at++) {
		const char end = at[strlen(table)];

		if ((at == d->others || at[-1] == ' ') && (!end || end == ','))
			return;
	}
	if (len + strlen(table) + 8 < sizeof d->others)
		(void)snprintf(d->others + len, sizeof d->others - len, "%s%s",
			       len ? ", " : "", table);
	else if (len < 4 || strcmp(d->others + len - 3, "...") != 0)
		(void)snprintf(d->others + len, sizeof d->others - len,
			       ", ...");
}

/* The fields of a record, in UTF-8. NULL, or why not. */
static const char *translate(struct dump *d, const struct csvfile *record)
{
	const char *why = NULL;
	bool changed, starved;

	csvfile_clear(&d->clean);
	for (size_t i = 0; !why && i < record->count; i++) {
		const char *field = csvfile_field(record, i);

		why = encoding_text(&d->r->input.encoding, field, strlen(field),
				    &d->word, &changed, &starved);
		if (changed)
			field = d->word.bytes;
		d->starved = d->starved || starved ||
			     csvfile_add(&d->clean, field, strlen(field)) ==
				     CSVFILE_STARVED;
	}
	return why;
}

static bool refuse_table(struct dump *d, const char *table, const char *bad,
			 const char *why)
{
	d->code = say_error(CODE_REFUSED, "%s: table '%s': %s%s%s%s",
			    d->r->input.name, table, bad ? "column '" : "",
			    bad ? bad : "", bad ? "': " : "", why);
	return false;
}

/* Which columns a statement is about. */
static bool begin_statement(struct dump *d, const struct fmt_sql_row *row)
{
	const struct fmt_csv_how how = {NULL, d->r->how->map,
					d->r->how->ignore_unknown};
	const char *why, *bad = NULL;

	d->statement = row->statement;
	d->table = 0;
	while (d->table < THOSE &&
	       strcasecmp(those[d->table].name, row->table) != 0)
		d->table++;
	d->passed = d->table == THOSE;
	if (d->passed || !row->columns->count)
		return true;
	why = translate(d, row->columns);
	if (!why)
		why = fmt_csv_header(&d->clean, &how, &d->columns, &bad);
	if (why && those[d->table].part == IMPORT_ACCOUNT_FORWARDS) {
		d->passed = true; /* newer iRedMail's: it has no targets */
		return true;
	}
	if (why)
		return refuse_table(d, row->table, bad, why);
	return text_put(&d->file, "", 0);
}

/* 'text', as it is read back. */
static bool put_quoted(struct text *out, const char *text)
{
	bool good = text_put(out, "'", 1);

	for (; good && *text; text++)
		good = text_put(out, text, 1) &&
		       ((*text != '\'' && *text != '\\') ||
			text_put(out, text, 1));
	return good && text_put(out, "'", 1);
}

static bool put(struct text *out, const char *text)
{
	return text_put(out, text, strlen(text));
}

/* A row alone, as a statement of its own. */
static bool put_statement(struct dump *d, const struct fmt_sql_row *row)
{
	struct text *out = &d->raw;
	bool good;

	out->len = 0;
	good = put(out, "INSERT INTO ") && put(out, row->table);
	for (size_t i = 0; good && i < row->columns->count; i++)
		good = put(out, i ? ", " : " (") &&
		       put(out, csvfile_field(row->columns, i));
	good = good && put(out, row->columns->count ? ") VALUES (" :
						      " VALUES (");
	for (size_t i = 0; good && i < row->values->count; i++)
		good = put(out, i ? ", " : "") &&
		       put_quoted(out, csvfile_field(row->values, i));
	return good && put(out, ");\n");
}

/* FILE:TABLE */
static bool put_place(struct dump *d)
{
	d->file.len = 0;
	return put(&d->file, d->r->input.name) && put(&d->file, ":") &&
	       put(&d->file, those[d->table].name);
}

static bool give(struct dump *d, const struct fmt_sql_row *row)
{
	struct source_row out = {.line = ++d->count[d->table],
				 .why = row->why};

	if (!out.why)
		out.why = translate(d, row->values);
	if (d->r->how->copies && !put_statement(d, row))
		d->starved = true;
	if (!put_place(d))
		d->starved = true;
	if (d->starved)
		return false;
	out.file = d->file.bytes;
	out.raw = d->raw.bytes;
	out.raw_len = d->raw.len;
	return source_record(d->r, &d->columns, &d->clean,
			     those[d->table].part, &out);
}

static bool take(void *arg, const struct fmt_sql_row *row)
{
	struct dump *d = arg;

	if (row->statement != d->statement && !begin_statement(d, row))
		return false;
	if (d->passed) {
		pass_over(d, row->table);
		return true;
	}
	return give(d, row);
}

static int finish(struct dump *d, struct fmt_sql *sql)
{
	const char *why = fmt_sql_end(sql);
	unsigned long all = 0;

	if (d->code != CODE_DONE)
		return d->code;
	if (why)
		return say_error(CODE_REFUSED, "%s: %s", d->r->input.name, why);
	for (size_t i = 0; i < THOSE; i++)
		all += d->count[i];
	if (!all)
		return say_error(CODE_REFUSED,
				 "'%s' has no rows of a table mailbox, "
				 "vpopmail, alias, forwardings or "
				 "alias_domain%s%s",
				 d->r->input.name,
				 d->others[0] ? "; it has " : "", d->others);
	if (d->others[0] && !d->r->how->copies)
		say_note("%s: tables that are passed over: %s",
			 d->r->input.name, d->others);
	return CODE_DONE;
}

static int read_all(struct dump *d, struct fmt_sql *sql)
{
	enum fmt_sql_got done = FMT_SQL_MORE;
	enum input_got got = INPUT_LINE;
	const char *bytes;
	size_t len;

	while (done == FMT_SQL_MORE &&
	       (got = input_bytes(&d->r->input, &bytes, &len)) == INPUT_LINE) {
		source_step(d->r);
		done = fmt_sql_take(sql, bytes, len);
	}
	if (got == INPUT_FAILED)
		return source_failed(d->r->how->path);
	if (done == FMT_SQL_NOMEM || d->starved)
		return say_error(CODE_LATER, "no memory");
	return done == FMT_SQL_ENOUGH ? d->code : finish(d, sql);
}

int source_sql(struct source_reading *r)
{
	struct dump *d = calloc(1, sizeof *d);
	struct fmt_sql *sql = fmt_sql_new(take, d);
	int code;

	if (d && sql) {
		*d = (struct dump){.r = r,
				   .word.secret = true,
				   .raw.secret = true};
		csvfile_start(&d->clean);
		code = read_all(d, sql);
		csvfile_close(&d->clean);
		text_wipe(&d->word);
		text_wipe(&d->raw);
		free(d->file.bytes);
	} else {
		code = say_error(CODE_LATER, "no memory");
	}
	fmt_sql_free(sql);
	free(d);
	return code;
}
