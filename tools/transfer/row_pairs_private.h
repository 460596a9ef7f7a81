/* row_pairs_private.h: what row_pairs.c and row_ldif.c share.
 */
#ifndef POPBOX_ROW_PAIRS_PRIVATE_H
#define POPBOX_ROW_PAIRS_PRIVATE_H

#include "row_pairs.h"

/* A column's value; a second one, and an empty one, say nothing. */
void row_pairs_put(struct row_pairs *pairs, enum row_csv_column is,
		   const char *value);
/* One of several, with a byte behind it. */
void row_pairs_more(struct row_pairs *pairs, struct text *text,
		    const char *value, char end);
/* A text of its own. */
void row_pairs_text(struct row_pairs *pairs, struct text *text,
		    const char *value);
/* Neither logins nor mail, or no logins alone. */
void row_pairs_switch_off(struct row_pairs *pairs, bool mail);
/* Counts a line. False: the account is too large, and is not kept further. */
bool row_pairs_count(struct row_pairs *pairs, size_t len);

#endif
