/* row_csv.h: files with a header: our own csv and those of cPanel, Google and
 * Postfixadmin. Pure: fields in, one account out.
 */
#ifndef POPBOX_ROW_CSV_H
#define POPBOX_ROW_CSV_H

#include "csvfile.h"
#include "intake.h"

/* What a column means. */
enum row_csv_column {
	ROW_CSV_IGNORED,
	ROW_CSV_ADDRESS,
	ROW_CSV_LOCAL,
	ROW_CSV_DOMAIN,
	ROW_CSV_PASSWORD,
	ROW_CSV_HASH,
	ROW_CSV_FUNCTION, /* what kind of hash stands in the password's column */
	ROW_CSV_NAME,
	ROW_CSV_LAST_NAME,
	ROW_CSV_QUOTA,
	ROW_CSV_QUOTA_MB,
	ROW_CSV_HANDLE,
	ROW_CSV_BOX,
	ROW_CSV_FORWARD,
	ROW_CSV_LOGIN,
	ROW_CSV_DELIVERY,
	ROW_CSV_REASON,
	ROW_CSV_MAILDIR,
	ROW_CSV_ACTIVE,
	ROW_CSV_STATUS,
	ROW_CSV_NEW_STATUS,
	ROW_CSV_COLUMNS,
};

struct row_csv {
	const char *format; /* its name */
	enum row_csv_column column[CSVFILE_FIELDS_MAX]; /* of each field */
	size_t count;
};

/* Reads a header; format NULL: finds out which it is. NULL, or why not; *ret_bad
 * then is the field that it is about, or NULL. */
const char *row_csv_header(const struct csvfile *csv, const char *format,
			   bool ignore_unknown, struct row_csv *ret_row,
			   const char **ret_bad);

/* A record below that header. domain is for names that have none, or NULL. NULL,
 * or why it cannot be taken; *ret_left: why it is left out, or NULL. The
 * intake was wiped before. */
const char *row_csv_fill(const struct row_csv *row, const struct csvfile *csv,
			 const char *domain, struct intake *intake,
			 const char **ret_left);

#endif
