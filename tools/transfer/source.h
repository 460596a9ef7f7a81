/* SPDX-License-Identifier: MIT */
/* source.h: the accounts that a file, or a site of another program's, brings, one
 * after the other, whatever its format.
 */
#ifndef POPBOX_SOURCE_H
#define POPBOX_SOURCE_H

#include "accounts/site.h"
#include "base/encoding.h"
#include "base/progress.h"
#include "base/text.h"
#include "fmt_passwd.h"
#include "import_account.h"
#include "oldroutes.h"

/* What the source turned out to be. */
struct source_found {
	const char *format; /* NULL: it did not come to that */
	const char *whose;  /* of many that write it; NULL */
	enum encoding_is encoding;
	bool assumed; /* the encoding */
};

struct source_how {
	struct site *site;
	const char *path;   /* "-": standard input */
	const char *format; /* NULL: to be found out */
	const char *domain; /* of names without one; NULL */
	enum encoding_is encoding;
	struct source_found *found; /* is filled; NULL */
	const char *map; /* columns in their words: fmt_csv.h; NULL */
	bool ignore_unknown;
	const struct oldroutes *old; /* what qmail's files say before */
	bool copies; /* raw is wanted of every row */
};

/* A domain of an old site, whether it has accounts or not. */
struct source_domain {
	struct name_domain name;
	char utf8[NAME_DOMAIN_MAX + 1]; /* its other form, or "" */
	bool is_alias;
	struct name_domain target; /* of an alias */
	struct stat dir;	   /* where its mail was delivered */
};

/* Good until its sink returns, which may cut and keep nothing of it. */
struct source_row {
	const char *file;
	unsigned long line; /* 0: the file as a whole */
	const char *why;    /* it is refused; or NULL */
	const char *left;   /* it is left out, on purpose; or NULL */
	const char *raw;    /* as it stands, with its newline; or NULL */
	size_t raw_len;
	bool header; /* raw is the line that names the columns; no account */
	bool rewritten; /* raw is the row as a record of a csv, see below */
	struct import_account *account;	    /* unless refused or left out */
	const struct source_domain *domain; /* a domain instead of an account */
};

/* False ends it. */
typedef bool source_sink(void *arg, const struct source_row *row);

/* Reads it all, once. Returns the exit code; what is wrong with it as a whole it
 * says itself, what is wrong with a row is the sink's to say. */
int source_read(const struct source_how *how, source_sink *sink, void *arg);

/* The names of the formats, for usage and messages. */
#define SOURCE_FORMATS                                                        \
	"csv, cpanel, google, postfixadmin, modoboa, sql, ldif, vuserinfo, "  \
	"hestia, virtualmin, vpopmail, vmailmgr, dovecot, shadow, qmail"

/* The header of rows that are rewritten, whose source is no file of lines:
 * somebody corrects them, and imports them as a csv. */
extern const char source_columns[];
enum source_cell {
	SOURCE_ADDRESS,
	SOURCE_PASSWORD,
	SOURCE_HASH,
	SOURCE_NAME,
	SOURCE_QUOTA,
	SOURCE_FORWARD,
	SOURCE_LOGIN,
	SOURCE_DELIVERY,
	SOURCE_MAILDIR,
	SOURCE_CELLS,
};
/* One such record into *text, which is emptied before and becomes the raw of the
 * row. A cell that is NULL is empty. False: no memory. */
bool source_rewrite(struct source_row *row, struct text *text,
		    const char *const cell[SOURCE_CELLS]);

/* Parts of it, in rooms of their own; as source_read. */
int source_tree(const struct source_how *how, source_sink *sink, void *arg);
int source_vmailmgr(const struct source_how *how, source_sink *sink, void *arg);
int source_qmail(const struct source_how *how, source_sink *sink, void *arg);

int source_cpanel(const struct source_how *how, source_sink *sink, void *arg);

/* A file below how->path with an account a line. */
int source_lines(const struct source_how *how, fmt_passwd *parse,
		 const char *path, source_sink *sink, void *arg);

#endif
