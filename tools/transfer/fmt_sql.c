/* SPDX-License-Identifier: MIT */
/* fmt_sql.c: statements, from the tokens that fmt_sql_lex finds. */
#include "fmt_sql.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fmt_sql_private.h"
#include "store/secret.h"

static bool is_word(const struct fmt_sql *sql, const char *word)
{
	return sql->kind == FMT_SQL_WORD &&
	       strcasecmp(sql->token.bytes, word) == 0;
}

static bool is_mark(const struct fmt_sql *sql, char mark)
{
	return sql->kind == FMT_SQL_MARK && sql->token.bytes[0] == mark;
}

static bool is_name(const struct fmt_sql *sql)
{
	return sql->kind == FMT_SQL_WORD || sql->kind == FMT_SQL_QUOTED;
}

static bool is_one_of(const struct fmt_sql *sql, const char *const *words)
{
	for (; *words; words++) {
		if (is_word(sql, *words))
			return true;
	}
	return false;
}

static void take_name(struct fmt_sql *sql)
{
	const size_t len = strnlen(sql->token.bytes, FMT_SQL_NAME - 1);

	memcpy(sql->table, sql->token.bytes, len);
	sql->table[len] = 0;
}

static bool add(struct fmt_sql *sql, struct csvfile *record, const char *bytes,
		size_t len)
{
	switch (csvfile_add(record, bytes, len)) {
	case CSVFILE_ADDED:
		return true;
	case CSVFILE_FULL:
		sql->why = "the row has more than 128 fields, or 1 MiB";
		return true;
	case CSVFILE_NUL:
		sql->why = "a value has a NUL";
		return true;
	case CSVFILE_STARVED:
		break;
	}
	sql->starved = true;
	return false;
}

/* Where the columns of a table are remembered. NULL: nowhere. */
static struct fmt_sql_table *find_table(struct fmt_sql *sql, bool make)
{
	size_t i = 0;

	while (i < sql->tables &&
	       strcasecmp(sql->known[i].name, sql->table) != 0)
		i++;
	if (i < sql->tables)
		return &sql->known[i];
	if (!make || i == FMT_SQL_TABLES)
		return NULL;
	sql->tables++;
	memcpy(sql->known[i].name, sql->table, sizeof sql->table);
	csvfile_start(&sql->known[i].columns);
	return &sql->known[i];
}

static void emit(struct fmt_sql *sql)
{
	const struct fmt_sql_table *known = find_table(sql, false);
	struct fmt_sql_row row = {sql->table, sql->statement, &sql->columns,
				  &sql->values, sql->why};

	if (!sql->columns.count && known)
		row.columns = &known->columns;
	if (!row.why && row.columns->count != sql->values.count)
		row.why = row.columns->count
				  ? "the row has not as many values as its "
				    "table has columns"
				  : "the columns of its table are not known "
				    "(there is no CREATE TABLE before it)";
	sql->enough = !sql->sink(sql->arg, &row);
}

static void begin_row(struct fmt_sql *sql)
{
	csvfile_clear(&sql->values);
	sql->why = NULL;
	sql->has_value = false;
	sql->value.len = 0;
}

/* NULL, and what is computed, says nothing. */
static void end_value(struct fmt_sql *sql)
{
	(void)add(sql, &sql->values, sql->value.len ? sql->value.bytes : "",
		  sql->value.len);
	sql->value.len = 0;
	sql->has_value = false;
}

static void in_value(struct fmt_sql *sql)
{
	const bool text =
		sql->kind == FMT_SQL_STRING || sql->kind == FMT_SQL_QUOTED;

	/* A word before a string is its prefix; behind it, a type. */
	if (sql->has_value || (!text && sql->kind != FMT_SQL_WORD))
		return;
	sql->has_value = text;
	sql->value.len = 0;
	if (is_word(sql, "NULL") || is_word(sql, "DEFAULT"))
		return;
	sql->starved = sql->starved ||
		       !text_put(&sql->value, sql->token.bytes, sql->token.len);
}

static void tuple(struct fmt_sql *sql)
{
	if (is_mark(sql, '('))
		sql->depth++;
	else if (is_mark(sql, ')') && sql->depth > 1)
		sql->depth--;
	else if (is_mark(sql, ')') || (is_mark(sql, ',') && sql->depth == 1)) {
		const bool last = is_mark(sql, ')');

		end_value(sql);
		if (last) {
			emit(sql);
			sql->state = FMT_SQL_VALUES;
		}
	} else if (sql->depth == 1)
		in_value(sql);
	if (sql->depth > 1) { /* a function's value is its server's */
		sql->value.len = 0;
		sql->has_value = true;
	}
}

static void values(struct fmt_sql *sql)
{
	if (is_mark(sql, '(')) {
		begin_row(sql);
		sql->depth = 1;
		sql->state = FMT_SQL_TUPLE;
	} else if (!is_mark(sql, ',') && !is_word(sql, "VALUES")) {
		sql->state = FMT_SQL_SKIP; /* ON DUPLICATE KEY ... */
	}
}

