/* SPDX-License-Identifier: MIT */
/* app_passwd.h: `popbox passwd --app`: a password of a box for one program or device
 * is made, printed once, or revoked.
 */
#ifndef POPBOX_APP_PASSWD_H
#define POPBOX_APP_PASSWD_H

#include "accounts/site.h"
#include "args.h"

#define APP_OPTIONS                                                            \
	{"--app", "NAME",                                                      \
	 "make a password for one program or device, beside the box's own"},   \
		{"--revoke", NULL, "with --app: end that one"},                \
		{"--service", "LIST",                                          \
		 "with --app: only for these of pop, smtp, imap, webmail"},    \
	{                                                                      \
		"--expires", "DATE|+SPAN|never",                               \
			"with --app: from when on it is refused"               \
	}

/* The whole command. Returns the exit code. */
int app_passwd(struct site *site, const struct args *args);

/* CODE_USAGE, and said: options of --app without it. */
int app_passwd_absent(const struct args *args);

#endif
