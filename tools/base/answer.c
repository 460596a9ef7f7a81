/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "store/secret.h"

static char buffer[1 << 16]; /* stdout's: passwords are in it */
static json_t *notes, *errors;
static bool tells_notes;
static bool has_result;

/* say_finish, in the end, looks at stdout. */
static void put_text(const char *text)
{
	if (has_result)
		(void)putchar(',');
	has_result = true;
	(void)fputs(text, stdout);
}

static void put_value(const json_t *value)
{
	char *text = json_text(value);

	if (!text) {
		say_lost();
		(void)fputs("null", stdout);
		return;
	}
	(void)fputs(text, stdout);
	secret_wipe(text, strlen(text));
	free(text);
}

/* A line of text among the objects is a string. */
static void on_out(const char *text)
{
	json_t *value = json_string(text);

	if (has_result)
		(void)putchar(',');
	has_result = true;
	put_value(value);
	json_decref(value);
}

static void on_note(const char *text)
{
	if (tells_notes)
		(void)json_array_append_new(notes, json_string(text));
}

static void on_error(const char *word, const char *text, const char *object)
{
	(void)json_array_append_new(
		errors, json_pack("{s:s, s:s, s:s?}", "error", text, "code", word,
				  "object", object[0] ? object : NULL));
}

static const struct say_sink sink = {on_out, on_note, on_error};

void answer_start(void)
{
	/* Before anything was written this cannot fail. */
	(void)setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
}

void answer_begin(const char *id, bool with_notes)
{
	notes = json_array();
	errors = json_array();
	tells_notes = with_notes;
	has_result = false;
	(void)printf("{\"id\":%s,\"result\":[", id);
	say_into(&sink);
	json_into(put_text);
}

int answer_end(int code, bool *ret_written)
{
	if (say_was_lost())
		code = say_error(CODE_LATER,
				 "the answer is not whole: memory or "
				 "descriptors ran out");
	say_into(NULL);
	json_into(NULL);
	(void)fputs("],\"notes\":", stdout);
	put_value(notes);
	(void)fputs(",\"errors\":", stdout);
	put_value(errors);
	if (say_was_lost())
		code = CODE_LATER;
	(void)printf(",\"code\":%d}\n", code);
	json_decref(notes);
	json_decref(errors);
	*ret_written = fflush(stdout) == 0 && !ferror(stdout);
	secret_wipe(buffer, sizeof buffer);
	return code;
}
