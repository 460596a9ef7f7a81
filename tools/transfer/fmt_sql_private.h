/* SPDX-License-Identifier: MIT */
/* fmt_sql_private.h: what the two parts of fmt_sql share: fmt_sql.c (statements)
 * and fmt_sql_lex.c (their tokens).
 */
#ifndef POPBOX_FMT_SQL_PRIVATE_H
#define POPBOX_FMT_SQL_PRIVATE_H

#include "base/text.h"
#include "fmt_sql.h"

enum fmt_sql_kind {
	FMT_SQL_WORD,	/* or a number */
	FMT_SQL_QUOTED, /* "a": a name, or mysql's string; `a`: a name */
	FMT_SQL_STRING, /* 'a' */
	FMT_SQL_MARK,	/* one of ( ) , ; . and others */
};

enum fmt_sql_state {
	FMT_SQL_START, /* of a statement */
	FMT_SQL_SKIP,  /* to its end */
	FMT_SQL_SET,
	FMT_SQL_TARGET,
	FMT_SQL_COLUMNS,
	FMT_SQL_VALUES,
	FMT_SQL_TUPLE,
	FMT_SQL_CREATE,
	FMT_SQL_CREATE_BODY,
	FMT_SQL_STDIN, /* COPY ... FROM stdin; lines follow */
};

enum fmt_sql_lex {
	LEX_BETWEEN,
	LEX_WORD,
	LEX_QUOTE,	  /* inside of quotes */
	LEX_QUOTE_ESCAPE, /* behind a backslash there */
	LEX_QUOTE_END,	  /* behind the quote, which may be doubled */
	LEX_DASH,
	LEX_SLASH,
	LEX_COMMENT_LINE,
	LEX_COMMENT,
	LEX_COMMENT_STAR,
	LEX_DOLLAR, /* $tag$ */
	LEX_DOLLAR_BODY,
	LEX_COPY_START, /* the rest of the line of COPY */
	LEX_COPY,
};

struct fmt_sql_table {
	char name[FMT_SQL_NAME];
	struct csvfile columns;
};

struct fmt_sql {
	fmt_sql_sink *sink;
	void *arg;
	/* the lexer's */
	enum fmt_sql_lex lex;
	char quote;
	bool escapes; /* a backslash is one, in this string */
	bool literal; /* a backslash is none, in strings without E */
	bool cut;     /* the token is too long */
	struct text token;
	enum fmt_sql_kind kind;
	char tag[FMT_SQL_NAME]; /* $tag$ */
	size_t tag_len, tag_at;
	/* the statement's */
	enum fmt_sql_state state;
	bool copies, named, is_table, in_copy, begins;
	unsigned depth; /* of parentheses */
	char table[FMT_SQL_NAME];
	struct csvfile columns, values;
	struct text value;
	bool has_value;
	unsigned long statement;
	const char *why; /* of the row */
	struct fmt_sql_table known[FMT_SQL_TABLES];
	size_t tables;
	bool enough, starved;
};

/* The lexer calls these: a token, and a line below COPY. */
void fmt_sql_token(struct fmt_sql *sql);
void fmt_sql_copied(struct fmt_sql *sql);

#endif
