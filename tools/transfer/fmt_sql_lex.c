/* SPDX-License-Identifier: MIT */
/* fmt_sql_lex.c: words, names, strings and marks of SQL; comments are none. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "fmt_sql_private.h"

static void put(struct fmt_sql *sql, char byte)
{
	sql->cut = sql->cut || sql->token.len >= FMT_SQL_VALUE_MAX;
	if (!sql->cut && !text_put(&sql->token, &byte, 1))
		sql->starved = true;
}

static void begin(struct fmt_sql *sql, enum fmt_sql_kind kind,
		  enum fmt_sql_lex lex)
{
	sql->token.len = 0;
	sql->starved = sql->starved || !text_put(&sql->token, "", 0);
	sql->kind = kind;
	sql->lex = lex;
	sql->cut = false;
}

/* The token is whole. */
static void give(struct fmt_sql *sql)
{
	sql->lex = LEX_BETWEEN;
	if (sql->starved)
		return;
	fmt_sql_token(sql);
	if (sql->cut)
		sql->why = "the row has more than 128 fields, or 1 MiB";
	if (sql->in_copy)
		sql->lex = LEX_COPY_START;
}

static void mark(struct fmt_sql *sql, char byte)
{
	begin(sql, FMT_SQL_MARK, LEX_BETWEEN);
	put(sql, byte);
	give(sql);
}

static bool is_word(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_' || (byte & 0x80);
}

static void between(struct fmt_sql *sql, char byte)
{
	const bool was_e = sql->kind == FMT_SQL_WORD && sql->token.len == 1 &&
			   strcasecmp(sql->token.bytes, "E") == 0;

	if (byte == '\'' || byte == '"' || byte == '`') {
		begin(sql, byte == '\'' ? FMT_SQL_STRING : FMT_SQL_QUOTED,
		      LEX_QUOTE);
		sql->quote = byte;
		sql->escapes = byte != '`' && (!sql->literal || was_e);
	} else if (byte == '-') {
		sql->lex = LEX_DASH;
	} else if (byte == '/') {
		sql->lex = LEX_SLASH;
	} else if (byte == '#') {
		sql->lex = LEX_COMMENT_LINE;
	} else if (byte == '$') {
		sql->lex = LEX_DOLLAR;
		sql->tag_len = 0;
	} else if (is_word(byte)) {
		begin(sql, FMT_SQL_WORD, LEX_WORD);
		put(sql, byte);
	} else if (byte && !isspace((unsigned char)byte)) {
		mark(sql, byte);
	}
}

/* A number has dots, a name has none. */
static void word(struct fmt_sql *sql, char byte)
{
	const char first = sql->token.len ? sql->token.bytes[0] : 0;

	if (is_word(byte) || (byte == '.' && (isdigit((unsigned char)first) ||
					      first == '-')))
		put(sql, byte);
	else {
		give(sql);
		if (sql->lex == LEX_BETWEEN)
			between(sql, byte);
	}
}

static char escaped(char byte)
{
	static const char from[] = "0bnrtZ", to[] = "\0\b\n\r\t\x1a";
	const char *found = byte ? strchr(from, byte) : NULL;

	return found ? to[found - from] : byte;
}

static void quoted(struct fmt_sql *sql, char byte)
{
	if (byte == sql->quote)
		sql->lex = LEX_QUOTE_END;
	else if (byte == '\\' && sql->escapes)
		sql->lex = LEX_QUOTE_ESCAPE;
	else
		put(sql, byte);
}

static void comment(struct fmt_sql *sql, char byte)
{
	if (byte == '*')
		sql->lex = LEX_COMMENT_STAR;
	else if (sql->lex == LEX_COMMENT_STAR)
		sql->lex = byte == '/' ? LEX_BETWEEN : LEX_COMMENT;
}

/* $$ or $tag$; a $ with something else behind it is none. */
static void dollar(struct fmt_sql *sql, char byte)
{
	if (byte == '$') {
		sql->lex = LEX_DOLLAR_BODY;
		sql->tag_at = 0;
	} else if (is_word(byte) && sql->tag_len < sizeof sql->tag) {
		sql->tag[sql->tag_len++] = byte;
	} else {
		sql->lex = LEX_BETWEEN;
		between(sql, byte);
	}
}

