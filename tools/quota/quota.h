/* SPDX-License-Identifier: MIT */
/* quota.h: may this message go into this Maildir? Where it may, its size is
 * recorded before it is delivered.
 *
 * If the delivery fails afterwards, the record is one too many, and one more for
 * each new try. Nobody is refused for that: a box that seems to be full is counted
 * before it is said to be, unless it was counted and nothing was recorded since.
 */
#ifndef POPBOX_QUOTA_H
#define POPBOX_QUOTA_H

#include "maildir/maildirsize.h"

struct quota_message {
	uint64_t bytes; /* as it will lie in the Maildir */
	int64_t age;	/* seconds since it was queued */
};

struct quota_rules {
	struct maildirsize limit;
	int64_t grace; /* seconds for which a message waits for room */
};

enum quota_verdict {
	QUOTA_ROOM,
	QUOTA_WAIT,  /* there is no room, and the message is young */
	QUOTA_FULL,  /* there is no room */
	QUOTA_LARGE, /* there never will be: it is larger than the limit */
	QUOTA_UNKNOWN, /* *ret_rc is the errno */
};

/* dir is a descriptor of the Maildir. With QUOTA_ROOM *ret_used is what it holds
 * with the message, and *ret_rc why that could not be recorded, or 0. */
enum quota_verdict quota_judge(int dir, const struct quota_rules *rules,
			       const struct quota_message *message,
			       struct maildirsize *ret_used, int *ret_rc);

/* Records a message that is delivered whatever the limit says. An errno. */
int quota_record(int dir, uint64_t bytes);

#endif
