/* table.h: rows for people: a header, aligned columns. The widths come from
 * the first rows, so that a list of any length starts at once and costs no
 * memory. On a terminal they are as wide as the terminal, and what does not fit is
 * cut; elsewhere nothing is.
 */
#ifndef POPBOX_TABLE_H
#define POPBOX_TABLE_H

#include <stddef.h>

enum { TABLE_COLUMNS = 8, TABLE_CELL = 320, TABLE_HELD = 64 };

struct table {
	size_t columns;
	size_t held; /* rows kept back to learn the widths */
	size_t terminal; /* its width; 0 = it is none */
	size_t width[TABLE_COLUMNS];
	char (*cell)[TABLE_COLUMNS][TABLE_CELL];
};

/* The header; NULL ends it. Prints nothing yet. */
void table_begin(struct table *table, const char *const *header);
/* One text a column; control bytes are taken out. */
void table_row(struct table *table, const char *const *cells);
/* Prints what is held back. */
void table_end(struct table *table);
/* Does not print what is held back: an error follows, and no row came. */
void table_drop(struct table *table);

#endif
