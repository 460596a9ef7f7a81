/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include <sodium.h>

_Static_assert(TALLY_KEY == crypto_shorthash_KEYBYTES, "SipHash's own key");

struct tally tally_new(void)
{
	struct tally tally = {.sum = 0};

	crypto_shorthash_keygen(tally.key);
	return tally;
}

uint64_t tally_hash(const struct tally *tally, const void *bytes, size_t len)
{
	uint64_t sum;

	_Static_assert(sizeof sum == crypto_shorthash_BYTES, "SipHash's size");
	(void)crypto_shorthash((unsigned char *)&sum, bytes, len, tally->key);
	return sum;
}

void tally_add(struct tally *tally, uint64_t sum)
{
	tally->sum += sum;
}

bool tally_even(const struct tally *tally)
{
	return tally->sum == 0;
}
