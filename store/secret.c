/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdint.h>

enum err secret_start(void)
{
	errno = ENOSYS; /* unless libsodium's failure says another reason */
	return sodium_init() < 0 ? ERR_SYSTEM : ERR_OK;
}

void secret_wipe(void *bytes, size_t len)
{
	sodium_memzero(bytes, len);
}

void secret_wipe_frames(void)
{
	enum { DEEP = 16 << 10 }; /* twice what was seen */

	sodium_stackzero(DEEP);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void secret_digest(const unsigned char key[SECRET_KEY],
		   const struct secret_part *parts, size_t count,
		   unsigned char ret_digest[SECRET_DIGEST])
{
	crypto_generichash_state state;

	/* None of these fails with lengths in range. */
	(void)crypto_generichash_init(&state, key, SECRET_KEY, SECRET_DIGEST);
	for (size_t i = 0; i < count; i++) {
		const uint64_t len = parts[i].len;

		(void)crypto_generichash_update(
			&state, (const unsigned char *)&len, sizeof len);
		(void)crypto_generichash_update(&state, parts[i].bytes,
						parts[i].len);
	}
	(void)crypto_generichash_final(&state, ret_digest, SECRET_DIGEST);
	secret_wipe(&state, sizeof state);
	secret_wipe_frames();
}

void secret_random(void *ret_bytes, size_t len)
{
	randombytes_buf(ret_bytes, len);
}

unsigned secret_below(unsigned limit)
{
	return randombytes_uniform(limit);
}
