/* SPDX-License-Identifier: MIT */
/* dotqmail_lines.h: what the lines of a .qmail file do, as qmail-local(8) reads
 * them. explain and popbox-rcptcheck judge by it, so that both say the same.
 * Pure.
 */
#ifndef POPBOX_DOTQMAIL_LINES_H
#define POPBOX_DOTQMAIL_LINES_H

#include <stddef.h>

#include "store/config.h"

enum dotqmail_does {
	DOTQMAIL_NOTHING, /* blank, a comment, or a word behind a plus */
	DOTQMAIL_FORWARD, /* behind an ampersand that may be missing */
	DOTQMAIL_MAILDIR,
	DOTQMAIL_MBOX,
	DOTQMAIL_PROGRAM,   /* but for these of popbox's own: */
	DOTQMAIL_BOUNCE,    /* bouncesaying */
	DOTQMAIL_HOLD,	    /* the mail waits */
	DOTQMAIL_EXTENSION, /* mail for joe+tag is handed to joe */
	DOTQMAIL_QUOTA,	    /* goes on if there is room in the box */
	DOTQMAIL_VACATION,  /* may answer, and goes on */
};

/* A line without the blanks at its end; a NUL stands behind it. One may stand in it,
 * too: what is done with it ends there, but whether it names a Maildir, its last
 * byte says. */
struct dotqmail_line {
	const char *at;
	size_t len;
};

/* Splits text[0..len), which has room for one more byte, and changes it. There is
 * always one line. malloc'ed; NULL: no memory. */
struct dotqmail_line *dotqmail_split(char *text, size_t len, size_t *ret_count);

enum dotqmail_does dotqmail_does(const struct config *config,
				 const struct dotqmail_line *line);

#endif
