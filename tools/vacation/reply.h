/* SPDX-License-Identifier: MIT */
/* reply.h: the answer to a message, RFC 3834: whole, with its header, in ASCII.
 * Pure.
 */
#ifndef POPBOX_REPLY_H
#define POPBOX_REPLY_H

#include <stdint.h>

#include "judge.h"
#include "store/store.h"

/* Every byte of the text as three, the ends of lines, and the header. */
enum { REPLY_MAX = 4 * STORE_VACATION_MAX + 8192 };

struct reply {
	const struct judge_call *call;
	const struct judge_facts *facts;
	int64_t when;
	uint64_t unique; /* of its own Message-ID, with pid */
	long pid;
	const char *text;
	size_t len;
};

/* Its length; 0: it does not fit. */
size_t reply_write(const struct reply *reply, char ret_text[REPLY_MAX]);

#endif
