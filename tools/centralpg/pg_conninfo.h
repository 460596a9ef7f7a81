/* SPDX-License-Identifier: MIT */
/* pg_conninfo.h: what a connection string may say.
 */
#ifndef POPBOX_PG_CONNINFO_H
#define POPBOX_PG_CONNINFO_H

#include <libpq-fe.h>

/* NULL, or why not. */
const char *pg_conninfo_judge(const PQconninfoOption *options);

/* The value of a word; NULL: it is not said. */
const char *pg_conninfo_value(const PQconninfoOption *options,
			      const char *word);

#endif
