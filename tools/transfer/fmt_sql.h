/* SPDX-License-Identifier: MIT */
/* fmt_sql.h: the rows of tables in a dump of mysqldump, pg_dump or sqlite3: INSERT,
 * REPLACE and COPY, their columns from there or from CREATE TABLE. All else is
 * passed over, never run. Pure: bytes in, rows out.
 */
#ifndef POPBOX_FMT_SQL_H
#define POPBOX_FMT_SQL_H

#include "csvfile.h"

enum {
	FMT_SQL_NAME = 64,   /* bytes of a table's name, with its NUL */
	FMT_SQL_TABLES = 16, /* whose columns are remembered */
	FMT_SQL_VALUE_MAX = CSVFILE_RECORD_MAX,
};

struct fmt_sql_row {
	const char *table;
	unsigned long statement; /* its number */
	const struct csvfile *columns; /* their names; none: not known */
	struct csvfile *values;	       /* as they are; NULL is "" */
	const char *why;	       /* what is wrong with it; or NULL */
};

/* False ends it. */
typedef bool fmt_sql_sink(void *arg, const struct fmt_sql_row *row);

struct fmt_sql;

/* NULL: no memory. */
struct fmt_sql *fmt_sql_new(fmt_sql_sink *sink, void *arg);
void fmt_sql_free(struct fmt_sql *sql); /* wipes */

enum fmt_sql_got { FMT_SQL_MORE, FMT_SQL_ENOUGH, FMT_SQL_NOMEM };

/* The bytes behind those before. */
enum fmt_sql_got fmt_sql_take(struct fmt_sql *sql, const char *bytes,
			      size_t len);
/* There are no more. NULL, or what is wrong with the end. */
const char *fmt_sql_end(struct fmt_sql *sql);

/* Does a file that begins so look like a dump? */
bool fmt_sql_resembles(const char *bytes, size_t len);

#endif
