/* SPDX-License-Identifier: MIT */
/* fmt_vmailmgr.h: an entry of vmailmgr's passwd.cdb. Pure: bytes in, one account
 * out.
 *
 * A value of version 2 is the byte 2, pairs of flag and value up to a zero flag,
 * and texts with a NUL after each: hash, directory, forwards up to an empty one,
 * personal name, hard quota, soft quota, size, count, created, expiry; "-" is
 * unlimited. Version 1 has no flags; before that it was :HASH:DIRECTORY, or
 * :HASH:FORWARD,FORWARD.
 */
#ifndef POPBOX_FMT_VMAILMGR_H
#define POPBOX_FMT_VMAILMGR_H

#include "import_account.h"

struct fmt_vmailmgr_site {
	const char *domain;
	const char *base; /* the directory that the entries' own are below */
	const char *me;	  /* this host, of a forward NAME@; "" = unknown */
};

/* NULL, or why it cannot be taken; *ret_left: why it is left out, or NULL. The
 * account was wiped before. */
const char *fmt_vmailmgr(const char *user, size_t user_len, const char *value,
			 size_t len, const struct fmt_vmailmgr_site *site,
			 struct import_account *account, const char **ret_left);

/* The directory of an entry, absolute or below base; "" for none. False: the
 * entry is cut. */
bool fmt_vmailmgr_dir(const char *value, size_t len,
		      const struct fmt_vmailmgr_site *site,
		      char ret_dir[PATH_MAX]);

/* Its texts, for a row of a csv that somebody corrects; they point into value
 * and line. Forwards have blanks between. False: the entry is cut. */
struct fmt_vmailmgr_cells {
	char address[NAME_ADDRESS_TEXT];
	char forwards[STORE_FORWARDS_MAX];
	const char *hash, *dir, *name, *quota;
	bool mailbox, enabled;
};
bool fmt_vmailmgr_cells(const char *user, size_t user_len, const char *value,
			size_t len, const struct fmt_vmailmgr_site *site,
			struct fmt_vmailmgr_cells *ret_cells);

#endif
