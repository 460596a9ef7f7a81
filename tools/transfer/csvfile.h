/* SPDX-License-Identifier: MIT */
/* csvfile.h: the records of a CSV file, RFC 4180: quotes, line breaks inside of
 * them, lines that end in LF or CR LF; fields are taken as they are, blanks
 * included. Over libcsv.
 */
#ifndef POPBOX_CSVFILE_H
#define POPBOX_CSVFILE_H

#include "base/text.h"
#include "input.h"

enum {
	CSVFILE_FIELDS_MAX = 128,
	CSVFILE_RECORD_MAX = 1 << 20, /* bytes; longer: a quote does not end */
};

struct csvfile {
	struct input *input;
	char delimiter;
	struct csv_parser *parser;
	struct text raw;    /* the record's lines, as they are */
	struct text fields; /* its fields, a NUL behind each */
	size_t at[CSVFILE_FIELDS_MAX]; /* where each begins in fields */
	size_t count;
	unsigned long line; /* the first of its lines */
	const char *why;    /* what is wrong with it, or NULL */
	bool boxed; /* bars around fields, and blanks, as a database prints */
	bool whole;
	bool full;
	bool starved; /* no memory: nothing is wrong with it */
};

/* False: no memory. delimiter 0: comma, semicolon or tab, whichever the first
 * line has most of; what a line sep=; above it says, as spreadsheets write it;
 * or bars, if the line begins with one and another line is +---+. */
bool csvfile_open(struct csvfile *csv, struct input *input, char delimiter);
void csvfile_close(struct csvfile *csv); /* wipes */

/* A record that is put together by hand instead: of no file. Close it, too. */
void csvfile_start(struct csvfile *csv);
void csvfile_clear(struct csvfile *csv);
enum csvfile_added {
	CSVFILE_ADDED,
	CSVFILE_FULL,	 /* of fields, or bytes: not added */
	CSVFILE_NUL,	 /* it has one: not added */
	CSVFILE_STARVED, /* no memory */
};
enum csvfile_added csvfile_add(struct csvfile *csv, const char *field,
			       size_t len);

/* The next line tells the delimiter anew. */
void csvfile_guess(struct csvfile *csv);

/* The next record; blank lines are none. INPUT_FAILED: also for ENOMEM. */
enum input_got csvfile_next(struct csvfile *csv);

/* Its field number i; NUL-ended, never with a NUL inside. It may be cut in place. */
char *csvfile_field(const struct csvfile *csv, size_t i);

/* Writes one field, in quotes where it needs them. False: no memory. */
bool csvfile_put(struct text *out, const char *field, bool first);

#endif
