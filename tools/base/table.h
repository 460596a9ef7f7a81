/* SPDX-License-Identifier: MIT */
/* table.h: rows for people: a header, aligned columns. The widths come from
 * the first rows, so that a list of any length starts at once and costs no
 * memory. On a terminal a row fits its width: texts are cut, then whole columns
 * are left out, from the right, then some of several names; a name is never cut.
 * Elsewhere nothing is.
 */
#ifndef POPBOX_TABLE_H
#define POPBOX_TABLE_H

#include <stddef.h>

enum { TABLE_COLUMNS = 20, TABLE_HELD = 64 };

/* What may become of a cell that is too wide. */
enum table_kind {
	TABLE_TEXT,  /* it is cut, and ".." says so */
	TABLE_NAME,  /* nothing */
	TABLE_NAMES, /* several with blanks between: "a@example.com +3" */
};

struct table {
	size_t columns; /* those that are shown, once widths are known */
	size_t keep;	/* the first ones, never left out; 0 = all */
	size_t held;	/* rows kept back to learn the widths */
	size_t terminal; /* its width; 0 = it is none */
	enum table_kind kind[TABLE_COLUMNS];
	size_t width[TABLE_COLUMNS];
	size_t first[TABLE_COLUMNS]; /* of several names the first one's */
	char *(*cell)[TABLE_COLUMNS]; /* malloc'ed, while rows are held */
};

/* The header; NULL ends it. All columns are texts. Prints nothing yet. */
void table_begin(struct table *table, const char *const *header);
/* One text a column; control bytes are taken out. */
void table_row(struct table *table, const char *const *cells);
/* Prints what is held back. */
void table_end(struct table *table);
/* Does not print what is held back: an error follows, and no row came. */
void table_drop(struct table *table);

#endif
