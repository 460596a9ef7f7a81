/* SPDX-License-Identifier: MIT */
/* pwhash_old.c: what other programs hashed passwords with and nobody should any
 * more, over nettle: plain and salted MD5 and SHA-1, NT, CRAM-MD5 (RFC 2195),
 * PBKDF2 (RFC 8018), SCRAM (RFC 5802), phpass and apr1. What a login computes
 * of each is the sum that its hash ends in, which popbox keeps inside of an
 * argon2id hash alone.
 */
#include <nettle/hmac.h>
#include <nettle/md4.h>
#include <nettle/md5.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha1.h>
#include <sodium.h>
#include <string.h>

#include "pwhash_private.h"
#include "store/secret.h"

static void md5(const void *a, size_t a_len, const void *b, size_t b_len,
		unsigned char ret_sum[MD5_DIGEST_SIZE])
{
	struct md5_ctx ctx;

	md5_init(&ctx);
	md5_update(&ctx, a_len, a);
	md5_update(&ctx, b_len, b);
	md5_digest(&ctx, MD5_DIGEST_SIZE, ret_sum);
	secret_wipe(&ctx, sizeof ctx);
}

static void sha1(const void *a, size_t a_len, const void *b, size_t b_len,
		 unsigned char ret_sum[SHA1_DIGEST_SIZE])
{
	struct sha1_ctx ctx;

	sha1_init(&ctx);
	sha1_update(&ctx, a_len, a);
	sha1_update(&ctx, b_len, b);
	sha1_digest(&ctx, SHA1_DIGEST_SIZE, ret_sum);
	secret_wipe(&ctx, sizeof ctx);
}

void pwhash_sha1(const void *password, size_t len,
		 unsigned char ret_sum[PWHASH_SHA1])
{
	sha1(password, len, "", 0, ret_sum);
}

/* The next code point, or false: no UTF-8. */
static bool next_letter(const unsigned char **at, const unsigned char *end,
			uint32_t *ret_letter)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint32_t letter = *(*at)++;
	unsigned more = letter < 0x80	? 0
			: letter < 0xc0 ? 4
			: letter < 0xe0 ? 1
			: letter < 0xf0 ? 2
			: letter < 0xf8 ? 3
					: 4;

	if (more == 4 || (size_t)(end - *at) < more)
		return false;
	if (more)
		letter &= 0x3fU >> more;
	for (unsigned i = 0; i < more; i++) {
		if ((**at & 0xc0) != 0x80)
			return false;
		letter = letter << 6 | (*(*at)++ & 0x3fU);
	}
	*ret_letter = letter;
	return letter >= least[more] && letter <= 0x10ffff &&
	       (letter < 0xd800 || letter > 0xdfff);
}

/* MD4 of the password in UTF-16, low bytes first. */
static bool nt(const void *password, size_t len,
	       unsigned char ret_sum[MD4_DIGEST_SIZE])
{
	const unsigned char *at = password, *end = at + len;
	struct md4_ctx ctx;
	uint32_t letter = 0;
	bool good = true;

	md4_init(&ctx);
	while (good && at < end) {
		uint32_t unit[2];
		size_t units = 1;

		good = next_letter(&at, end, &letter);
		unit[0] = letter;
		if (letter > 0xffff) {
			unit[0] = 0xd800 + ((letter - 0x10000) >> 10);
			unit[1] = 0xdc00 + (letter & 0x3ff);
			units = 2;
		}
		for (size_t i = 0; good && i < units; i++) {
			const unsigned char bytes[2] = {
				(unsigned char)unit[i],
				(unsigned char)(unit[i] >> 8)};

			md4_update(&ctx, sizeof bytes, bytes);
		}
	}
	md4_digest(&ctx, MD4_DIGEST_SIZE, ret_sum);
	secret_wipe(&ctx, sizeof ctx);
	secret_wipe(&letter, sizeof letter);
	return good;
}

