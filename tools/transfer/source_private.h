/* SPDX-License-Identifier: MIT */
/* source_private.h: what the parts of source share that read one file: source.c
 * (csv and passwd-files), source_dump.c (SQL), source_pairs.c (names and values).
 */
#ifndef POPBOX_SOURCE_PRIVATE_H
#define POPBOX_SOURCE_PRIVATE_H

#include "csvfile.h"
#include "fmt_csv.h"
#include "fmt_pairs.h"
#include "source.h"

/* A file being read. */
struct source_reading {
	const struct source_how *how;
	source_sink *sink;
	void *arg;
	struct input input;
	struct import_account account;
	struct progress progress;
	uint64_t shown; /* bytes, of the progress */
	bool below;	/* the file lies in a tree of somebody else's */
};

/* Says why it cannot be read; the exit code. */
int source_failed(const char *path);
/* Of the progress: so far has been read. */
void source_step(struct source_reading *r);

/* A record of the file as an account, or another name of a domain; row has file,
 * line and raw. False: the sink has enough. */
bool source_record(struct source_reading *r, const struct fmt_csv *columns,
		   const struct csvfile *record, enum import_account_part part,
		   struct source_row *row);

/* The file, which is open. */
int source_sql(struct source_reading *r);
int source_pairs(struct source_reading *r, fmt_pairs *parse);

#endif
