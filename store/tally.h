/* SPDX-License-Identifier: MIT */
/* tally.h: are two sets of keys the same, when they come in different orders
 * and are too many to keep?
 *
 * What goes in is added up as a keyed hash of 64 bits (SipHash), what comes out
 * is taken away. The hash's key is drawn anew for each tally, so two sets that
 * differ come out even once in 2^64, and nobody who makes a store can aim at
 * it. Needs no secret_start; where there are no random numbers libsodium ends
 * the process.
 */
#ifndef POPBOX_TALLY_H
#define POPBOX_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TALLY_KEY = 16 };

struct tally {
	uint8_t key[TALLY_KEY];
	uint64_t sum;
};

struct tally tally_new(void);
/* What one key counts. Threads sum up those that go in, less those that come out,
 * and one adds their sums. */
uint64_t tally_hash(const struct tally *tally, const void *bytes, size_t len);
void tally_add(struct tally *tally, uint64_t sum);
bool tally_even(const struct tally *tally);

#endif
