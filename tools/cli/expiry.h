/* SPDX-License-Identifier: MIT */
/* expiry.h: an end: on a command line; and that of an address, when it comes.
 */
#ifndef POPBOX_EXPIRY_H
#define POPBOX_EXPIRY_H

#include "accounts/site.h"

#define EXPIRY_OPTION                                                         \
	{                                                                     \
		"--expires", "DATE|+SPAN|never",                              \
			"from when on it is suspended"                        \
	}

/* A date (its midnight, UTC), a date and time, or +30d. */
bool expiry_moment(const char *text, int64_t now, int64_t *ret_time);

/* A moment to come: a date (its midnight, UTC), a date and time, or +30d; "never"
 * is 0. Says what is wrong; returns the exit code. */
int expiry_read(const char *text, int64_t now, int64_t *ret_expires);

/* Suspends each address whose end has come, in one change that is left to publish;
 * in a dry run says which. Returns the exit code; in a dry run CODE_NO where there
 * is one. The store is open. */
int expiry_end(struct site *site);

#endif
