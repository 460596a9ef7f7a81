/* fmt_pairs_private.h: what fmt_pairs.c and fmt_ldif.c share.
 */
#ifndef POPBOX_FMT_PAIRS_PRIVATE_H
#define POPBOX_FMT_PAIRS_PRIVATE_H

#include "fmt_pairs.h"

/* A column's value; a second one, and an empty one, say nothing. */
void fmt_pairs_put(struct fmt_pairs *pairs, enum fmt_csv_column is,
		   const char *value);
/* One of several, with a byte behind it. */
void fmt_pairs_more(struct fmt_pairs *pairs, struct text *text,
		    const char *value, char end);
/* A text of its own. */
void fmt_pairs_text(struct fmt_pairs *pairs, struct text *text,
		    const char *value);
/* Neither logins nor mail, or no logins alone. */
void fmt_pairs_switch_off(struct fmt_pairs *pairs, bool mail);
/* Counts a line. False: the account is too large, and is not kept further. */
bool fmt_pairs_count(struct fmt_pairs *pairs, size_t len);

#endif