/* The state of MD5 after a block of the password and this byte. */
static void md5_state(const unsigned char key[MD5_BLOCK_SIZE],
		      unsigned char with, unsigned char *ret_state)
{
	unsigned char block[MD5_BLOCK_SIZE];
	struct md5_ctx ctx;

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = key[i] ^ with;
	md5_init(&ctx);
	md5_update(&ctx, sizeof block, block);
	for (size_t i = 0; i < MD5_DIGEST_SIZE; i++)
		ret_state[i] = (unsigned char)(ctx.state[i / 4] >> i % 4 * 8);
	secret_wipe(block, sizeof block);
	secret_wipe(&ctx, sizeof ctx);
}

/* Dovecot's {CRAM-MD5}: both states of HMAC-MD5, the outer one first. */
static void cram(const void *password, size_t len, unsigned char *ret_sum)
{
	unsigned char key[MD5_BLOCK_SIZE] = {0};

	if (len > sizeof key)
		md5(password, len, "", 0, key);
	else
		memcpy(key, password, len);
	md5_state(key, 0x5c, ret_sum);
	md5_state(key, 0x36, ret_sum + MD5_DIGEST_SIZE);
	secret_wipe(key, sizeof key);
}

static void stretch(const struct pwhash_old *old, const void *password,
		    size_t len, unsigned char *ret_sum)
{
	const size_t size = pwhash_old_size(old->kind);

	if (old->kind == PWHASH_OLD_PBKDF2_SHA256 ||
	    old->kind == PWHASH_OLD_SCRAM_SHA256)
		pbkdf2_hmac_sha256(len, password, old->rounds, old->salt_len,
				   old->salt, size, ret_sum);
	else if (old->kind == PWHASH_OLD_PBKDF2_SHA512)
		pbkdf2_hmac_sha512(len, password, old->rounds, old->salt_len,
				   old->salt, size, ret_sum);
	else
		pbkdf2_hmac_sha1(len, password, old->rounds, old->salt_len,
				 old->salt, size, ret_sum);
}

