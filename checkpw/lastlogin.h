/* SPDX-License-Identifier: MIT */
/* lastlogin.h: when a box was last logged into, and from where: the file
 * .lastlogin in its Maildir, whose time is that of the login and whose text the
 * client's address; and the same of each app password, in files of their own
 * (path.h). Written by popusr, at most once an hour.
 */
#ifndef POPBOX_LASTLOGIN_H
#define POPBOX_LASTLOGIN_H

#include <stdint.h>

enum { LASTLOGIN_SECONDS = 3600 };

/* In the working directory, which is the Maildir. A file from before `since` is about
 * something else, and is written anew. A disk that is full or
 * anything else in the way must not stop a login: nothing is said of it. */
void lastlogin_note(const char *name, int64_t since, const char *ip);

#endif
