/* SPDX-License-Identifier: MIT */
/* answered.h: who was answered within a week, in a file of the Maildir that never
 * grows beyond 64 KiB: of each sender a hash of eight bytes and a time of eight,
 * little-endian. Whoever reads mail there may have damaged it or put something else
 * in its place: that is not followed, and costs an answer at most.
 */
#ifndef POPBOX_ANSWERED_H
#define POPBOX_ANSWERED_H

#include <stdint.h>

enum {
	ANSWERED_PAUSE = 7 * 24 * 60 * 60, /* seconds */
	ANSWERED_MAX = 4096, /* senders */
	ANSWERED_WAIT = 1000, /* milliseconds for which a lock is waited for */
};

enum answered {
	ANSWERED_NEVER, /* not within the pause; from now on he was */
	ANSWERED_LATELY,
	ANSWERED_FULL, /* so many others were answered that there is no room */
	ANSWERED_UNKNOWN, /* *ret_rc is the errno */
};

/* dir is a descriptor of the Maildir. Letter case does not count. It is on the disk
 * before the answer is sent: a sender gets one answer too few rather than two. */
enum answered answered_note(int dir, const char *sender, int64_t now,
			    int *ret_rc);

#endif
