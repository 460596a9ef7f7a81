/* SPDX-License-Identifier: MIT */
/* fmt_passwd.h: files with an account a line and colons between its fields: those
 * of vpopmail, of Dovecot, and shadow(5). Pure: a line in, one account out.
 */
#ifndef POPBOX_FMT_PASSWD_H
#define POPBOX_FMT_PASSWD_H

#include "import_account.h"

/* domain is for names that have none, or NULL. line is cut in place; it has no
 * newline. NULL, or why it cannot be taken; *ret_left: why it is left out, or NULL.
 * The account was wiped before. */
typedef const char *fmt_passwd(char *line, const char *domain,
			       struct import_account *account,
			       const char **ret_left);

/* user:hash:uid:gid:gecos:dir:quota[:clear]; gid holds flags. */
fmt_passwd fmt_passwd_vpopmail;

/* Two of its fields, NULL or why not: 10485760S,1000C is bytes, and a number of
 * messages; and the flags. */
const char *fmt_passwd_quota(struct import_account *account, const char *text);
const char *fmt_passwd_flags(struct import_account *account, const char *gid);

/* The directory of an old mailbox, which has a Maildir. */
const char *fmt_passwd_dir(struct import_account *account, const char *dir);

/* A hash, or where that cannot be used a password in clear. Either may be "". */
const char *fmt_passwd_either(struct import_account *account, const char *hash,
			      const char *clear);

/* The fields of such a line as a row of a csv has them; they point into it. Wipe
 * it. False: the line has too few fields, or is too long. */
struct fmt_passwd_cells {
	char line[2 * PATH_MAX];
	char address[NAME_ADDRESS_TEXT];
	const char *hash, *password, *name, *quota, *dir;
	char maildir[PATH_MAX];
	unsigned long flags;
};
bool fmt_passwd_cells(const char *line, size_t len, const char *domain,
		      struct fmt_passwd_cells *ret_cells);

/* user:password:uid:gid:gecos:home:shell:extra; trailing fields may miss, what
 * follows the seventh colon is key=value with blanks between. user|password and,
 * with a tab or blanks, user password are docker-mailserver's and OpenSMTPD's. */
fmt_passwd fmt_passwd_dovecot;

/* name:hash:... */
fmt_passwd fmt_passwd_shadow;

/* Does a line begin as one of theirs does: a user, a colon, bar or tab, and a
 * hash? */
bool fmt_passwd_resembles(const char *line);

#endif
