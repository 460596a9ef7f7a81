/* SPDX-License-Identifier: MIT */
/* fmt_flags.h: what other programs' flags mean for logins and for delivery. Pure.
 *
 * A meaning that popbox has is put into the account; any other flag is named in
 * its note. The calls that can refuse return NULL, or why.
 */
#ifndef POPBOX_FMT_FLAGS_H
#define POPBOX_FMT_FLAGS_H

#include "import_account.h"

/* Postfixadmin and mailcow, column active: 1 on, 0 off (neither logins nor mail),
 * 2 mail without logins (mailcow). */
const char *fmt_flags_active(struct import_account *account, const char *text);
bool fmt_flags_inactive(const char *text); /* 0, and other words for it */

/* Google, column status: active, suspended, archived; accountStatus of LDAP:
 * active, noaccess, disabled, deleted. */
const char *fmt_flags_status(struct import_account *account, const char *text);

/* vpopmail's bits in the field gid of vpasswd. */
enum {
	FMT_FLAGS_NO_POP = 0x02,
	FMT_FLAGS_NO_WEBMAIL = 0x04,
	FMT_FLAGS_NO_IMAP = 0x08,
	FMT_FLAGS_NO_SMTP = 0x800,
	FMT_FLAGS_BOUNCE = 0x10,
	FMT_FLAGS_OVERRIDE = 0x2000, /* the domain's limits do not count */
};
void fmt_flags_vpopmail(struct import_account *account, unsigned long bits);

/* Of a set of services, those bits; and back. */
unsigned fmt_flags_vpopmail_off(unsigned services);
unsigned fmt_flags_services_off(unsigned long bits);

/* A bit's name, for people; NULL: none. bit is a power of two. */
const char *fmt_flags_vpopmail_name(unsigned long bit);

/* One of Dovecot's extra fields that is neither mail nor quota. value: "" for
 * a field without one. */
void fmt_flags_dovecot(struct import_account *account, const char *key,
		       const char *value);

/* The fields 3 to 8 of shadow(5): last change, minimum, maximum, warning,
 * inactive, expiry; days. */
enum { FMT_FLAGS_SHADOW = 6 };
void fmt_flags_shadow(struct import_account *account,
		      const char *const field[FMT_FLAGS_SHADOW]);

#endif