/* INSERT INTO a.b (c, d) VALUES; COPY a.b (c, d) FROM stdin */
static void target(struct fmt_sql *sql)
{
	static const char *const before[] = {"INTO", "IGNORE", "LOW_PRIORITY",
					     "DELAYED", "OR", "REPLACE",
					     "ONLY", NULL};

	if (is_mark(sql, '('))
		sql->state = FMT_SQL_COLUMNS;
	else if (is_word(sql, "VALUES") || is_word(sql, "VALUE"))
		sql->state = FMT_SQL_VALUES;
	else if (is_word(sql, "SELECT"))
		sql->state = FMT_SQL_SKIP;
	else if (is_word(sql, "STDIN") && sql->copies)
		sql->state = FMT_SQL_STDIN;
	else if (!is_name(sql) || is_one_of(sql, before))
		sql->named = sql->named && !is_mark(sql, '.');
	else if (!sql->named) {
		take_name(sql);
		sql->named = true;
	}
}

static void columns(struct fmt_sql *sql)
{
	if (is_mark(sql, ')'))
		sql->state = FMT_SQL_TARGET;
	else if (is_name(sql))
		(void)add(sql, &sql->columns, sql->token.bytes,
			  sql->token.len);
}

/* CREATE TABLE IF NOT EXISTS a.b (c int, PRIMARY KEY (c)) */
static void create(struct fmt_sql *sql)
{
	static const char *const before[] = {"TEMPORARY", "UNLOGGED", "GLOBAL",
					     "TABLE", "IF", "NOT", "EXISTS",
					     NULL};
	struct fmt_sql_table *table;

	if (is_mark(sql, '(')) {
		table = find_table(sql, true);
		if (table)
			csvfile_clear(&table->columns);
		sql->depth = 1;
		sql->has_value = false;
		sql->state = table ? FMT_SQL_CREATE_BODY : FMT_SQL_SKIP;
	} else if (!sql->is_table) {
		sql->is_table = is_word(sql, "TABLE");
		if (!is_one_of(sql, before))
			sql->state = FMT_SQL_SKIP;
	} else if (is_name(sql) && !is_one_of(sql, before)) {
		take_name(sql);
	}
}

static void create_body(struct fmt_sql *sql)
{
	static const char *const others[] = {
		"PRIMARY", "KEY",	"UNIQUE",  "CONSTRAINT", "INDEX",
		"FOREIGN", "FULLTEXT", "SPATIAL", "CHECK",      "EXCLUDE",
		"LIKE",	   NULL};
	struct fmt_sql_table *table = find_table(sql, false);

	if (is_mark(sql, '('))
		sql->depth++;
	else if (is_mark(sql, ')') && --sql->depth == 0)
		sql->state = FMT_SQL_SKIP;
	else if (is_mark(sql, ',') && sql->depth == 1)
		sql->has_value = false;
	else if (!sql->has_value && sql->depth == 1) {
		sql->has_value = true; /* the first word of each item alone */
		if (is_name(sql) && !is_one_of(sql, others))
			(void)add(sql, &table->columns, sql->token.bytes,
				  sql->token.len);
	}
}

static void start(struct fmt_sql *sql)
{
	sql->statement++;
	sql->named = sql->is_table = false;
	sql->table[0] = 0;
	csvfile_clear(&sql->columns);
	sql->why = NULL;
	sql->copies = is_word(sql, "COPY");
	if (is_word(sql, "INSERT") || is_word(sql, "REPLACE") || sql->copies)
		sql->state = FMT_SQL_TARGET;
	else if (is_word(sql, "CREATE"))
		sql->state = FMT_SQL_CREATE;
	else if (is_word(sql, "SET"))
		sql->state = FMT_SQL_SET;
	else
		sql->state = FMT_SQL_SKIP;
	sql->begins = is_word(sql, "BEGIN");
	if (is_word(sql, "PRAGMA"))
		sql->literal = true; /* sqlite3 */
}

/* SET standard_conforming_strings = on */
static void set(struct fmt_sql *sql)
{
	if (is_word(sql, "standard_conforming_strings"))
		sql->named = true;
	else if (sql->named && is_name(sql))
		sql->literal = !is_word(sql, "off");
}

