/* SPDX-License-Identifier: MIT */
/* pager.h: lists of any length, printed while they are read: as a table, as csv,
 * or one JSON object a line; with the columns, the order and the number of rows
 * that the options ask for.
 *
 * Rows come in handfuls, each from one short transaction, so that a slow
 * reader of the list (a pager) never keeps a snapshot, and with it the
 * store's old pages, for long. Only --sort has to see all rows first; it keeps
 * those that can be printed.
 */
#ifndef POPBOX_PAGER_H
#define POPBOX_PAGER_H

#include "accounts/site.h"
#include "args.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"

enum { PAGER_HANDFUL = 64 };

/* The options of every list. */
#define PAGER_OPTIONS                                                          \
	{"--columns", "COLUMNS", "which columns: a,b,c"},                      \
		{"--sort", "COLUMN", "by this column; -COLUMN: from its end"}, \
		{"--limit", "N", "at most so many"},                           \
	{                                                                      \
		"--csv", NULL, "as csv, with a header"                         \
	}

struct pager_column {
	const char *name; /* "last-login"; the header is LAST LOGIN */
	enum table_kind kind;
	bool more; /* not there unless --columns asks for it */
};

/* Of `box list` and so on; pager_found: of `search`. */
extern const struct pager_column pager_handles[], pager_domains[],
	pager_boxes[], pager_addresses[], pager_found[];

/* The cells of one row, in the order of the list's columns. */
struct pager_cells {
	struct text cell[TABLE_COLUMNS]; /* "" or NULL bytes: none */
};

/* Sets one cell. */
void pager_cell(struct pager_cells *cells, size_t column, const char *text);

struct pager_view {
	size_t column[TABLE_COLUMNS], columns; /* which, in this order */
	bool chosen; /* by --columns */
	bool sorted, descending;
	size_t by; /* the column to sort by */
	uint64_t limit; /* 0: none */
	bool csv;
};

struct pager {
	const char *what; /* for messages: "box list" */
	const struct pager_column *column; /* ends with a name of NULL */
	size_t keep; /* so many columns are shown on any terminal */
	/* Fetches the next rows into arg and sets *count, at most
	 * PAGER_HANDFUL; remembers in arg where it was. ERR_NOTFOUND with the
	 * last ones. */
	store_body *next;
	/* Fills the cells of row number index of the handful, or makes its JSON
	 * object, or both where they are not NULL. False: the row is not in the
	 * list after all. */
	bool (*row)(const struct site *site, const void *arg, size_t index,
		    struct pager_cells *cells, json_t **ret_object);
	void *arg;
	size_t *count;
};

/* The options of a command line; before the store is opened. Columns whose name
 * is in also, NULL-ended, are shown as if they were usual ones. Says what is wrong;
 * returns the exit code. */
int pager_read(const struct site *site, const struct args *args,
	       const struct pager *list, const char *const *also,
	       struct pager_view *ret_view);

/* Is this column shown, or sorted by? */
bool pager_wants(const struct pager *list, const struct pager_view *view,
		 const char *name);

/* Prints it all from a store that is open for reading; returns the code. */
int pager_print(struct site *site, const struct pager *list,
		const struct pager_view *view);

#endif
