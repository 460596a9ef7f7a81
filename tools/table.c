#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

static void print(const struct table *table, char cell[][TABLE_CELL])
{
	for (size_t i = 0; i < table->columns; i++) {
		bool last = i + 1 == table->columns;

		/* say_finish looks at stdout. */
		(void)printf("%-*s%s", last ? 0 : table->width[i], cell[i],
			     last ? "\n" : "  ");
	}
}

static void print_held(struct table *table)
{
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
		int width = (int)strlen(table->cell[table->held][i]);

		if (width > table->width[i])
			table->width[i] = width;
	}
	if (++table->held == TABLE_HELD)
		print_held(table);
}

void table_begin(struct table *table, const char *const *header)
{
	*table = (struct table){0};
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
