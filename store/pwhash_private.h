/* pwhash_private.h: between pwhash.c, which computes, and pwhash_form.c, which
 * reads hash strings and knows what they would cost.
 */
#ifndef POPBOX_PWHASH_PRIVATE_H
#define POPBOX_PWHASH_PRIVATE_H

#include "pwhash.h"

enum {
	ARGON2_SALT = 16, /* bytes; libsodium computes no other length */
	ARGON2_HASH = 32,
};

enum pwhash_how { PWHASH_BY_ARGON2, PWHASH_BY_CRYPT };

struct pwhash_form {
	const char *scheme; /* static */
	enum pwhash_how how;
	uint32_t rounds; /* sha-crypt only */
	/* argon2id only */
	struct pwhash_cost cost;
	const char *salt; /* base64 without padding, inside the string */
	size_t salt_len;
	const char *sum;
	size_t sum_len;
};

/* Pure: reads a hash string. */
MUST_USE enum pwhash pwhash_form(const char *hash,
				 struct pwhash_form *ret_form);

#endif
