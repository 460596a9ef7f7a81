/* SPDX-License-Identifier: MIT */
/* warning.h: the message that tells a user that his box is almost full, once a
 * day at most. The time of the last one is that of the file quotawarn in the
 * Maildir, as Courier's programs have it.
 */
#ifndef POPBOX_WARNING_H
#define POPBOX_WARNING_H

#include "maildir/maildirsize.h"

enum { WARNING_PAUSE = 24 * 60 * 60, WARNING_MAX = 2048 };

/* Puts a warning into the Maildir, if none was put there within a day. local and
 * domain are the address of the box, or NULL. *ret_bytes is its size, 0: there was
 * no need. 0, or an errno; no mail is lost for want of a warning. */
int warning_give(int dir, const char *local, const char *domain,
		 const struct maildirsize *limit,
		 const struct maildirsize *used, uint64_t *ret_bytes);

/* Its text, shorter than WARNING_MAX; the length. when is in seconds since 1970.
 * Pure. */
size_t warning_text(const char *local, const char *domain, long long when,
		    const struct maildirsize *limit,
		    const struct maildirsize *used, char ret_text[WARNING_MAX]);

#endif
