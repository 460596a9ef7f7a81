/* SPDX-License-Identifier: MIT */
/* lastlogin.h: when a box was last logged into, and from where: the file
 * .lastlogin in its Maildir, whose time is that of the login and whose text the
 * client's address. Written by popusr, at most once an hour.
 */
#ifndef POPBOX_LASTLOGIN_H
#define POPBOX_LASTLOGIN_H

enum { LASTLOGIN_SECONDS = 3600 };

/* In the working directory, which is the Maildir. A disk that is full or
 * anything else in the way must not stop a login: nothing is said of it. */
void lastlogin_note(const char *ip);

#endif
