/* SPDX-License-Identifier: MIT */
/* secret.h: bytes that must not stay, must be compared blindly, or must not be
 * guessed. A thin door to libsodium.
 */
#ifndef POPBOX_SECRET_H
#define POPBOX_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/* Once in a process, before any other call here or in pwhash.h and before
 * record_seal: chooses the fastest code for this processor and proves that
 * there is randomness. ERR_SYSTEM when there is none. */
MUST_USE enum err secret_start(void);

/* Overwrites; no compiler takes it away. */
void secret_wipe(void *bytes, size_t len);

/* Overwrites what calls that have returned left of their frames: libcrypt and
 * libsodium leave passwords and sums there. */
void secret_wipe_frames(void);

/* Same content? Takes the same time wherever they differ. */
MUST_USE bool secret_equal(const void *a, const void *b, size_t len);

/* One part of what a digest is made of. */
struct secret_part {
	const void *bytes;
	size_t len;
};

enum { SECRET_KEY = 32, SECRET_DIGEST = 32 };

/* BLAKE2b-256 (RFC 7693) with a key, over the parts, each behind its length: no
 * other parts, joined in another way, have the same one. */
void secret_digest(const unsigned char key[SECRET_KEY],
		   const struct secret_part *parts, size_t count,
		   unsigned char ret_digest[SECRET_DIGEST]);

/* Fills with bytes that nobody can guess. */
void secret_random(void *ret_bytes, size_t len);

/* A number below the limit, each as likely as any other. */
unsigned secret_below(unsigned limit);

#endif
