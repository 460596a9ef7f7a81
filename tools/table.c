#include "table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "columns.h"
#include "say.h"

/* Cut where it is too wide; ".." says so. Returns the columns it took. */
static size_t print_cut(const char *text, size_t limit)
{
	size_t columns = columns_of(text);
	char shown[TABLE_CELL + 2];

	/* say_finish looks at stdout. */
	if (columns <= limit) {
		(void)printf("%s", text);
		return columns;
	}
	/* A wide letter may leave a column before the dots. */
	(void)snprintf(shown, sizeof shown, "%.*s..",
		       (int)columns_fit(text, limit > 2 ? limit - 2 : 0), text);
	(void)printf("%s", shown);
	return columns_of(shown);
}

static size_t width_of_all(const struct table *table)
{
	size_t all = 2 * (table->columns - 1);

	for (size_t i = 0; i < table->columns; i++)
		all += table->width[i];
	return all;
}

/* A cell may be wider than its column where the line has room. */
static void print(const struct table *table, char cell[][TABLE_CELL])
{
	size_t all = width_of_all(table);
	size_t slack = table->terminal > all ? table->terminal - all : 0;

	for (size_t i = 0; i < table->columns; i++) {
		size_t width = table->width[i];
		size_t took = print_cut(cell[i], table->terminal
							 ? width + slack
							 : TABLE_CELL);
		bool last = i + 1 == table->columns;

		if (took > width && table->terminal)
			slack -= took - width;
		if (last)
			(void)putchar('\n');
		else
			(void)printf("%*s", (int)(2 + (took < width ? width - took
							     : 0)), "");
	}
}

/* On a terminal the widest columns give way until a row fits a line; none gets
 * so narrow that nothing can be told from it. */
static void fit(struct table *table)
{
	const size_t least = 12;

	for (size_t all = width_of_all(table); all > table->terminal; all--) {
		size_t widest = 0;

		for (size_t i = 1; i < table->columns; i++) {
			if (table->width[i] >= table->width[widest])
				widest = i;
		}
		if (table->width[widest] <= least)
			return;
		table->width[widest]--;
	}
}

static void print_held(struct table *table)
{
	if (table->terminal)
		fit(table);
	for (size_t i = 0; i < table->held; i++)
		print(table, table->cell[i]);
	table->held = 0;
	free(table->cell);
	table->cell = NULL;
}

static void fill(const struct table *table, const char *const *cells,
		 char cell[][TABLE_CELL])
{
	for (size_t i = 0; i < table->columns; i++)
		say_clean(cells[i][0] ? cells[i] : "-", cell[i], TABLE_CELL);
}

void table_row(struct table *table, const char *const *cells)
{
	char row[TABLE_COLUMNS][TABLE_CELL];

	if (!table->cell) {
		fill(table, cells, row);
		print(table, row);
		return;
	}
	fill(table, cells, table->cell[table->held]);
	for (size_t i = 0; i < table->columns; i++) {
		size_t width = columns_of(table->cell[table->held][i]);

		if (width > table->width[i])
			table->width[i] = width;
	}
	if (++table->held == TABLE_HELD)
		print_held(table);
}

void table_begin(struct table *table, const char *const *header)
{
	struct winsize size;

	*table = (struct table){0};
	while (header[table->columns])
		table->columns++;
	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		table->terminal = size.ws_col;
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
	free(table->cell);
	table->cell = NULL;
}
