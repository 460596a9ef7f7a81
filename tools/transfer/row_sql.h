/* row_sql.h: the rows of tables in a dump of mysqldump, pg_dump or sqlite3: INSERT,
 * REPLACE and COPY, their columns from there or from CREATE TABLE. All else is
 * passed over, never run. Pure: bytes in, rows out.
 */
#ifndef POPBOX_ROW_SQL_H
#define POPBOX_ROW_SQL_H

#include "csvfile.h"

enum {
	ROW_SQL_NAME = 64,   /* bytes of a table's name, with its NUL */
	ROW_SQL_TABLES = 16, /* whose columns are remembered */
	ROW_SQL_VALUE_MAX = CSVFILE_RECORD_MAX,
};

struct row_sql_row {
	const char *table;
	unsigned long statement; /* its number */
	const struct csvfile *columns; /* their names; none: not known */
	struct csvfile *values;	       /* as they are; NULL is "" */
	const char *why;	       /* what is wrong with it; or NULL */
};

/* False ends it. */
typedef bool row_sql_sink(void *arg, const struct row_sql_row *row);

struct row_sql;

/* NULL: no memory. */
struct row_sql *row_sql_new(row_sql_sink *sink, void *arg);
void row_sql_free(struct row_sql *sql); /* wipes */

enum row_sql_got { ROW_SQL_MORE, ROW_SQL_ENOUGH, ROW_SQL_NOMEM };

/* The bytes behind those before. */
enum row_sql_got row_sql_take(struct row_sql *sql, const char *bytes,
			      size_t len);
/* There are no more. NULL, or what is wrong with the end. */
const char *row_sql_end(struct row_sql *sql);

/* Does a file that begins so look like a dump? */
bool row_sql_resembles(const char *bytes, size_t len);

#endif
