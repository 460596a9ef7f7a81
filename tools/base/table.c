/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "columns.h"
#include "say.h"

/* No column of texts gets so narrow that nothing can be told from it. */
enum { LEAST = 12 };

/* ".." says that it is cut. A wide letter may leave a column before them. */
static size_t print_cut(const char *text, size_t limit)
{
	size_t bytes = columns_fit(text, limit > 2 ? limit - 2 : 0);

	(void)printf("%.*s..", (int)bytes, text); /* say_finish looks at it */
	return columns_of(text) - columns_of(text + bytes) + 2;
}

/* As many names as fit, the first in any case, and how many there are more. */
static size_t print_names(const char *text, size_t limit)
{
	size_t len = strcspn(text, " "), more = 0, next, at;
	char rest[32] = "";

	for (at = len; text[at]; at = next) {
		next = at + 1 + strcspn(text + at + 1, " ");
		if (!more && next + sizeof " +999" <= limit)
			len = next;
		else
			more++;
	}
	if (more)
		(void)snprintf(rest, sizeof rest, " +%zu", more);
	(void)printf("%.*s%s", (int)len, text, rest);
	return columns_of(text) - columns_of(text + len) + strlen(rest);
}

/* Returns the columns it took. */
static size_t print_cell(const char *text, enum table_kind kind, size_t limit)
{
	size_t columns = columns_of(text);

	if (columns > limit && kind == TABLE_TEXT)
		return print_cut(text, limit);
	if (columns > limit && kind == TABLE_NAMES)
		return print_names(text, limit);
	(void)fputs(text, stdout);
	return columns;
}

static size_t width_of_all(const struct table *table)
{
	size_t all = 2 * (table->columns - 1);

	for (size_t i = 0; i < table->columns; i++)
		all += table->width[i];
	return all;
}

/* A cell may be wider than its column where the line has room. */
static void print(const struct table *table, const char *const *cell)
{
	size_t all = width_of_all(table);
	size_t slack = table->terminal > all ? table->terminal - all : 0;

	for (size_t i = 0; i < table->columns; i++) {
		size_t width = table->width[i];
		size_t took = print_cell(cell[i], table->kind[i],
					 table->terminal ? width + slack
							 : SIZE_MAX);
		size_t over = took > width ? took - width : 0;

		slack -= over < slack ? over : slack;
		if (i + 1 == table->columns)
			(void)putchar('\n');
		else
			(void)printf("%*s",
				     (int)(2 + (took < width ? width - took
							     : 0)),
				     "");
	}
}

/* How narrow may it get? */
static size_t least(const struct table *table, size_t column)
{
	if (table->kind[column] == TABLE_TEXT)
		return LEAST;
	return table->first[column] + sizeof " +99" - 1;
}

/* The widest columns of this kind give way until a row fits a line; false: it
 * does not. */
static bool shrink(struct table *table, enum table_kind kind)
{
	for (size_t all = width_of_all(table); all > table->terminal; all--) {
		size_t widest = TABLE_COLUMNS;

		for (size_t i = 0; i < table->columns; i++) {
			if (table->kind[i] == kind &&
			    table->width[i] > least(table, i) &&
			    (widest == TABLE_COLUMNS ||
			     table->width[i] >= table->width[widest]))
				widest = i;
		}
		if (widest == TABLE_COLUMNS)
			return false;
		table->width[widest]--;
	}
	return true;
}

static void fit(struct table *table)
{
	const size_t keep = table->keep ? table->keep : table->columns;
	size_t width[TABLE_COLUMNS];
	bool fits;

	memcpy(width, table->width, sizeof width);
	while (!(fits = shrink(table, TABLE_TEXT)) && table->columns > keep) {
		table->columns--;
		memcpy(table->width, width, sizeof width);
	}
	if (!fits)
		(void)shrink(table, TABLE_NAMES); /* else lines are longer */
}

static void release(struct table *table)
{
	for (size_t i = 0; table->cell && i < table->held; i++) {
		for (size_t k = 0; k < TABLE_COLUMNS; k++)
			free(table->cell[i][k]);
	}
	free(table->cell);
	table->cell = NULL;
	table->held = 0;
}

static void print_held(struct table *table)
{
	if (table->terminal)
		fit(table);
	for (size_t i = 0; i < table->held; i++)
		print(table, (const char *const *)table->cell[i]);
	release(table);
}

/* A text as it is shown; NULL: no memory. */
static char *shown(const char *text)
{
	size_t room = strlen(text) + 2;
	char *copy = malloc(room);

	if (copy)
		say_clean(text[0] ? text : "-", copy, room);
	return copy;
}

static void hold(struct table *table, char **cell)
{
	memcpy(table->cell[table->held], cell, sizeof *table->cell);
	for (size_t i = 0; i < table->columns; i++) {
		size_t width = columns_of(cell[i]);
		size_t rest = columns_of(cell[i] + strcspn(cell[i], " "));

		if (width > table->width[i])
			table->width[i] = width;
		if (width - rest > table->first[i])
			table->first[i] = width - rest;
	}
	if (++table->held == TABLE_HELD)
		print_held(table);
}

void table_row(struct table *table, const char *const *cells)
{
	char *cell[TABLE_COLUMNS] = {NULL};
	bool whole = true;

	for (size_t i = 0; i < table->columns; i++) {
		cell[i] = shown(cells[i]);
		whole = whole && cell[i];
	}
	if (whole && table->cell) {
		hold(table, cell);
		return;
	}
	if (whole)
		print(table, (const char *const *)cell);
	else
		say_lost();
	for (size_t i = 0; i < TABLE_COLUMNS; i++)
		free(cell[i]);
}

/* The columns of the terminal that stdout is; 0: it is none, or nobody knows. */
static size_t terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {.ws_col = 0};

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return columns ? strtoul(columns, NULL, 10) : 0;
}

void table_begin(struct table *table, const char *const *header)
{
	*table = (struct table){.terminal = terminal_width()};
	while (header[table->columns])
		table->columns++;
	/* Without memory the columns are not aligned, that is all. */
	table->cell = calloc(TABLE_HELD, sizeof *table->cell);
	table_row(table, header);
}

void table_end(struct table *table)
{
	if (table->cell)
		print_held(table);
}

void table_drop(struct table *table)
{
	release(table);
}
