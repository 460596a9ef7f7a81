/* row_dotqmail.h: a .qmail file of somebody else's, read, never run. Pure.
 */
#ifndef POPBOX_ROW_DOTQMAIL_H
#define POPBOX_ROW_DOTQMAIL_H

#include "intake.h"

enum row_dotqmail_kind {
	ROW_DOTQMAIL_FORWARD, /* without its & */
	ROW_DOTQMAIL_MAILDIR,
	ROW_DOTQMAIL_MBOX,
	ROW_DOTQMAIL_PROGRAM,
};

/* Calls each with every line that is neither blank nor a comment, until it
 * returns a reason, which is returned. *ret_held: the first line is blank, and
 * qmail-local defers all mail. */
typedef const char *row_dotqmail_each(void *arg, enum row_dotqmail_kind kind,
				      const char *line);
const char *row_dotqmail_lines(const char *text, size_t len,
			       row_dotqmail_each *each, void *arg,
			       bool *ret_held);

enum { ROW_DOTQMAIL_BOXES = 8 };

struct row_dotqmail {
	char box[ROW_DOTQMAIL_BOXES][PATH_MAX]; /* Maildirs, as they stand */
	size_t boxes;
	bool foreign; /* a program, an mbox, or what else is no target */
	bool held; /* its first line is blank */
};

/* Forwards go into the intake. NULL, or why not. */
const char *row_dotqmail(const char *text, size_t len, struct intake *intake,
			 struct row_dotqmail *ret_row);

/* The local part that qmail-local looks for under a file's name: '*' for
 * .qmail-default. False: none. */
bool row_dotqmail_name(const char *file, struct name_local *ret_local);

/* Why it is none. */
const char *row_dotqmail_no_name(const char *file);

#endif
