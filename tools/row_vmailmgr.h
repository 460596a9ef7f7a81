/* row_vmailmgr.h: an entry of vmailmgr's passwd.cdb. Pure: bytes in, one account
 * out.
 *
 * A value of version 2 is the byte 2, pairs of flag and value up to a zero flag,
 * and texts with a NUL after each: hash, directory, forwards up to an empty one,
 * personal name, hard quota, soft quota, size, count, created, expiry; "-" is
 * unlimited.
 */
#ifndef POPBOX_ROW_VMAILMGR_H
#define POPBOX_ROW_VMAILMGR_H

#include "intake.h"

/* base is the directory that the entry's own is below. NULL, or why it cannot
 * be taken. The intake was wiped before. */
const char *row_vmailmgr(const char *user, size_t user_len, const char *value,
			 size_t len, const char *domain, const char *base,
			 struct intake *intake);

#endif