/* tag_at: 0 outside; 1 + n: behind a $ and n bytes of the tag. */
static void dollar_body(struct fmt_sql *sql, char byte)
{
	if (byte == '$' && sql->tag_at == sql->tag_len + 1)
		sql->lex = LEX_BETWEEN;
	else if (byte == '$')
		sql->tag_at = 1;
	else if (sql->tag_at && sql->tag_at <= sql->tag_len &&
		 byte == sql->tag[sql->tag_at - 1])
		sql->tag_at++;
	else
		sql->tag_at = 0;
}

static void copy(struct fmt_sql *sql, char byte)
{
	if (byte != '\n') {
		put(sql, byte);
		return;
	}
	fmt_sql_copied(sql);
	begin(sql, FMT_SQL_MARK, sql->in_copy ? LEX_COPY : LEX_BETWEEN);
}

static void slash_or_dash(struct fmt_sql *sql, char byte)
{
	if (sql->lex == LEX_DASH && byte == '-')
		sql->lex = LEX_COMMENT_LINE;
	else if (sql->lex == LEX_SLASH && byte == '*')
		sql->lex = LEX_COMMENT;
	else if (sql->lex == LEX_DASH && isdigit((unsigned char)byte)) {
		begin(sql, FMT_SQL_WORD, LEX_WORD);
		put(sql, '-');
		put(sql, byte);
	} else {
		sql->lex = LEX_BETWEEN;
		between(sql, byte);
	}
}

static void quote_end(struct fmt_sql *sql, char byte)
{
	if (byte == sql->quote) {
		put(sql, byte);
		sql->lex = LEX_QUOTE;
		return;
	}
	give(sql);
	if (sql->lex == LEX_BETWEEN)
		between(sql, byte);
}

static void step(struct fmt_sql *sql, char byte)
{
	switch (sql->lex) {
	case LEX_BETWEEN:
		between(sql, byte);
		break;
	case LEX_WORD:
		word(sql, byte);
		break;
	case LEX_QUOTE:
		quoted(sql, byte);
		break;
	case LEX_QUOTE_ESCAPE:
		put(sql, escaped(byte));
		sql->lex = LEX_QUOTE;
		break;
	case LEX_QUOTE_END:
		quote_end(sql, byte);
		break;
	case LEX_DASH:
	case LEX_SLASH:
		slash_or_dash(sql, byte);
		break;
	case LEX_COMMENT_LINE:
		if (byte == '\n')
			sql->lex = LEX_BETWEEN;
		break;
	case LEX_COMMENT:
	case LEX_COMMENT_STAR:
		comment(sql, byte);
		break;
	case LEX_DOLLAR:
		dollar(sql, byte);
		break;
	case LEX_DOLLAR_BODY:
		dollar_body(sql, byte);
		break;
	case LEX_COPY_START:
		if (byte == '\n')
			begin(sql, FMT_SQL_MARK, LEX_COPY);
		break;
	case LEX_COPY:
		copy(sql, byte);
		break;
	}
}

enum fmt_sql_got fmt_sql_take(struct fmt_sql *sql, const char *bytes,
			      size_t len)
{
	for (size_t i = 0; i < len; i++) {
		step(sql, bytes[i]);
		if (sql->starved)
			return FMT_SQL_NOMEM;
		if (sql->enough)
			return FMT_SQL_ENOUGH;
	}
	return FMT_SQL_MORE;
}

const char *fmt_sql_end(struct fmt_sql *sql)
{
	step(sql, '\n'); /* a word, or a line of COPY's, may still be open */
	if (sql->in_copy)
		return "it ends inside of COPY (a line \\. is missing)";
	if (sql->lex != LEX_BETWEEN && sql->lex != LEX_COMMENT_LINE)
		return "it ends inside of quotes or a comment";
	return sql->state == FMT_SQL_TUPLE || sql->state == FMT_SQL_CREATE_BODY
		       ? "it ends inside of a statement"
		       : NULL;
}
