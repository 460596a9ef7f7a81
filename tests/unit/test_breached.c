/* SPDX-License-Identifier: MIT */
/* The filter of breached passwords: its bytes, and how often it says yes to what it
 * was not made of. BREACHED_ENTRIES in the environment: made of so many. */
#include "failing.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "accounts/breached.h"
#include "base/say.h"
#include "breach/breach_build.h"
#include "breach/breach_list.h"
#include "breach/breach_sort.h"
#include "qmaildir.h"
#include "store/hash/pwhash.h"
#include "store/secret.h"

FAILING(int, fsync, (int fd), (fd))

static int set_up(void **state)
{
	(void)state;
	failing_call = NULL;
	return secret_start() != ERR_OK || qmaildir_start() != 0 ||
	       chdir(top) != 0;
}

static int tear_down(void **state)
{
	(void)state;
	return chdir("/") != 0 || qmaildir_end();
}

static void header_round(void **state)
{
	const struct breached_head head = {
		.scale = 1000, .entries = 999, .data = 2400, .built = 77,
		.source = "a list"};
	uint8_t bytes[BREACHED_HEAD], harmed[BREACHED_HEAD];
	struct breached_head again = {.scale = 0};

	(void)state;
	breached_head_write(&head, bytes);
	assert_null(breached_head_read(bytes, &again));
	assert_memory_equal(&again, &head, sizeof head);
	assert_int_equal(breached_buckets(&head), 8);
	assert_int_equal(breached_data_at(&head), 256 + 9 * 8);
	for (size_t i = 0; i < sizeof bytes; i++) {
		memcpy(harmed, bytes, sizeof bytes);
		harmed[i] ^= 0x10;
		assert_non_null(breached_head_read(harmed, &again));
	}
}

/* Sealed rightly, by another popbox or by hand. */
static void header_range(void **state)
{
	const struct breached_head bad[] = {
		{.scale = 0},
		{.scale = BREACHED_SCALE_MAX + 1},
		{.scale = 5, .entries = 6},
		{.scale = 5, .data = BREACHED_BUCKET_MAX + 1},
		{.scale = 5, .built = UINT64_MAX},
		{.scale = 5, .source = "a\nb"},
	};
	const struct breached_head most = {.scale = BREACHED_SCALE_MAX};
	uint8_t bytes[BREACHED_HEAD];
	struct breached_head head;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		breached_head_write(&bad[i], bytes);
		assert_string_equal(breached_head_read(bytes, &head),
				    "its header is damaged");
	}
	breached_head_write(&most, bytes);
	assert_null(breached_head_read(bytes, &head));
	head = most;
	memset(head.source, 'x', sizeof head.source);
	breached_head_write(&head, bytes);
	assert_non_null(breached_head_read(bytes, &head));
}

