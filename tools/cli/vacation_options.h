/* SPDX-License-Identifier: MIT */
/* vacation_options.h: what answers mail for a box while its user is away, on a
 * command line.
 */
#ifndef POPBOX_VACATION_OPTIONS_H
#define POPBOX_VACATION_OPTIONS_H

#include "args.h"
#include "store/store_write.h"

#define VACATION_OPTIONS                                                      \
	{"--vacation", "FILE|none", "answer mail with the text of a file"},   \
	{"--vacation-text", "TEXT|none", "answer mail with this text"},       \
	{"--from", "DATE|+SPAN|now", "from when on mail is answered"},        \
	{                                                                     \
		"--until", "DATE|+SPAN|never", "until when mail is answered"  \
	}

struct vacation_options {
	bool set_text, set_from, set_until;
	int64_t from, until;
	char text[STORE_VACATION_MAX + 1]; /* "" turns it off */
};

/* What the options say. FILE - is standard input. Returns the exit code. */
int vacation_options_read(const struct args *args,
			  struct vacation_options *ret_options);

/* Is there anything to set? */
bool vacation_options_any(const struct vacation_options *options);

/* A new text has the times that are said with it; without one those that are said
 * change. ERR_INVALID, with a reason: there is no text. */
MUST_USE enum err vacation_options_apply(struct store_txn *txn,
					 const struct vacation_options *options,
					 struct store_box *box);

#endif
