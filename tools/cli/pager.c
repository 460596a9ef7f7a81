/* SPDX-License-Identifier: MIT */
#include "pager.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "operand.h"
#include "transfer/csvfile.h"

enum { HEADER = 32 };

/* A row that waits to be sorted. */
struct kept {
	char *key;		   /* its cell of the column sorted by */
	char *cell[TABLE_COLUMNS]; /* the view's, or NULL for JSON */
	char *json;
	uint64_t number; /* rows alike keep their order */
};

struct printing {
	const struct site *site;
	const struct pager *list;
	const struct pager_view *view;
	struct table table;
	struct pager_cells cells;
	struct text line; /* of csv */
	uint64_t rows;	  /* seen, and in the list */
	struct kept *kept; /* malloc'ed */
	size_t count, room;
	bool no_memory;
};

void pager_cell(struct pager_cells *cells, size_t column, const char *text)
{
	cells->cell[column].len = 0;
	if (!text_put(&cells->cell[column], text, strlen(text)))
		say_lost();
}

static const char *cell(const struct pager_cells *cells, size_t column)
{
	const struct text *text = &cells->cell[column];

	return text->len ? text->bytes : "";
}

static bool find(const struct pager *list, const char *name, size_t len,
		 size_t *ret_column)
{
	for (size_t i = 0; list->column[i].name; i++) {
		if (strlen(list->column[i].name) == len &&
		    memcmp(list->column[i].name, name, len) == 0) {
			*ret_column = i;
			return true;
		}
	}
	return false;
}

static int no_such(const struct pager *list, const char *option,
		   const char *name, size_t len)
{
	char all[512] = "";
	size_t at = 0;

	for (size_t i = 0; list->column[i].name && at < sizeof all; i++)
		at += (size_t)snprintf(all + at, sizeof all - at, "%s%s",
				       i ? ", " : "", list->column[i].name);
	return say_error(CODE_USAGE,
			 "%s: %s has no column '%.*s': it has %s", option,
			 list->what, (int)len, name, all);
}

static int read_columns(const struct pager *list, const char *text,
			struct pager_view *view)
{
	view->columns = 0;
	view->chosen = true;
	for (;;) {
		size_t len = strcspn(text, ","), column;

		if (!find(list, text, len, &column))
			return no_such(list, "--columns", text, len);
		for (size_t i = 0; i < view->columns; i++) {
			if (view->column[i] == column)
				return say_error(CODE_USAGE,
						 "--columns: '%.*s' stands "
						 "there twice",
						 (int)len, text);
		}
		view->column[view->columns++] = column;
		if (!text[len])
			return CODE_DONE;
		text += len + 1;
	}
}

static int read_sort(const struct pager *list, const char *text,
		     struct pager_view *view)
{
	view->sorted = true;
	view->descending = text[0] == '-';
	text += view->descending;
	return find(list, text, strlen(text), &view->by)
		       ? CODE_DONE
		       : no_such(list, "--sort", text, strlen(text));
}

