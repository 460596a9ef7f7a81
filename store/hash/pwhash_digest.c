/* SPDX-License-Identifier: MIT */
/* pwhash_digest.c: Dovecot's plain and salted SHA-2 digests. */
#include <sodium.h>
#include <string.h>
#include <strings.h>

#include "pwhash_private.h"
#include "store/secret.h"

static const struct tag {
	const char *name;
	const char *scheme;
	unsigned bits;
	bool salted;
} tags[] = {
	{"SHA256", "SHA-256", 256, false},
	{"SSHA256", "salted SHA-256", 256, true},
	{"SHA512", "SHA-512", 512, false},
	{"SSHA512", "salted SHA-512", 512, true},
	{"SHA-256", "SHA-256", 256, false},
	{"SSHA-256", "salted SHA-256", 256, true},
	{"SHA-512", "SHA-512", 512, false},
	{"SSHA-512", "salted SHA-512", 512, true},
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/=";

/* Base64 with or without its padding, or hexadecimal. The alphabet is looked at
 * here: sodium_base642bin takes some 8-bit bytes for digits (char is signed),
 * and a string that means nothing would be computed to "no". */
static bool decode(const char *body, bool hex, unsigned char *ret_bytes,
		   size_t room, size_t *ret_len)
{
	size_t len = strlen(body);
	const int variant = strchr(body, '=')
				    ? sodium_base64_VARIANT_ORIGINAL
				    : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;

	if (hex)
		return sodium_hex2bin(ret_bytes, room, body, len, NULL, ret_len,
				      NULL) == 0;
	return strspn(body, alphabet) == len &&
	       sodium_base642bin(ret_bytes, room, body, len, NULL, ret_len,
				 NULL, variant) == 0;
}

static enum pwhash take(const struct tag *tag, const char *body, bool hex,
			struct pwhash_form *form)
{
	unsigned char bytes[DIGEST_MAX + DIGEST_SALT_MAX];
	const size_t sum = tag->bits / 8;
	size_t len;

	form->scheme = tag->scheme;
	form->how = PWHASH_BY_DIGEST;
	if (!decode(body, hex, bytes, sizeof bytes, &len) || len < sum ||
	    (len > sum) != tag->salted || len - sum > DIGEST_SALT_MAX)
		return PWHASH_MALFORMED;
	form->digest.bits = tag->bits;
	memcpy(form->digest.sum, bytes, sum);
	memcpy(form->digest.salt, bytes + sum, len - sum);
	form->digest.salt_len = len - sum;
	secret_wipe(bytes, sizeof bytes);
	return PWHASH_OK;
}

bool pwhash_digest_coded(const char *dot, size_t len)
{
	return !dot || (len == 4 && strncasecmp(dot, ".hex", 4) == 0) ||
	       (len == 4 && strncasecmp(dot, ".b64", 4) == 0) ||
	       (len == 7 && strncasecmp(dot, ".base64", 7) == 0);
}

enum pwhash pwhash_digest_form(const char *tag, size_t len, const char *body,
			       struct pwhash_form *form)
{
	const char *dot = memchr(tag, '.', len);
	size_t name = dot ? (size_t)(dot - tag) : len;
	bool hex = dot && len - name == 4 && strncasecmp(dot, ".hex", 4) == 0;

	if (!pwhash_digest_coded(dot, len - name))
		return PWHASH_UNKNOWN;
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		if (strlen(tags[i].name) == name &&
		    strncasecmp(tag, tags[i].name, name) == 0)
			return take(&tags[i], body, hex, form);
	}
	return PWHASH_UNKNOWN;
}

void pwhash_digest_compute(const struct pwhash_digest *digest,
			   const void *password, size_t len,
			   unsigned char ret_sum[DIGEST_MAX])
{
	crypto_hash_sha256_state small;
	crypto_hash_sha512_state large;

	/* None of these can fail. */
	if (digest->bits == 256) {
		(void)crypto_hash_sha256_init(&small);
		(void)crypto_hash_sha256_update(&small, password, len);
		(void)crypto_hash_sha256_update(&small, digest->salt,
						digest->salt_len);
		(void)crypto_hash_sha256_final(&small, ret_sum);
	} else {
		(void)crypto_hash_sha512_init(&large);
		(void)crypto_hash_sha512_update(&large, password, len);
		(void)crypto_hash_sha512_update(&large, digest->salt,
						digest->salt_len);
		(void)crypto_hash_sha512_final(&large, ret_sum);
	}
	secret_wipe(&small, sizeof small);
	secret_wipe(&large, sizeof large);
}

bool pwhash_digest_same(const struct pwhash_digest *a,
			const struct pwhash_digest *b)
{
	return a->bits == b->bits && a->salt_len == b->salt_len &&
	       memcmp(a->salt, b->salt, a->salt_len) == 0;
}