/* SCRAM's StoredKey: the hash of HMAC(salted password, "Client Key"). */
static void scram(const struct pwhash_old *old, const void *password,
		  size_t len, unsigned char *ret_sum)
{
	static const char text[] = "Client Key";
	const bool small = old->kind == PWHASH_OLD_SCRAM_SHA1;
	unsigned char salted[crypto_auth_hmacsha256_BYTES];
	unsigned char key[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state large;
	struct hmac_sha1_ctx ctx;

	stretch(old, password, len, salted);
	if (small) {
		hmac_sha1_set_key(&ctx, SHA1_DIGEST_SIZE, salted);
		hmac_sha1_update(&ctx, sizeof text - 1,
				 (const unsigned char *)text);
		hmac_sha1_digest(&ctx, SHA1_DIGEST_SIZE, key);
		sha1(key, SHA1_DIGEST_SIZE, "", 0, ret_sum);
	} else { /* none of these can fail */
		(void)crypto_auth_hmacsha256_init(&large, salted,
						  sizeof salted);
		(void)crypto_auth_hmacsha256_update(
			&large, (const unsigned char *)text, sizeof text - 1);
		(void)crypto_auth_hmacsha256_final(&large, key);
		(void)crypto_hash_sha256(ret_sum, key, sizeof key);
	}
	secret_wipe(salted, sizeof salted);
	secret_wipe(key, sizeof key);
	secret_wipe(&ctx, sizeof ctx);
	secret_wipe(&large, sizeof large);
}

/* Portable PHP password hashing: MD5 over and over. */
static void phpass(const struct pwhash_old *old, const void *password,
		   size_t len, unsigned char ret_sum[MD5_DIGEST_SIZE])
{
	md5(old->salt, old->salt_len, password, len, ret_sum);
	for (uint32_t i = 0; i < old->rounds; i++)
		md5(ret_sum, MD5_DIGEST_SIZE, password, len, ret_sum);
}

/* Of apr1's thousand rounds, one: which parts go into it its number says. */
static void apr1_round(const struct pwhash_old *old, unsigned round,
		       const void *password, size_t len, unsigned char *sum)
{
	struct md5_ctx ctx;

	md5_init(&ctx);
	if (round & 1)
		md5_update(&ctx, len, password);
	else
		md5_update(&ctx, MD5_DIGEST_SIZE, sum);
	if (round % 3)
		md5_update(&ctx, old->salt_len, old->salt);
	if (round % 7)
		md5_update(&ctx, len, password);
	if (round & 1)
		md5_update(&ctx, MD5_DIGEST_SIZE, sum);
	else
		md5_update(&ctx, len, password);
	md5_digest(&ctx, MD5_DIGEST_SIZE, sum);
	secret_wipe(&ctx, sizeof ctx);
}

/* md5crypt with another name in its beginning: Apache's. */
static void apr1(const struct pwhash_old *old, const void *password, size_t len,
		 unsigned char ret_sum[MD5_DIGEST_SIZE])
{
	const unsigned char *text = password;
	struct md5_ctx ctx;

	md5_init(&ctx);
	md5_update(&ctx, len, text);
	md5_update(&ctx, old->salt_len, old->salt);
	md5_update(&ctx, len, text);
	md5_digest(&ctx, MD5_DIGEST_SIZE, ret_sum);
	md5_update(&ctx, len, text);
	md5_update(&ctx, 6, (const unsigned char *)"$apr1$");
	md5_update(&ctx, old->salt_len, old->salt);
	for (size_t left = len; left > 0;
	     left -= left < MD5_DIGEST_SIZE ? left : MD5_DIGEST_SIZE)
		md5_update(&ctx, left < MD5_DIGEST_SIZE ? left : MD5_DIGEST_SIZE,
			   ret_sum);
	for (size_t bits = len; bits; bits >>= 1)
		md5_update(&ctx, 1,
			   bits & 1 ? (const unsigned char *)"" : text);
	md5_digest(&ctx, MD5_DIGEST_SIZE, ret_sum);
	secret_wipe(&ctx, sizeof ctx);
	for (unsigned round = 0; round < 1000; round++)
		apr1_round(old, round, password, len, ret_sum);
}

size_t pwhash_old_size(enum pwhash_old_kind kind)
{
	switch (kind) {
	case PWHASH_OLD_SHA1:
	case PWHASH_OLD_PBKDF2_SHA1:
	case PWHASH_OLD_SCRAM_SHA1:
		return SHA1_DIGEST_SIZE;
	case PWHASH_OLD_CRAM_MD5:
	case PWHASH_OLD_PBKDF2_SHA256:
	case PWHASH_OLD_SCRAM_SHA256:
		return 32;
	case PWHASH_OLD_PBKDF2_SHA512:
		return 64;
	case PWHASH_OLD_MD5:
	case PWHASH_OLD_NT:
	case PWHASH_OLD_PHPASS:
	case PWHASH_OLD_APR1:
		break;
	}
	return MD5_DIGEST_SIZE;
}

enum pwhash pwhash_old_compute(const struct pwhash_old *old,
			       const void *password, size_t len,
			       unsigned char ret_sum[PWHASH_OLD_MAX])
{
	bool good = true;

	switch (old->kind) {
	case PWHASH_OLD_MD5:
		md5(password, len, old->salt, old->salt_len, ret_sum);
		break;
	case PWHASH_OLD_SHA1:
		sha1(password, len, old->salt, old->salt_len, ret_sum);
		break;
	case PWHASH_OLD_NT:
		good = nt(password, len, ret_sum);
		break;
	case PWHASH_OLD_CRAM_MD5:
		cram(password, len, ret_sum);
		break;
	case PWHASH_OLD_PBKDF2_SHA1:
	case PWHASH_OLD_PBKDF2_SHA256:
	case PWHASH_OLD_PBKDF2_SHA512:
		stretch(old, password, len, ret_sum);
		break;
	case PWHASH_OLD_SCRAM_SHA1:
	case PWHASH_OLD_SCRAM_SHA256:
		scram(old, password, len, ret_sum);
		break;
	case PWHASH_OLD_PHPASS:
		phpass(old, password, len, ret_sum);
		break;
	case PWHASH_OLD_APR1:
		apr1(old, password, len, ret_sum);
		break;
	}
	secret_wipe_frames();
	return good ? PWHASH_OK : PWHASH_NO;
}

bool pwhash_old_same(const struct pwhash_old *a, const struct pwhash_old *b)
{
	return a->kind == b->kind && a->rounds == b->rounds &&
	       a->salt_len == b->salt_len &&
	       memcmp(a->salt, b->salt, a->salt_len) == 0;
}
