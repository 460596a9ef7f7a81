/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "store/secret.h"
#include "store/tally.h"

enum { KEYS = 1000 };

static void add(struct tally *tally, unsigned number)
{
	tally_add(tally, tally_hash(tally, &number, sizeof number));
}

static void take(struct tally *tally, unsigned number)
{
	tally_add(tally, -tally_hash(tally, &number, sizeof number));
}

static void order(void **state)
{
	struct tally tally = tally_new();

	(void)state;
	assert_true(tally_even(&tally));
	for (unsigned i = 0; i < KEYS; i++)
		add(&tally, i);
	for (unsigned i = KEYS; i-- > 0;) {
		assert_false(tally_even(&tally));
		take(&tally, i);
	}
	assert_true(tally_even(&tally));
}

static void other(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KEYS; i++) {
		struct tally tally = tally_new();

		add(&tally, i);
		add(&tally, i + 1);
		take(&tally, i);
		take(&tally, i + 2);
		assert_false(tally_even(&tally));
	}
}

static void drawn(void **state)
{
	struct tally a = tally_new(), b = tally_new();

	(void)state;
	add(&a, 1);
	add(&b, 1);
	assert_true(a.sum != b.sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("the same keys in another order come out even", order),
		SAYS("one key more, less or changed does not", other),
		SAYS("what a key counts, nobody knows before", drawn),
	};

	if (secret_start() != ERR_OK)
		return 99;
	return RUN(tests);
}