static bool is_in(const char *const *names, const char *name)
{
	for (; names && *names; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

int pager_read(const struct site *site, const struct args *args,
	       const struct pager *list, const char *const *also,
	       struct pager_view *view)
{
	const char *columns = args_get(args, "--columns");
	const char *sort = args_get(args, "--sort");
	const char *limit = args_get(args, "--limit");
	int code = CODE_DONE;

	*view = (struct pager_view){.csv = args_has(args, "--csv")};
	for (size_t i = 0; list->column[i].name; i++) {
		if (!list->column[i].more || is_in(also, list->column[i].name))
			view->column[view->columns++] = i;
	}
	if (site->json && (view->csv || columns))
		return say_error(CODE_USAGE, "%s: --json prints all that there "
					     "is, one object a line",
				 view->csv ? "--csv" : "--columns");
	if (limit && !operand_number(limit, 1, UINT32_MAX, &view->limit))
		return say_error(CODE_USAGE, "--limit takes a number from 1, "
					     "not '%s'",
				 limit);
	if (columns)
		code = read_columns(list, columns, view);
	if (code == CODE_DONE && sort)
		code = read_sort(list, sort, view);
	return code;
}

bool pager_wants(const struct pager *list, const struct pager_view *view,
		 const char *name)
{
	if (view->sorted && strcmp(list->column[view->by].name, name) == 0)
		return true;
	for (size_t i = 0; i < view->columns; i++) {
		if (strcmp(list->column[view->column[i]].name, name) == 0)
			return true;
	}
	return false;
}

static void print_csv(struct printing *p, const char *const *cells)
{
	bool good = true;

	p->line.len = 0;
	for (size_t i = 0; good && i < p->view->columns; i++)
		good = csvfile_put(&p->line, cells[i], i == 0);
	if (good)
		say_out("%s", p->line.len ? p->line.bytes : "");
	else
		say_lost();
}

static void begin(struct printing *p)
{
	char text[TABLE_COLUMNS][HEADER];
	const char *header[TABLE_COLUMNS + 1] = {NULL};
	const struct pager_column *column;

	if (p->site->json)
		return;
	for (size_t i = 0; i < p->view->columns; i++) {
		column = &p->list->column[p->view->column[i]];
		(void)snprintf(text[i], HEADER, "%s", column->name); /* fits */
		for (char *at = text[i]; !p->view->csv && *at; at++)
			*at = *at == '-' ? ' ' : (char)toupper(*at);
		header[i] = text[i];
	}
	if (p->view->csv) {
		print_csv(p, header);
		return;
	}
	table_begin(&p->table, header);
	p->table.keep = p->view->chosen ? 0 : p->list->keep;
	for (size_t i = 0; i < p->view->columns; i++)
		p->table.kind[i] =
			p->list->column[p->view->column[i]].kind;
}

static void print_cells(struct printing *p, const char *const *cells)
{
	if (p->view->csv)
		print_csv(p, cells);
	else
		table_row(&p->table, cells);
}

static void forget(struct kept *kept)
{
	free(kept->key);
	free(kept->json);
	for (size_t i = 0; i < TABLE_COLUMNS; i++)
		free(kept->cell[i]);
}

/* Numbers inside of texts count as numbers: ex1-9999 is before ex1-10000. */
static int compare(const void *a, const void *b, void *arg)
{
	const struct kept *x = a, *y = b;
	const struct printing *p = arg;
	int order = strverscmp(x->key, y->key);

	if (order == 0)
		return (x->number > y->number) - (x->number < y->number);
	return p->view->descending ? -order : order;
}

/* With a limit there are never more than twice as many. */
static void sort(struct printing *p)
{
	if (p->count)
		qsort_r(p->kept, p->count, sizeof *p->kept, compare, p);
	while (p->view->limit && p->count > p->view->limit)
		forget(&p->kept[--p->count]);
}

static bool has_room(struct printing *p)
{
	size_t room = p->room ? p->room * 2 : 64;
	struct kept *more;

	if (p->count < p->room)
		return true;
	if (p->view->limit && p->count >= 2 * p->view->limit &&
	    p->count >= 64) {
		sort(p);
		return true;
	}
	more = reallocarray(p->kept, room, sizeof *more);
	if (!more)
		return false;
	p->kept = more;
	p->room = room;
	return true;
}

static bool keep(struct printing *p, json_t *object)
{
	struct kept row = {.number = p->rows,
			   .key = strdup(cell(&p->cells, p->view->by))};
	bool good = row.key != NULL;

	if (p->site->json) {
		row.json = json_text(object);
		good = good && row.json;
	}
	for (size_t i = 0; !p->site->json && i < p->view->columns; i++) {
		row.cell[i] = strdup(cell(&p->cells, p->view->column[i]));
		good = good && row.cell[i];
	}
	if (good && has_room(p)) {
		p->kept[p->count++] = row;
		return true;
	}
	forget(&row);
	return false;
}

static void print_now(struct printing *p, json_t *object)
{
	const char *cells[TABLE_COLUMNS];

	if (p->site->json) {
		json_print(json_incref(object));
		return;
	}
	for (size_t i = 0; i < p->view->columns; i++)
		cells[i] = cell(&p->cells, p->view->column[i]);
	print_cells(p, cells);
}

static void print_kept(struct printing *p)
{
	sort(p);
	for (size_t i = 0; i < p->count; i++) {
		if (p->site->json)
			say_out("%s", p->kept[i].json);
		else
			print_cells(p, (const char *const *)p->kept[i].cell);
	}
}

/* Is that all that is wanted? */
static bool is_full(const struct printing *p)
{
	return p->no_memory || (p->view->limit && !p->view->sorted &&
				p->rows == p->view->limit);
}

static void take(struct printing *p, size_t index)
{
	json_t *object = NULL;
	bool cells = !p->site->json || p->view->sorted;

	for (size_t i = 0; i < TABLE_COLUMNS; i++)
		p->cells.cell[i].len = 0;
	if (!p->list->row(p->site, p->list->arg, index,
			  cells ? &p->cells : NULL,
			  p->site->json ? &object : NULL))
		return;
	p->rows++;
	if (p->view->sorted)
		p->no_memory = !keep(p, object);
	else
		print_now(p, object);
	json_decref(object);
}

static void release(struct printing *p)
{
	for (size_t i = 0; i < p->count; i++)
		forget(&p->kept[i]);
	for (size_t i = 0; i < TABLE_COLUMNS; i++)
		free(p->cells.cell[i].bytes);
	free(p->kept);
	free(p->line.bytes);
}

static void end(struct printing *p, bool good)
{
	bool table = !p->site->json && !p->view->csv;

	if (good && p->view->sorted)
		print_kept(p);
	if (table && !good && p->table.held == 1)
		table_drop(&p->table);
	else if (table)
		table_end(&p->table);
	release(p);
}

int pager_print(struct site *site, const struct pager *list,
		const struct pager_view *view)
{
	struct printing p = {.site = site, .list = list, .view = view};
	enum err err = ERR_OK;
	bool good;

	begin(&p);
	while (err == ERR_OK && !is_full(&p)) {
		*list->count = 0;
		err = store_read(site->store, list->next, list->arg);
		if (err != ERR_OK && err != ERR_NOTFOUND)
			break;
		for (size_t i = 0; i < *list->count && !is_full(&p); i++)
			take(&p, i);
	}
	good = !p.no_memory && (err == ERR_OK || err == ERR_NOTFOUND);
	end(&p, good);
	if (p.no_memory)
		return say_error(CODE_LATER, "no memory to sort the list");
	return good ? CODE_DONE : site_failed(site, err, list->what);
}
