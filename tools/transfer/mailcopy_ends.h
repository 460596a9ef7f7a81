/* SPDX-License-Identifier: MIT */
/* mailcopy_ends.h: the two ends of a copy of mail, each in a process of its own
 * that has become who it is for.
 */
#ifndef POPBOX_MAILCOPY_ENDS_H
#define POPBOX_MAILCOPY_ENDS_H

#include <limits.h>
#include <stddef.h>

/* What an end has to say when it is done: 0 or an errno, and which path it is
 * about; the writer counts messages. */
struct mailcopy_result {
	int rc;
	unsigned long copied, there; /* by the writer */
	unsigned long left; /* by the reader: of a name that no message has */
	char path[PATH_MAX + NAME_MAX + 2];
};

/* What an end writes to its answer: signs of life, then its result behind a
 * last one. */
enum { MAILCOPY_ALIVE = 0, MAILCOPY_RESULT = 1 }; /* a byte */

/* Everything in cur and new of a Maildir, whose directory is open, down a pipe.
 * What cannot be read is passed over, and is the answer at the end. */
void mailcopy_read(const char *maildir, int dir, int out, int answer,
		   struct mailcopy_result *ret_result);

/* From the pipe into a Maildir, of which there is one at a time. */
void mailcopy_write(const char *maildir, int in, int answer,
		    struct mailcopy_result *ret_result);

#endif
