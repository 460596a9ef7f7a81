/* SPDX-License-Identifier: MIT */
/* pwhash.h: password hashes: made by libsodium (argon2id), verified by
 * libsodium, libcrypt and nettle, with yes, no and cannot-tell kept apart.
 *
 * A password is bytes with a length, never folded, trimmed or converted. The
 * hash strings are those of crypt(5) and of the PHC format.
 */
#ifndef POPBOX_PWHASH_H
#define POPBOX_PWHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/err.h"

enum {
	PWHASH_MAX = 383,	   /* bytes of a hash string; crypt(5) */
	PWHASH_PASSWORD_MAX = 255, /* bytes of one that people set */

	/* Costs that a login is ready to pay; more is PWHASH_TOODEAR. All stay
	 * below the refusal delay, so that a refused one does not show. */
	PWHASH_ARGON2_KIB_MAX = 256 << 10,
	PWHASH_ARGON2_WORK_MAX = 768 << 10, /* KiB times passes */
	PWHASH_SHA_ROUNDS_MAX = 1000000,
	/* sha-crypt's time grows with the password, which a stranger chooses:
	 * rounds times (64 + bytes of the password). */
	PWHASH_SHA_WORK_MAX = 96000000,
	PWHASH_BCRYPT_MAX = 13,
	PWHASH_PBKDF2_ROUNDS_MAX = 1000000, /* SCRAM and phpass, too */
	PWHASH_YESCRYPT_KIB_MAX = 64 << 10, /* yescrypt and scrypt */
};

enum pwhash {
	PWHASH_OK,	  /* it matches; or: it could be verified */
	PWHASH_NO,	  /* it was computed and does not match */
	PWHASH_NOMEM,	  /* cannot tell: the library could not compute it */
	PWHASH_UNKNOWN,	  /* cannot tell: a scheme that is not computed here */
	PWHASH_TOODEAR,	  /* cannot tell: its cost is beyond the caps */
	PWHASH_MALFORMED, /* cannot tell: not of its scheme's form */
};

/* May it lie in the store as it is? */
enum pwhash_weakness {
	PWHASH_STRONG,
	PWHASH_WEAK,   /* md5crypt, what nettle computes: wrapped before */
	PWHASH_LEGACY, /* DES: the same, and only for those who insist */
};

struct pwhash_cost {
	uint32_t kib;	 /* memory */
	uint32_t passes; /* over it */
};

/* A few words for people; static. */
const char *pwhash_text(enum pwhash answer);

/* Is password[0..len) the one of this hash? One computation. Costs nothing for
 * a hash beyond the caps. */
MUST_USE enum pwhash pwhash_verify(const char *hash, const void *password,
				   size_t len);

/* What pwhash_verify would say before it computed anything: PWHASH_OK,
 * UNKNOWN, TOODEAR or MALFORMED. *ret_scheme is the scheme's usual name,
 * static, or NULL. */
MUST_USE enum pwhash pwhash_judge(const char *hash, const char **ret_scheme);

/* Does this text look like a hash, good or bad: $y$... or {SSHA}...? Whoever
 * gives it as a password has a hash in hand. */
MUST_USE bool pwhash_resembles(const char *text);

/* Of a hash that pwhash_judge finds good. */
MUST_USE enum pwhash_weakness pwhash_weakness(const char *hash);

/* May this hash lie in the store? NULL, or why not: a login could not compute
 * it, or it is weak. Reads it, computes nothing. */
MUST_USE const char *pwhash_unstorable(const char *hash);

/* Wraps a good hash: argon2id over the old digest, which itself is kept
 * nowhere:
 *
 *	$wrap$ SETTING $argon2id$...
 *
 * SETTING is what is left of the old string without its digest: everything up
 * to its last '$', bcrypt's 29 characters, the two of DES, or a tag like
 * {SSHA256.HEX} with the salt, or {SHA}, {PBKDF2-SHA1:1000} and so on with the
 * salt in hexadecimal (pwhash_foreign.c). The outer hash is one of the whole old
 * string, or of the digest in lower-case hexadecimal. The same password fits.
 * PWHASH_MALFORMED: it is wrapped already, or argon2. */
MUST_USE enum pwhash pwhash_wrap(struct pwhash_cost cost, const char *hash,
				 char ret_hash[PWHASH_MAX + 1]);

/* Was this wrapped hash made of that old one? PWHASH_OK, PWHASH_NO, or why it
 * cannot be told. One computation. */
MUST_USE enum pwhash pwhash_wrap_same(const char *wrapped, const char *hash);

/* Would a login pay this cost? Settings may each be in their range and cost more
 * together. */
MUST_USE bool pwhash_affordable(struct pwhash_cost cost);

/* Can a login compute this hash? One computation with its salt, at the least
 * cost of its scheme. PWHASH_OK, or why not. */
MUST_USE enum pwhash pwhash_try(const char *hash);

/* Makes a new argon2id hash, with the code of a login. PWHASH_OK, PWHASH_NOMEM,
 * or PWHASH_TOODEAR: no login would compute it. */
MUST_USE enum pwhash pwhash_make(struct pwhash_cost cost, const void *password,
				 size_t len, char ret_hash[PWHASH_MAX + 1]);

/* A hash of today's cost that costs a login as much as a real one. Whatever it
 * answers must be and-ed with "found", which is false. */
void pwhash_decoy(struct pwhash_cost cost, char ret_hash[PWHASH_MAX + 1]);

/* SHA-1 of a password, by which lists of breached ones name it; no hash that may be
 * stored. What it leaves in frames that have returned is the caller's to wipe. */
enum { PWHASH_SHA1 = 20 };
void pwhash_sha1(const void *password, size_t len,
		 unsigned char ret_sum[PWHASH_SHA1]);

/* Can POP carry this password? NULL, or why not: qmail-popup strips leading
 * blanks and ends at CR, LF or NUL. */
MUST_USE const char *pwhash_refuse(const void *password, size_t len);

#endif
