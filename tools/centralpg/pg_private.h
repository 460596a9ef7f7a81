/* SPDX-License-Identifier: MIT */
/* pg_private.h: what the files of pg.h share: the connection, and how its answers are
 * judged.
 */
#ifndef POPBOX_PG_PRIVATE_H
#define POPBOX_PG_PRIVATE_H

#include <libpq-fe.h>

#include "pg.h"
#include "pg_array.h"

enum { PG_BYTEA = 17, PG_INT8 = 20, PG_INT2 = 21, PG_INT4 = 23, PG_TEXT = 25 };

struct pg {
	PGconn *connection;
	char host[256];
	char why[FRAMES_TEXT];
	bool listens, warned;
	uint64_t number;	  /* of the change whose rows are put */
	struct pg_array array[3]; /* tab, key, row */
	uint32_t rows;
};

/* Keeps this text as pg_why, in one line, and answers the fault. */
enum frames_fault pg_say(struct pg *pg, enum frames_fault fault,
			 const char *text);
enum frames_fault pg_closed(struct pg *pg);

/* Takes the result. */
enum frames_fault pg_judge(struct pg *pg, PGresult *result);
enum frames_fault pg_run(struct pg *pg, const char *sql);
/* COMMIT. FRAMES_UNKNOWN: the connection was lost meanwhile, or the server stopped to
 * wait for its standbys, which may not have what is committed here. */
enum frames_fault pg_run_commit(struct pg *pg);

/* A fault ends the transaction; rows that wait are forgotten. */
enum frames_fault pg_end(struct pg *pg, enum frames_fault fault);
void pg_forget_rows(struct pg *pg);

/* The row of a change in the chain. */
enum frames_fault pg_insert_change(struct pg *pg, uint64_t number,
				   uint64_t after,
				   const uint8_t token[FRAMES_TOKEN]);

#endif
