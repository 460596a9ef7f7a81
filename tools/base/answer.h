/* SPDX-License-Identifier: MIT */
/* answer.h: what one command of a batch says, as one line of JSON on stdout:
 *
 *	{"id": ..., "result": [...], "notes": [...], "errors": [...], "code": N}
 *
 * Objects go out as they come; notes and errors are kept until the end. Between the
 * two calls all that json and say are given goes into it.
 */
#ifndef POPBOX_ANSWER_H
#define POPBOX_ANSWER_H

#include <stdbool.h>

#include "json.h"

/* Called once: stdout's buffer is this module's, and wiped behind each answer. */
void answer_start(void);

/* id is JSON. notes: whether notes are told. */
void answer_begin(const char *id, bool notes);

/* The code, or CODE_LATER if a part of the answer is missing, is its last member and
 * comes back. *ret_written: stdout took all of it. */
int answer_end(int code, bool *ret_written);

#endif
