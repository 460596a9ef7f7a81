/* SPDX-License-Identifier: MIT */
/* fmt_csv.h: files with a header: our own csv, and what spreadsheets, panels and
 * databases write. Pure: fields in, one account out.
 */
#ifndef POPBOX_FMT_CSV_H
#define POPBOX_FMT_CSV_H

#include "csvfile.h"
#include "import_account.h"

/* What a column means. */
enum fmt_csv_column {
	FMT_CSV_IGNORED,
	FMT_CSV_ADDRESS,
	FMT_CSV_LOCAL,
	FMT_CSV_DOMAIN,
	FMT_CSV_PASSWORD,
	FMT_CSV_HASH,
	FMT_CSV_EITHER,	  /* a password or a hash, as it looks */
	FMT_CSV_FUNCTION, /* what kind of hash stands in the password's column */
	FMT_CSV_NAME,
	FMT_CSV_FIRST_NAME, /* where there is no name */
	FMT_CSV_LAST_NAME,
	FMT_CSV_QUOTA,
	FMT_CSV_QUOTA_MB,
	FMT_CSV_QUOTA_KB,
	FMT_CSV_VQUOTA, /* as vpopmail writes it */
	FMT_CSV_VFLAGS,
	FMT_CSV_VDIR,	/* that has a Maildir */
	FMT_CSV_VCLEAR, /* the password, if the hash cannot be used */
	FMT_CSV_HANDLE,
	FMT_CSV_BOX,
	FMT_CSV_FORWARD,
	FMT_CSV_LOGIN,
	FMT_CSV_DELIVERY,
	FMT_CSV_REASON,
	FMT_CSV_EXPIRES,
	FMT_CSV_MESSAGES,
	FMT_CSV_VACATION,
	FMT_CSV_VACATION_FROM,
	FMT_CSV_VACATION_UNTIL,
	FMT_CSV_MAILDIR,
	FMT_CSV_ACTIVE,
	FMT_CSV_STATUS,
	FMT_CSV_NEW_STATUS,
	FMT_CSV_ALIAS_DOMAIN,
	FMT_CSV_TARGET_DOMAIN,
	FMT_CSV_NAMELESS, /* has to be empty */
	FMT_CSV_COLUMNS,
};

struct fmt_csv {
	const char *format; /* its name */
	const char *whose;  /* program that writes such a header; NULL */
	enum fmt_csv_column column[CSVFILE_FIELDS_MAX]; /* of each field */
	size_t count;
};

struct fmt_csv_how {
	const char *format; /* NULL: to be found out */
	const char *map;    /* "Their Name=ours,..."; NULL */
	bool ignore_unknown;
};

/* Reads a header. NULL, or why not; *ret_bad then is the field that it is about, or
 * NULL. */
const char *fmt_csv_header(const struct csvfile *csv,
			   const struct fmt_csv_how *how,
			   struct fmt_csv *ret_row, const char **ret_bad);

bool fmt_csv_has(const struct fmt_csv *row, enum fmt_csv_column is);

/* Has the record nothing in it but blanks? */
bool fmt_csv_blank(const struct csvfile *csv);

/* A title above the header: a record of one field, or with one that is not empty,
 * and no column's name. */
bool fmt_csv_title(const struct csvfile *csv);

/* A record that is no account but another name of a domain. */
struct fmt_csv_alias {
	struct name_domain name, target;
	char utf8[NAME_DOMAIN_MAX + 1]; /* the name's other form, or "" */
};

/* Is it one? *ret_why: why it cannot be taken, or NULL; *ret_left: why it is left
 * out, or NULL. */
bool fmt_csv_is_alias(const struct fmt_csv *row, const struct csvfile *csv,
		      struct fmt_csv_alias *ret_alias, const char **ret_why,
		      const char **ret_left);

/* A record below that header. domain is for names that have none, or NULL. NULL,
 * or why it cannot be taken; *ret_left: why it is left out, or NULL. The
 * account was wiped before. */
const char *fmt_csv_fill(const struct fmt_csv *row, const struct csvfile *csv,
			 const char *domain, struct import_account *account,
			 const char **ret_left);

#endif