static void keys_in_range(void **state)
{
	const struct breached_head head = {.scale = 129};
	const unsigned char sum[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct breached_place place = breached_place(&head, UINT64_MAX);

	(void)state;
	assert_int_equal(breached_key(sum), UINT64_C(0x0102030405060708));
	assert_int_equal(breached_buckets(&head), 2);
	assert_int_equal(place.bucket, 1);
	assert_int_equal(place.place, (1 << 17) - 1);
	place = breached_place(&head, 0);
	assert_int_equal(place.bucket + place.place, 0);
}

static void bucket_round(void **state)
{
	static const uint32_t places[] = {0,	     1,	      131071,
					  131072,    131073,  9 << 17,
					  (30 << 17) + 5, (1 << 24) - 2,
					  (1 << 24) - 1};
	struct breached_bucket bucket = {.bits = 0};
	uint32_t count = 0;
	size_t len;

	(void)state;
	assert_int_equal(breached_bucket_find(bucket.bytes, 0, 5, &count),
			 BREACHED_NO);
	assert_int_equal(count, 0);
	for (size_t i = 0; i < COUNT(places); i++)
		assert_true(breached_bucket_add(&bucket, places[i]));
	len = breached_bucket_end(&bucket);
	for (size_t i = 0; i < COUNT(places); i++)
		assert_int_equal(breached_bucket_find(bucket.bytes, len,
						      places[i], &count),
				 BREACHED_YES);
	assert_int_equal(count, COUNT(places));
	assert_int_equal(breached_bucket_find(bucket.bytes, len, 2, &count),
			 BREACHED_NO);
	assert_int_equal(breached_bucket_find(bucket.bytes, len - 1, 2, &count),
			 BREACHED_UNKNOWN);
}

static void bucket_full(void **state)
{
	struct breached_bucket bucket = {.bits = 0};
	uint32_t place = 0, count = 0;

	(void)state;
	while (breached_bucket_add(&bucket, place))
		place++;
	assert_true(breached_bucket_end(&bucket) <= BREACHED_BUCKET_MAX);
	assert_int_equal(breached_bucket_find(bucket.bytes, bucket.bits / 8,
					      place - 1, &count),
			 BREACHED_YES);
	assert_int_equal(count, place);
}

static void index_round(void **state)
{
	const struct breached_index index = {(UINT64_C(1) << 40) - 1, 0xabcdef};
	uint8_t bytes[BREACHED_INDEX];
	struct breached_index again;

	(void)state;
	breached_index_write(&index, bytes);
	again = breached_index_read(bytes);
	assert_true(again.at == index.at && again.sum == index.sum);
	assert_true(breached_sum(0, bytes, 8) != breached_sum(1, bytes, 8));
	assert_true(breached_sum(0, bytes, 8) != breached_sum(0, bytes, 7));
}

static void count_key(void *arg, uint64_t key)
{
	*(uint64_t *)arg = key;
}

static void list_key(void **state)
{
	static const char text[] =
		"0123456789abcdefABCDEF000000000000000000:12\n";
	struct breach_list list = {.form = BREACH_UNSEEN};
	uint64_t key = 0;

	(void)state;
	assert_true(breach_list_feed(&list, BYTES(text), count_key, &key));
	assert_int_equal(key, UINT64_C(0x0123456789abcdef));
	assert_int_equal(list.form, BREACH_SUMS);
	assert_false(breach_list_feed(&list, BYTES("0123\n"), count_key, &key));
	assert_int_equal(list.fault, BREACH_NO_SUM);
	assert_int_equal(list.line, 2);
}

/* Each key once, in order, in one run. */
static void sorted(void **state)
{
	static const uint64_t in[] = {5, UINT64_MAX, 0, 5, 1 << 20, 0};
	static const uint64_t out[] = {0, 5, 1 << 20, UINT64_MAX};
	struct breach_sort sort;
	uint64_t keys, key;
	int fd = open("spool", O_RDWR | O_CREAT, 0600);
	bool end;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(breach_sort_open(fd, &sort), 0);
	for (size_t i = 0; i < COUNT(in); i++)
		assert_int_equal(breach_sort_add(&sort, in[i]), 0);
	assert_int_equal(breach_sort_end(&sort, &keys), 0);
	assert_int_equal(keys, 4);
	for (size_t i = 0; i < COUNT(out); i++) {
		assert_int_equal(breach_sort_next(&sort, &key, &end), 0);
		assert_false(end);
		assert_true(key == out[i]);
	}
	assert_int_equal(breach_sort_next(&sort, &key, &end), 0);
	assert_true(end);
	breach_sort_close(&sort);
	assert_int_equal(close(fd), 0);
}

static void write_list(unsigned long entries)
{
	FILE *file = fopen("list", "w");

	assert_non_null(file);
	for (unsigned long i = 0; i < entries; i++)
		assert_true(fprintf(file, "inside %lu\n", i) > 0);
	assert_int_equal(fclose(file), 0);
}

static unsigned long ask_all(const struct breached *filter, const char *form,
			     unsigned long count)
{
	unsigned long yes = 0;
	char text[64];

	for (unsigned long i = 0; i < count; i++) {
		const int len = snprintf(text, sizeof text, "%s %lu", form, i);
		const enum breached_answer answer =
			breached_ask(filter, text, (size_t)len);

		assert_int_not_equal(answer, BREACHED_UNKNOWN);
		yes += answer == BREACHED_YES;
	}
	return yes;
}

static void rate(void **state)
{
	const char *text = getenv("BREACHED_ENTRIES");
	const unsigned long entries = text ? strtoul(text, NULL, 10) : 20000;
	const unsigned long others = text ? entries : 400000;
	const struct breach_how how = {.list = "list", .filter = "filter"};
	struct breached filter = {.open = false};
	struct breach_built built;
	unsigned long wrong;
	bool missing;
	int code;

	(void)state;
	write_list(entries);
	said_start();
	code = breach_build(&how, &built);
	said_end();
	assert_int_equal(code, CODE_DONE);
	assert_int_equal(built.lines, entries);
	assert_null(breached_open("filter", &filter, &missing));
	assert_int_equal(ask_all(&filter, "inside", entries), entries);
	wrong = ask_all(&filter, "outside", others);
	print_message("# %lu entries, %.2f bits each; %lu of %lu others: yes\n",
		      entries, 8.0 * (double)built.bytes / (double)entries,
		      wrong, others);
	assert_true(wrong * 100000 <= others);
	assert_true(wrong > 0); /* or it was not asked */
	breached_close(&filter);
}

/* Whatever is on the disk by then, the name leads to the older one. */
static void unsynced(void **state)
{
	const struct breach_how how = {.list = "list", .filter = "filter"};
	struct breach_built built;
	int code;

	(void)state;
	write_list(100);
	said_start();
	failing_start("fsync", 1, EIO);
	code = breach_build(&how, &built);
	said_end();
	assert_int_equal(code, CODE_LATER);
	assert_int_equal(access("filter", F_OK), -1);
	assert_true(failing_end());
	assert_int_equal(breach_build(&how, &built), CODE_DONE);
	assert_int_equal(access("filter", F_OK), 0);
}

int main(void)
{
#define ON_DISK(sentence, function)                                           \
	{                                                                     \
		sentence, function, set_up, tear_down, NULL                   \
	}
	const struct CMUnitTest tests[] = {
		SAYS("a header is read as it was written, and no other bytes are",
		     header_round),
		SAYS("a header with numbers out of range is none", header_range),
		SAYS("the least and the greatest key are in the range",
		     keys_in_range),
		SAYS("places of a bucket are found, others are not, a cut bucket "
		     "is unknown",
		     bucket_round),
		SAYS("a bucket takes what it has room for", bucket_full),
		SAYS("an entry of the index is read as it was written",
		     index_round),
		SAYS("a sum's first digits are its key", list_key),
		ON_DISK("keys come in order, each once", sorted),
		ON_DISK("all that a filter was made of is known, and fewer than "
			"one in 100,000 others",
			rate),
		ON_DISK("a filter that cannot be synced does not appear",
			unsynced),
	};

	if (secret_start() != ERR_OK)
		return 1;
	return RUN(tests);
}
