/* SPDX-License-Identifier: MIT */
/* The text of the file maildirsize, and what its numbers mean. */
#include "unit.h"

#include <stdbool.h>

#include "maildir/maildirsize.h"

static void a_limit_is_read_and_written_alike(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes, messages;
		const char *same; /* NULL: as it was read */
	} cases[] = {
		{"500S", 500, 0, NULL},
		{"10000C", 0, 10000, NULL},
		{"500S,10000C", 500, 10000, NULL},
		{"10000C,500S", 500, 10000, "500S,10000C"},
		{"0S,5C", 0, 5, "5C"},
		{"1S,2S", 2, 0, "2S"},
		{"4611686018427387903S", MAILDIRSIZE_LIMIT_MAX, 0, NULL},
	};
	char text[MAILDIRSIZE_LINE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct maildirsize got;
		const char *want = cases[i].same ? cases[i].same
						 : cases[i].text;

		assert_true(maildirsize_limit_read(
			cases[i].text, strlen(cases[i].text), &got));
		assert_int_equal(got.bytes, cases[i].bytes);
		assert_int_equal(got.messages, cases[i].messages);
		maildirsize_limit_text(&got, text);
		assert_string_equal(text, want);
	}
	maildirsize_limit_text(&(struct maildirsize){0, 0}, text);
	assert_string_equal(text, "");
}

static void what_is_no_limit_is_refused(void **state)
{
	static const char *const none[] = {
		"",	 "S",	    "5",    "5s",	 "5S,",	 ",5S",
		"5S5C",	 "5 S",	    "-5S",  "0S",	 "0S,0C", "5S;5C",
		"NOQUOTA", "5S,C", "5S\n", "4611686018427387904S",
		"99999999999999999999999S",
	};
	struct maildirsize got = {7, 7};

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++)
		assert_false(maildirsize_limit_read(none[i], strlen(none[i]),
						    &got));
	assert_false(maildirsize_limit_read("5S\0", 3, &got));
	assert_int_equal(got.bytes, 7);
}

static void a_file_is_the_sum_of_its_lines(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes, messages;
		size_t lines;
	} cases[] = {
		{"500S\n0 0\n", 0, 0, 1},
		{"500S\n10 1\n20 2\n", 30, 3, 2},
		{"500S,9C\n          10            1\n-10 -1\n", 0, 0, 2},
		{"500S\n10\t1 \n", 10, 1, 1},
		{"other\n10 1\n", 10, 1, 1},
		{"\n10 1\n", 10, 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct maildirsize limit, sum;
		size_t lines;

		assert_true(maildirsize_read(cases[i].text,
					     strlen(cases[i].text), &limit,
					     &sum, &lines));
		assert_int_equal(sum.bytes, cases[i].bytes);
		assert_int_equal(sum.messages, cases[i].messages);
		assert_int_equal(lines, cases[i].lines);
		assert_int_equal(limit.bytes, i < 4 ? 500 : 0);
		assert_int_equal(limit.messages, i == 2 ? 9 : 0);
	}
}

static void a_file_that_is_cut_or_damaged_is_not_believed(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{BYTES("")},
		{BYTES("500S")},
		{BYTES("500S\n")},
		{BYTES("500S\n10 1")},
		{BYTES("500S\n10 1\n\n")},
		{BYTES("500S\n10\n")},
		{BYTES("500S\n10 1 1\n")},
		{BYTES("500S\nx 1\n")},
		{BYTES("500S\n10 - 1\n")},
		{BYTES("500S\n10 1\r\n")},
		{BYTES("500S\n10 1\0\n")},
		{BYTES("500S\n-10 1\n")},
		{BYTES("500S\n10 -1\n")},
		{BYTES("500S\n9223372036854775808 1\n")},
		{BYTES("500S\n9223372036854775807 1\n1 1\n")},
	};
	struct maildirsize limit, sum;
	size_t lines;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(maildirsize_read(bad[i].text, bad[i].len, &limit,
					      &sum, &lines));
		assert_int_equal(limit.bytes, i < 2 ? 0 : 500);
	}
}

static void a_name_may_say_the_size(void **state)
{
	static const struct {
		const char *name;
		bool says;
		uint64_t bytes;
	} cases[] = {
		{"1.a,S=5", true, 5},
		{"1.a,S=5:2,S", true, 5},
		{"1.a,S=5,W=6:2,", true, 5},
		{"1.a,W=6,S=5", true, 5},
		{"1.a,S=x,S=7", true, 7},
		{"1.a", false, 0},
		{"1.a,S=", false, 0},
		{"1.a,S=5x", false, 0},
		{"1.a,S=-5", false, 0},
		{"1.a,S=9223372036854775808", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t bytes = 0;

		assert_int_equal(maildirsize_of_name(cases[i].name, &bytes),
				 cases[i].says);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void the_limit_itself_may_be_reached(void **state)
{
	static const struct {
		struct maildirsize limit, used, more;
		bool over;
	} cases[] = {
		{{100, 0}, {90, 1}, {10, 1}, false},
		{{100, 0}, {90, 1}, {11, 1}, true},
		{{100, 0}, {101, 1}, {0, 0}, true},
		{{0, 2}, {90, 1}, {11, 1}, false},
		{{0, 2}, {90, 2}, {11, 1}, true},
		{{0, 0}, {90, 2}, {11, 1}, false},
		{{100, 2}, {1, 1}, {UINT64_MAX, 1}, true},
		{{100, 2}, {UINT64_MAX, 1}, {1, 1}, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(maildirsize_is_over(&cases[i].limit,
						     &cases[i].used,
						     &cases[i].more),
				 cases[i].over);
}

static void the_nearer_limit_is_the_percentage(void **state)
{
	static const struct {
		struct maildirsize limit, used;
		unsigned percent;
	} cases[] = {
		{{0, 0}, {90, 1}, 0},
		{{1000, 0}, {899, 1}, 89},
		{{1000, 0}, {900, 1}, 90},
		{{1000, 10}, {100, 9}, 90},
		{{1000, 10}, {950, 1}, 95},
		{{10, 0}, {1000, 1}, 999},
		{{MAILDIRSIZE_LIMIT_MAX, 0}, {MAILDIRSIZE_LIMIT_MAX, 1}, 100},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(maildirsize_percent(&cases[i].limit,
						     &cases[i].used),
				 cases[i].percent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("a limit is read and written alike",
		     a_limit_is_read_and_written_alike),
		SAYS("what is no limit is refused", what_is_no_limit_is_refused),
		SAYS("a file is the sum of its lines",
		     a_file_is_the_sum_of_its_lines),
		SAYS("a file that is cut or damaged is not believed",
		     a_file_that_is_cut_or_damaged_is_not_believed),
		SAYS("a name may say the size", a_name_may_say_the_size),
		SAYS("the limit itself may be reached",
		     the_limit_itself_may_be_reached),
		SAYS("the nearer limit is the percentage",
		     the_nearer_limit_is_the_percentage),
	};

	return RUN(tests);
}
