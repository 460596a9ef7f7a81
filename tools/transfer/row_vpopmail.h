/* row_vpopmail.h: what vpopmail's own files say beside vpasswd: the line of its
 * delivery program, whose a Maildir is, the limits of a domain. Pure.
 */
#ifndef POPBOX_ROW_VPOPMAIL_H
#define POPBOX_ROW_VPOPMAIL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/name.h"

/* | /home/vpopmail/bin/vdelivermail '' WHERE: mail for users, and where all
 * other mail goes. */
enum row_vpopmail_where {
	ROW_VPOPMAIL_NONE,    /* not a line of vdelivermail */
	ROW_VPOPMAIL_BOUNCE,  /* returned to the sender */
	ROW_VPOPMAIL_DELETE,  /* accepted, and thrown away */
	ROW_VPOPMAIL_DIR,     /* *ret_where: a directory that has a Maildir */
	ROW_VPOPMAIL_FORWARD, /* *ret_where: an address */
};
enum row_vpopmail_where row_vpopmail_line(const char *line, size_t len,
					  char ret_where[PATH_MAX]);

/* .../domains/example.com/joe/Maildir, with directories of one letter or digit
 * between, is joe@example.com's; relative: the domain's it stands in. False: it
 * is no user's. */
bool row_vpopmail_owner(const char *path, const char *domain,
			char ret_address[NAME_ADDRESS_TEXT]);

/* .qmailadmin-limits or vlimits.default. */
struct row_vpopmail_limits {
	bool no_pop;
	char others[256]; /* the names of all others that are set */
};
void row_vpopmail_limits(const char *text, size_t len,
			 struct row_vpopmail_limits *ret_limits);

#endif
