/* SPDX-License-Identifier: MIT */
/* err.h: the one set of outcomes that the store's calls have.
 *
 * "No" (ERR_NOTFOUND) and "cannot tell" (ERR_BUSY, ERR_DAMAGED, ERR_SCHEMA,
 * ERR_SYSTEM) are never mixed: a caller that maps one to the other turns a
 * full disk into a wrong password.
 */
#ifndef POPBOX_ERR_H
#define POPBOX_ERR_H

#define MUST_USE __attribute__((warn_unused_result))

enum err {
	ERR_OK = 0,
	ERR_NOTFOUND, /* there is no such thing */
	ERR_EXISTS,   /* there is one already */
	ERR_INVALID,  /* a rule of popbox-store(5) forbids it; a reason is kept */
	ERR_INUSE,    /* something else still needs it */
	ERR_FULL,     /* no room: map, disk or a protocol limit */
	ERR_BUSY,     /* somebody else holds it; try again */
	ERR_DAMAGED,  /* a checksum, length or page is wrong */
	ERR_SCHEMA,   /* a store of another format version */
	ERR_SYSTEM,   /* the system refused; errno says why */
};

/* A few words for people, static, never NULL. For ERR_SYSTEM use errno. */
const char *err_text(enum err err);

#endif
