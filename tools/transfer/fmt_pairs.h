/* SPDX-License-Identifier: MIT */
/* fmt_pairs.h: accounts that are told as names and values on lines of their own:
 * LDIF (RFC 2849), vpopmail's vuserinfo -D, Hestia's DOMAIN.conf, Virtualmin's
 * list-users --multiline. Pure: lines in, what fmt_csv_fill takes out.
 */
#ifndef POPBOX_FMT_PAIRS_H
#define POPBOX_FMT_PAIRS_H

#include "csvfile.h"
#include "fmt_csv.h"
#include "import_account.h"

enum { FMT_PAIRS_MAX = CSVFILE_RECORD_MAX }; /* bytes of one account */

struct fmt_pairs {
	struct fmt_csv columns;
	struct csvfile values;
	struct text forwards; /* with commas between */
	struct text others;   /* its other addresses, a NUL behind each */
	struct text hash, clear;
	struct text line; /* of LDIF, unfolded */
	bool begun;	  /* there is something of an account */
	bool listed;	  /* its forwards name its box, if that gets mail */
	bool foreign;	  /* LDIF: a change, or an entry without mail */
	size_t bytes;
	const char *why;
	bool starved; /* no memory */
};

enum fmt_pairs_got {
	FMT_PAIRS_MORE,
	FMT_PAIRS_BEFORE, /* one ended before this line: give it again */
	FMT_PAIRS_DONE,	  /* one ends with this line */
};

/* A line without its newline, which may be cut in place. */
typedef enum fmt_pairs_got fmt_pairs(struct fmt_pairs *pairs, char *line,
				     size_t len);
fmt_pairs fmt_pairs_ldif;
fmt_pairs fmt_pairs_vuserinfo;
fmt_pairs fmt_pairs_hestia;
fmt_pairs fmt_pairs_virtualmin;

void fmt_pairs_open(struct fmt_pairs *pairs);
void fmt_pairs_clear(struct fmt_pairs *pairs);
void fmt_pairs_close(struct fmt_pairs *pairs); /* wipes */

/* The account that has ended, as fmt_csv_fill. pairs->others stay, each for an
 * address that leads to it. */
const char *fmt_pairs_fill(struct fmt_pairs *pairs, const char *domain,
			   struct import_account *account,
			   const char **ret_left);

/* Do files that begin so look like theirs? */
bool fmt_pairs_is_ldif(const char *bytes, size_t len);
bool fmt_pairs_is_vuserinfo(const char *bytes, size_t len);
bool fmt_pairs_is_hestia(const char *bytes, size_t len);
bool fmt_pairs_is_virtualmin(const char *bytes, size_t len);

#endif
