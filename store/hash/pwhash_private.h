/* SPDX-License-Identifier: MIT */
/* pwhash_private.h: between pwhash.c, which computes for a login, pwhash_make.c,
 * which makes hashes with the same code, and those that read hash strings and
 * know what they would cost: pwhash_form.c, pwhash_digest.c and pwhash_wrap.c.
 */
#ifndef POPBOX_PWHASH_PRIVATE_H
#define POPBOX_PWHASH_PRIVATE_H

#include <stdbool.h>
#include <string.h>

#include "pwhash.h"

enum {
	ARGON2_SALT = 16, /* bytes; crypto_pwhash takes no other length */
	ARGON2_SUM_MIN = 16,
	ARGON2_SUM_MAX = 64,
	DIGEST_MAX = 64,      /* bytes of a SHA-512 */
	DIGEST_SALT_MAX = 64, /* bytes that may follow it */
};

enum pwhash_how {
	PWHASH_BY_ARGON2,     /* crypto_pwhash */
	PWHASH_BY_STR_VERIFY, /* other lanes and salts, see pwhash.c */
	PWHASH_BY_CRYPT,
	PWHASH_BY_DIGEST,
	PWHASH_BY_OLD,
};

enum {
	PWHASH_OLD_MAX = 64,  /* bytes of a sum */
	PWHASH_OLD_SALT = 64, /* bytes of a salt */
};

enum pwhash_old_kind {
	PWHASH_OLD_MD5, /* of the password and the salt, if any */
	PWHASH_OLD_SHA1,
	PWHASH_OLD_NT,
	PWHASH_OLD_CRAM_MD5,
	PWHASH_OLD_PBKDF2_SHA1,
	PWHASH_OLD_PBKDF2_SHA256,
	PWHASH_OLD_PBKDF2_SHA512,
	PWHASH_OLD_SCRAM_SHA1,
	PWHASH_OLD_SCRAM_SHA256,
	PWHASH_OLD_PHPASS,
	PWHASH_OLD_APR1,
};

/* pwhash_old.c: one of them, without the program's way of writing it. */
struct pwhash_old {
	enum pwhash_old_kind kind;
	uint32_t rounds; /* of those that have them */
	unsigned char sum[PWHASH_OLD_MAX];
	unsigned char salt[PWHASH_OLD_SALT];
	size_t salt_len;
};

/* A SHA-2 digest, of the password or of the password and a salt. */
struct pwhash_digest {
	unsigned bits; /* 256 or 512 */
	unsigned char sum[DIGEST_MAX];
	unsigned char salt[DIGEST_SALT_MAX];
	size_t salt_len;
};

struct pwhash_form {
	const char *scheme; /* static */
	enum pwhash_how how;
	enum pwhash_weakness weakness;
	const char *text; /* the hash without a tag like {CRYPT} */
	uint32_t rounds;  /* sha-crypt only */
	/* argon2 only; of a wrapped hash the outer one */
	bool argon2i;
	struct pwhash_cost cost;
	const char *salt; /* base64 without padding, inside the string */
	size_t salt_len;
	const char *sum;
	size_t sum_len;
	struct pwhash_digest digest;
	struct pwhash_old old;
	/* a wrapped hash: what is left of the inner one */
	bool wrapped;
	char setting[PWHASH_MAX + 1];
};

/* Pure: reads a hash string of any form. */
MUST_USE enum pwhash pwhash_form(const char *hash,
				 struct pwhash_form *ret_form);

/* $argon2id$... or $argon2i$... alone. */
MUST_USE enum pwhash pwhash_form_argon2(const char *hash,
					struct pwhash_form *form);

/* How many characters the sum at the end of a libcrypt hash has; 0: it has no
 * such hash's prefix. */
size_t pwhash_form_sum(const char *hash);

/* Is this the end of a tag that says how its body is written, or NULL? */
MUST_USE bool pwhash_digest_coded(const char *dot, size_t len);

/* {SHA256}, {SSHA512.hex} and so on: tag[0..len) is what the braces hold, body
 * what follows. PWHASH_UNKNOWN: no tag of these. */
MUST_USE enum pwhash pwhash_digest_form(const char *tag, size_t len,
					const char *body,
					struct pwhash_form *form);
void pwhash_digest_compute(const struct pwhash_digest *digest,
			   const void *password, size_t len,
			   unsigned char ret_sum[DIGEST_MAX]);

/* Of the same kind and salt? */
MUST_USE bool pwhash_digest_same(const struct pwhash_digest *a,
				 const struct pwhash_digest *b);

/* Bytes of a sum. */
size_t pwhash_old_size(enum pwhash_old_kind kind);
/* PWHASH_OK; PWHASH_NO: no hash of this kind was ever made of such a password. */
MUST_USE enum pwhash pwhash_old_compute(const struct pwhash_old *old,
					const void *password, size_t len,
					unsigned char ret_sum[PWHASH_OLD_MAX]);
/* Of the same kind, rounds and salt? */
MUST_USE bool pwhash_old_same(const struct pwhash_old *a,
			      const struct pwhash_old *b);

/* How others write them (pwhash_foreign.c): beginning in a way of their own, or
 * with a tag, tag[0..len), and body behind it. PWHASH_UNKNOWN: it is none. */
MUST_USE enum pwhash pwhash_foreign_form(const char *hash,
					 struct pwhash_form *form);
MUST_USE enum pwhash pwhash_foreign_tagged(const char *tag, size_t len,
					   const char *body,
					   struct pwhash_form *form);
/* How one without its sum stands in a wrapped hash. False: it is too long. */
MUST_USE bool pwhash_foreign_put(const struct pwhash_old *old,
				 char ret_setting[PWHASH_MAX + 1]);
MUST_USE enum pwhash pwhash_foreign_get(const char *setting,
					struct pwhash_form *form);

/* What a login computes. The sum of a password for a form of PWHASH_BY_ARGON2;
 * PWHASH_OK, or why not. */
MUST_USE enum pwhash pwhash_argon2_sum(const struct pwhash_form *form,
				       const void *password, size_t len,
				       unsigned char ret_sum[ARGON2_SUM_MAX],
				       size_t *ret_len);
/* Is it the sum in the form? PWHASH_OK, PWHASH_NO or PWHASH_MALFORMED. */
MUST_USE enum pwhash pwhash_argon2_compare(const struct pwhash_form *form,
					   const unsigned char *sum,
					   size_t len);
/* Both. */
MUST_USE enum pwhash pwhash_argon2_verify(const struct pwhash_form *form,
					  const void *password, size_t len);
/* What libcrypt makes of a password and a setting; PWHASH_OK, PWHASH_NO or
 * PWHASH_NOMEM. */
MUST_USE enum pwhash pwhash_run_crypt(const char *setting,
				      const void *password, size_t len,
				      char ret_hash[PWHASH_MAX + 1]);

/* Inline, so that of a head that is known nothing is measured. */
static inline bool pwhash_begins(const char *text, const char *head)
{
	return strncmp(text, head, strlen(head)) == 0;
}

/* $wrap$, see pwhash.h. */
MUST_USE enum pwhash pwhash_wrap_form(const char *at, struct pwhash_form *form);

#endif
