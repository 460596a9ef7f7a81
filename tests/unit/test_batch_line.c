/* SPDX-License-Identifier: MIT */
/* A line of a batch, from JSON to bytes and to words; and bytes that somebody
 * forged. */
#include <stdlib.h>
#include <string.h>

#include "cli/batch_line.h"
#include "unit.h"

static struct batch_line line;
static struct batch_parts parts;

static enum batch_fault parse(const char *text)
{
	batch_line_parse(text, strlen(text), &line);
	assert_true(batch_line_split(&line, &parts));
	return (enum batch_fault)line.fault;
}

static void a_line_becomes_words_options_and_a_password(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"id\":7,\"command\":[\"box\",\"add\",\"j\"],"
			       "\"options\":{\"name\":\"J o\",\"generate\":20,"
			       "\"yes\":true,\"force\":false,\"adopt\":null},"
			       "\"password\":\"p w\"}"),
			 BATCH_GOOD);
	assert_string_equal(parts.id, "7");
	assert_int_equal(parts.words, 3);
	assert_string_equal(parts.word[2], "j");
	assert_int_equal(parts.options, 3);
	assert_int_equal(line.password_len, 3);
	assert_memory_equal(parts.password, "p w", 3);
	assert_null(parts.hash);
	for (size_t i = 0; i < parts.options; i++)
		assert_true(strcmp(parts.option[i], "--name=J o") == 0 ||
			    strcmp(parts.option[i], "--generate=20") == 0 ||
			    strcmp(parts.option[i], "--yes") == 0);
}

static void each_fault_has_a_text_and_keeps_the_id(void **state)
{
	static const struct {
		const char *text;
		enum batch_fault fault;
	} cases[] = {
		{"{\"id\":\"a\",\"command\":[\"x\"]", BATCH_NOT_JSON},
		{"[]", BATCH_NOT_OBJECT},
		{"{\"id\":\"a\",\"x\":1}", BATCH_MEMBER},
		{"{\"id\":1.5,\"command\":[\"x\"]}", BATCH_ID},
		{"{\"id\":\"a\",\"command\":[]}", BATCH_COMMAND},
		{"{\"id\":\"a\",\"command\":[\"x\"],\"options\":1}",
		 BATCH_OPTIONS},
		{"{\"id\":\"a\",\"command\":[\"x\"],\"hash\":1}",
		 BATCH_PASSWORD},
		{"{\"id\":\"a\",\"command\":[\"x\"],\"hash\":\"h\","
		 "\"password\":\"p\"}",
		 BATCH_TWO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(parse(cases[i].text), cases[i].fault);
		assert_true(batch_line_text(cases[i].fault)[0]);
		assert_string_equal(parts.id, cases[i].fault > BATCH_ID ||
						cases[i].fault == BATCH_MEMBER
						      ? "\"a\""
						      : "null");
		assert_int_equal(parts.words, 0);
		assert_null(parts.password);
	}
}

static void a_line_is_at_most_as_long_as_the_limit(void **state)
{
	static char text[BATCH_LINE_MAX + 2];
	static const char start[] = "{\"command\":[\"x\"]}";

	(void)state;
	memset(text, ' ', sizeof text - 1);
	memcpy(text, start, sizeof start - 1);
	batch_line_parse(text, BATCH_LINE_MAX, &line);
	assert_int_equal(line.fault, BATCH_GOOD);
	batch_line_parse(text, BATCH_LINE_MAX + 1, &line);
	assert_int_equal(line.fault, BATCH_TOO_LONG);
}

/* One field of a good message changed. */
static bool forged(size_t offset, uint32_t value)
{
	assert_int_equal(parse("{\"command\":[\"a\",\"b\"],\"options\":{\"c\":1},"
			       "\"password\":\"pw\"}"),
			 BATCH_GOOD);
	memcpy((char *)&line + offset, &value, sizeof value);
	return batch_line_split(&line, &parts);
}

#define AT(field) offsetof(struct batch_line, field)

static void forged_lengths_and_counts_are_refused(void **state)
{
	(void)state;
	assert_true(forged(AT(words), 2));
	assert_false(forged(AT(words), 1));
	assert_false(forged(AT(words), 3));
	assert_false(forged(AT(words), 0));
	assert_false(forged(AT(words), BATCH_WORDS_MAX + 1));
	assert_false(forged(AT(words), UINT32_MAX));
	assert_false(forged(AT(options), 0));
	assert_false(forged(AT(options), 2));
	assert_false(forged(AT(options), ARGS_OPTIONS_MAX + 1));
	assert_false(forged(AT(password_len), 1));
	assert_false(forged(AT(password_len), 3));
	assert_false(forged(AT(password_len), BATCH_NONE));
	assert_false(forged(AT(password_len), BATCH_NONE - 1));
	assert_false(forged(AT(hash_len), 1));
	assert_false(forged(AT(len), 3));
	assert_false(forged(AT(len), BATCH_TEXT_MAX + 1));
	assert_false(forged(AT(len), 0));
	assert_false(forged(AT(fault), BATCH_FAULTS));
	assert_false(forged(AT(fault), BATCH_ID)); /* it has words */
}

static void a_forged_id_is_no_second_line_of_an_answer(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"id\":\"ab\",\"command\":[\"a\"]}"), BATCH_GOOD);
	line.text[1] = '\n';
	assert_false(batch_line_split(&line, &parts));
	/* jansson writes it as it is. */
	assert_int_equal(parse("{\"id\":\"a\177\",\"command\":[\"a\"]}"),
			 BATCH_ID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("a line becomes words, options and a password",
		     a_line_becomes_words_options_and_a_password),
		SAYS("each fault has a text, and keeps the id",
		     each_fault_has_a_text_and_keeps_the_id),
		SAYS("a line is at most as long as the limit",
		     a_line_is_at_most_as_long_as_the_limit),
		SAYS("forged lengths and counts are refused",
		     forged_lengths_and_counts_are_refused),
		SAYS("a forged id is no second line of an answer",
		     a_forged_id_is_no_second_line_of_an_answer),
	};

	return RUN(tests);
}
