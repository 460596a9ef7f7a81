/* row_pairs.h: accounts that are told as names and values on lines of their own:
 * LDIF (RFC 2849), vpopmail's vuserinfo -D, Hestia's DOMAIN.conf, Virtualmin's
 * list-users --multiline. Pure: lines in, what row_csv_fill takes out.
 */
#ifndef POPBOX_ROW_PAIRS_H
#define POPBOX_ROW_PAIRS_H

#include "csvfile.h"
#include "intake.h"
#include "row_csv.h"

enum { ROW_PAIRS_MAX = CSVFILE_RECORD_MAX }; /* bytes of one account */

struct row_pairs {
	struct row_csv columns;
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

enum row_pairs_got {
	ROW_PAIRS_MORE,
	ROW_PAIRS_BEFORE, /* one ended before this line: give it again */
	ROW_PAIRS_DONE,	  /* one ends with this line */
};

/* A line without its newline, which may be cut in place. */
typedef enum row_pairs_got row_pairs(struct row_pairs *pairs, char *line,
				     size_t len);
row_pairs row_pairs_ldif;
row_pairs row_pairs_vuserinfo;
row_pairs row_pairs_hestia;
row_pairs row_pairs_virtualmin;

void row_pairs_open(struct row_pairs *pairs);
void row_pairs_clear(struct row_pairs *pairs);
void row_pairs_close(struct row_pairs *pairs); /* wipes */

/* The account that has ended, as row_csv_fill. pairs->others stay, each for an
 * address that leads to it. */
const char *row_pairs_fill(struct row_pairs *pairs, const char *domain,
			   struct intake *intake, const char **ret_left);

/* Do files that begin so look like theirs? */
bool row_pairs_is_ldif(const char *bytes, size_t len);
bool row_pairs_is_vuserinfo(const char *bytes, size_t len);
bool row_pairs_is_hestia(const char *bytes, size_t len);
bool row_pairs_is_virtualmin(const char *bytes, size_t len);

#endif