void fmt_sql_token(struct fmt_sql *sql)
{
	const bool end = is_mark(sql, ';');

	if (end && sql->state == FMT_SQL_STDIN)
		sql->in_copy = true;
	if (end && sql->state == FMT_SQL_TUPLE) {
		sql->why = "the statement ends inside of the row";
		emit(sql);
	}
	if (end) {
		sql->state = FMT_SQL_START;
		return;
	}
	switch (sql->state) {
	case FMT_SQL_START:
		start(sql);
		break;
	case FMT_SQL_TARGET:
		target(sql);
		break;
	case FMT_SQL_COLUMNS:
		columns(sql);
		break;
	case FMT_SQL_VALUES:
		values(sql);
		break;
	case FMT_SQL_TUPLE:
		tuple(sql);
		break;
	case FMT_SQL_CREATE:
		create(sql);
		break;
	case FMT_SQL_CREATE_BODY:
		create_body(sql);
		break;
	case FMT_SQL_SET:
		set(sql);
		break;
	case FMT_SQL_SKIP:
		if (sql->begins && is_word(sql, "TRANSACTION"))
			sql->literal = true; /* sqlite3, again */
		break;
	case FMT_SQL_STDIN:
		break;
	}
}

/* One byte that a backslash of COPY stands for. */
static char unescape(const char **at)
{
	static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
	const char *found = **at ? strchr(from, **at) : NULL;
	char byte = found ? to[found - from] : **at;

	if (**at >= '0' && **at <= '7') {
		unsigned value = 0;

		for (int i = 0; i < 3 && **at >= '0' && **at <= '7'; i++)
			value = value * 8 + (unsigned)(*(*at)++ - '0');
		return (char)value;
	}
	++*at;
	return byte;
}

/* A line of COPY's, its fields between tabs. */
void fmt_sql_copied(struct fmt_sql *sql)
{
	const char *at = sql->token.bytes;
	size_t len = sql->token.len;

	if (len && at[len - 1] == '\r')
		sql->token.bytes[--len] = 0;
	if (strcmp(at, "\\.") == 0) {
		sql->in_copy = false;
		return;
	}
	begin_row(sql);
	if (strlen(at) != len)
		sql->why = "a value has a NUL";
	if (sql->cut)
		sql->why = "the row has more than 128 fields, or 1 MiB";
	for (; !sql->starved; at++) {
		const bool null = strncmp(at, "\\N", 2) == 0 &&
				  (at[2] == '\t' || !at[2]);

		for (at += null ? 2 : 0; *at && *at != '\t';) {
			char byte = *at++;

			if (byte == '\\' && *at)
				byte = unescape(&at);
			if (!text_put(&sql->value, &byte, 1))
				sql->starved = true;
		}
		end_value(sql);
		if (!*at)
			break;
	}
	emit(sql);
}

struct fmt_sql *fmt_sql_new(fmt_sql_sink *sink, void *arg)
{
	struct fmt_sql *sql = calloc(1, sizeof *sql);

	if (!sql)
		return NULL;
	sql->sink = sink;
	sql->arg = arg;
	sql->token.secret = sql->value.secret = true;
	csvfile_start(&sql->columns);
	csvfile_start(&sql->values);
	return sql;
}

void fmt_sql_free(struct fmt_sql *sql)
{
	if (!sql)
		return;
	text_wipe(&sql->token);
	text_wipe(&sql->value);
	csvfile_close(&sql->columns);
	csvfile_close(&sql->values);
	for (size_t i = 0; i < sql->tables; i++)
		csvfile_close(&sql->known[i].columns);
	secret_wipe(sql, sizeof *sql);
	free(sql);
}

/* Behind blanks, and comments if there are any. */
static size_t skip_comments(const char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const char *end = NULL;

		if (bytes[at] && strchr(" \t\r\n", bytes[at])) {
			at++;
			continue;
		}
		if (len - at > 2 && strncmp(bytes + at, "--", 2) == 0)
			end = memchr(bytes + at, '\n', len - at);
		else if (len - at > 3 && strncmp(bytes + at, "/*", 2) == 0)
			end = memmem(bytes + at, len - at, "*/", 2);
		else
			break;
		at = end ? (size_t)(end - bytes) + (*end == '*' ? 2 : 1) : len;
		if (at < len && bytes[at] == ';')
			at++; /* mysqldump's */
	}
	return at;
}

bool fmt_sql_resembles(const char *bytes, size_t len)
{
	static const char *const begins[] = {
		"INSERT INTO ",	     "REPLACE INTO ",	   "CREATE TABLE ",
		"CREATE DATABASE ",  "CREATE SCHEMA ",	   "COPY ",
		"DROP TABLE ",	     "LOCK TABLES ",	   "BEGIN;",
		"BEGIN TRANSACTION", "START TRANSACTION;", "SET ",
		"USE ",		     "PRAGMA ",		   "\\connect ",
		"\\restrict ",
	};
	const size_t at = skip_comments(bytes, len);
	size_t first = 0;

	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
		const size_t part = strlen(begins[i]);

		if (len - at >= part &&
		    strncasecmp(bytes + at, begins[i], part) == 0)
			return true;
	}
	/* Of a long comment the rest is to come. */
	while (first < len && bytes[first] && strchr(" \t\r\n", bytes[first]))
		first++;
	return at == len && len - first > 2 &&
	       (strncmp(bytes + first, "--", 2) == 0 ||
		strncmp(bytes + first, "/*", 2) == 0);
}
