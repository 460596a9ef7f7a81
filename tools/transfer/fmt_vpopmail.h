/* SPDX-License-Identifier: MIT */
/* fmt_vpopmail.h: what vpopmail's own files say beside vpasswd: the line of its
 * delivery program, whose a Maildir is, the limits of a domain. Pure.
 */
#ifndef POPBOX_FMT_VPOPMAIL_H
#define POPBOX_FMT_VPOPMAIL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/name.h"
#include "store/store.h"

/* | /home/vpopmail/bin/vdelivermail '' WHERE: mail for users, and where all
 * other mail goes. */
enum fmt_vpopmail_where {
	FMT_VPOPMAIL_NONE,    /* not a line of vdelivermail */
	FMT_VPOPMAIL_BOUNCE,  /* returned to the sender */
	FMT_VPOPMAIL_DELETE,  /* accepted, and thrown away */
	FMT_VPOPMAIL_DIR,     /* *ret_where: a directory that has a Maildir */
	FMT_VPOPMAIL_FORWARD, /* *ret_where: an address */
};
enum fmt_vpopmail_where fmt_vpopmail_line(const char *line, size_t len,
					  char ret_where[PATH_MAX]);

/* .../domains/example.com/joe/Maildir, with directories of one letter or digit
 * between, is joe@example.com's; relative: the domain's it stands in. False: it
 * is no user's. */
bool fmt_vpopmail_owner(const char *path, const char *domain,
			char ret_address[NAME_ADDRESS_TEXT]);

/* .qmailadmin-limits or vlimits.default. */
struct fmt_vpopmail_limits {
	unsigned off; /* enum store_service */
	char others[256]; /* the names of all others that are set */
};
void fmt_vpopmail_limits(const char *text, size_t len,
			 struct fmt_vpopmail_limits *ret_limits);

#endif
