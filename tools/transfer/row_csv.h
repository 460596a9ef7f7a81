/* row_csv.h: files with a header: our own csv, and what spreadsheets, panels and
 * databases write. Pure: fields in, one account out.
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
	ROW_CSV_EITHER, /* a password or a hash, as it looks */
	ROW_CSV_FUNCTION, /* what kind of hash stands in the password's column */
	ROW_CSV_NAME,
	ROW_CSV_FIRST_NAME, /* where there is no name */
	ROW_CSV_LAST_NAME,
	ROW_CSV_QUOTA,
	ROW_CSV_QUOTA_MB,
	ROW_CSV_QUOTA_KB,
	ROW_CSV_VQUOTA, /* as vpopmail writes it */
	ROW_CSV_VFLAGS,
	ROW_CSV_VDIR,	/* that has a Maildir */
	ROW_CSV_VCLEAR, /* the password, if the hash cannot be used */
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
	ROW_CSV_ALIAS_DOMAIN,
	ROW_CSV_TARGET_DOMAIN,
	ROW_CSV_NAMELESS, /* has to be empty */
	ROW_CSV_COLUMNS,
};

struct row_csv {
	const char *format; /* its name */
	const char *whose;  /* program that writes such a header; NULL */
	enum row_csv_column column[CSVFILE_FIELDS_MAX]; /* of each field */
	size_t count;
};

struct row_csv_how {
	const char *format; /* NULL: to be found out */
	const char *map;    /* "Their Name=ours,..."; NULL */
	bool ignore_unknown;
};

/* Reads a header. NULL, or why not; *ret_bad then is the field that it is about, or
 * NULL. */
const char *row_csv_header(const struct csvfile *csv,
			   const struct row_csv_how *how,
			   struct row_csv *ret_row, const char **ret_bad);

bool row_csv_has(const struct row_csv *row, enum row_csv_column is);

/* Has the record nothing in it but blanks? */
bool row_csv_blank(const struct csvfile *csv);

/* A title above the header: a record of one field, or with one that is not empty,
 * and no column's name. */
bool row_csv_title(const struct csvfile *csv);

/* A record that is no account but another name of a domain. */
struct row_csv_alias {
	struct name_domain name, target;
	char utf8[NAME_DOMAIN_MAX + 1]; /* the name's other form, or "" */
};

/* Is it one? *ret_why: why it cannot be taken, or NULL; *ret_left: why it is left
 * out, or NULL. */
bool row_csv_is_alias(const struct row_csv *row, const struct csvfile *csv,
		      struct row_csv_alias *ret_alias, const char **ret_why,
		      const char **ret_left);

/* A record below that header. domain is for names that have none, or NULL. NULL,
 * or why it cannot be taken; *ret_left: why it is left out, or NULL. The
 * intake was wiped before. */
const char *row_csv_fill(const struct row_csv *row, const struct csvfile *csv,
			 const char *domain, struct intake *intake,
			 const char **ret_left);

#endif
