/* SPDX-License-Identifier: MIT */
/* fmt_clean.h: what spreadsheets, mail programs and databases put around a text
 * that somebody else's file has in a field. Pure; every call changes its text in
 * place and returns it; a second one changes nothing more.
 */
#ifndef POPBOX_FMT_CLEAN_H
#define POPBOX_FMT_CLEAN_H

#include <stdbool.h>
#include <stddef.h>

/* Without blanks, tabs, carriage returns, no-break spaces and byte order marks at
 * both ends. */
char *fmt_clean_blanks(char *text);

/* The same; and a database's NULL, as mysql (\\N) and others write it, is "". */
char *fmt_clean_field(char *text);

/* The address in "Name <address>" or "mailto:address", without blanks around its @
 * and without a final dot of its domain. */
char *fmt_clean_address(char *text);

/* A domain without a final dot. */
char *fmt_clean_domain(char *text);

/* Do two names of columns differ in letter case, blanks, dots, hyphens and
 * underscores alone? Letters beyond ASCII are compared as they are. */
bool fmt_clean_same(const char *a, const char *b);

#endif
