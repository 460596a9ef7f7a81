/* row_sql_private.h: what the two parts of row_sql share: row_sql.c (statements)
 * and row_sql_lex.c (their tokens).
 */
#ifndef POPBOX_ROW_SQL_PRIVATE_H
#define POPBOX_ROW_SQL_PRIVATE_H

#include "base/text.h"
#include "row_sql.h"

enum row_sql_kind {
	ROW_SQL_WORD,	/* or a number */
	ROW_SQL_QUOTED, /* "a": a name, or mysql's string; `a`: a name */
	ROW_SQL_STRING, /* 'a' */
	ROW_SQL_MARK,	/* one of ( ) , ; . and others */
};

enum row_sql_state {
	ROW_SQL_START, /* of a statement */
	ROW_SQL_SKIP,  /* to its end */
	ROW_SQL_SET,
	ROW_SQL_TARGET,
	ROW_SQL_COLUMNS,
	ROW_SQL_VALUES,
	ROW_SQL_TUPLE,
	ROW_SQL_CREATE,
	ROW_SQL_CREATE_BODY,
	ROW_SQL_STDIN, /* COPY ... FROM stdin; lines follow */
};

enum row_sql_lex {
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

struct row_sql_table {
	char name[ROW_SQL_NAME];
	struct csvfile columns;
};

struct row_sql {
	row_sql_sink *sink;
	void *arg;
	/* the lexer's */
	enum row_sql_lex lex;
	char quote;
	bool escapes; /* a backslash is one, in this string */
	bool literal; /* a backslash is none, in strings without E */
	bool cut;     /* the token is too long */
	struct text token;
	enum row_sql_kind kind;
	char tag[ROW_SQL_NAME]; /* $tag$ */
	size_t tag_len, tag_at;
	/* the statement's */
	enum row_sql_state state;
	bool copies, named, is_table, in_copy, begins;
	unsigned depth; /* of parentheses */
	char table[ROW_SQL_NAME];
	struct csvfile columns, values;
	struct text value;
	bool has_value;
	unsigned long statement;
	const char *why; /* of the row */
	struct row_sql_table known[ROW_SQL_TABLES];
	size_t tables;
	bool enough, starved;
};

/* The lexer calls these: a token, and a line below COPY. */
void row_sql_token(struct row_sql *sql);
void row_sql_copied(struct row_sql *sql);

#endif
