/* SPDX-License-Identifier: MIT */
/* mailcopy.h: the old mail of imported accounts, copied into their boxes.
 *
 * A reader that has become the owner of the old Maildir feeds a writer that has
 * become popusr; root touches no message. File names are kept, since UIDLs are
 * made of them. What was copied once is not copied again, though its owner may
 * have deleted it since: the box's file .popbox-copied lists it.
 */
#ifndef POPBOX_MAILCOPY_H
#define POPBOX_MAILCOPY_H

#include "accounts/site.h"
#include "base/text.h"

/* list: a box and its old Maildir, each NUL-ended, over and over. base is what
 * relative paths are below. Resumable. Says what failed for which box and goes on
 * with the others; returns the exit code. */
int mailcopy(struct site *site, const struct text *list, const char *base);

#endif
