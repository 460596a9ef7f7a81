/* SPDX-License-Identifier: MIT */
/* fmt_dotqmail.h: a .qmail file of somebody else's, read, never run. Pure.
 */
#ifndef POPBOX_FMT_DOTQMAIL_H
#define POPBOX_FMT_DOTQMAIL_H

#include "import_account.h"

enum fmt_dotqmail_kind {
	FMT_DOTQMAIL_FORWARD, /* without its & */
	FMT_DOTQMAIL_MAILDIR,
	FMT_DOTQMAIL_MBOX,
	FMT_DOTQMAIL_PROGRAM,
};

/* Calls each with every line that is neither blank nor a comment, until it
 * returns a reason, which is returned. *ret_held: the first line is blank, and
 * qmail-local defers all mail. */
typedef const char *fmt_dotqmail_each(void *arg, enum fmt_dotqmail_kind kind,
				      const char *line);
const char *fmt_dotqmail_lines(const char *text, size_t len,
			       fmt_dotqmail_each *each, void *arg,
			       bool *ret_held);

enum { FMT_DOTQMAIL_BOXES = 8 };

struct fmt_dotqmail {
	char box[FMT_DOTQMAIL_BOXES][PATH_MAX]; /* Maildirs, as they stand */
	size_t boxes;
	bool foreign; /* a program, an mbox, or what else is no target */
	bool held; /* its first line is blank */
};

/* Forwards go into the account. NULL, or why not. */
const char *fmt_dotqmail(const char *text, size_t len,
			 struct import_account *account,
			 struct fmt_dotqmail *ret_row);

/* The local part that qmail-local looks for under a file's name: '*' for
 * .qmail-default. False: none. */
bool fmt_dotqmail_name(const char *file, struct name_local *ret_local);

/* Why it is none. */
const char *fmt_dotqmail_no_name(const char *file);

#endif
