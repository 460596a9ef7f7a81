/* SPDX-License-Identifier: MIT */
#include "batch_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "store/secret.h"

static bool put(struct batch_line *line, const char *bytes, size_t len)
{
	if (len > sizeof line->text - line->len)
		return false;
	memcpy(line->text + line->len, bytes, len);
	line->len += (uint32_t)len;
	return true;
}

/* With its NUL. */
static bool put_text(struct batch_line *line, const char *text)
{
	return put(line, text, strlen(text) + 1);
}

void batch_line_fault(enum batch_fault fault, struct batch_line *ret_line)
{
	ret_line->fault = fault;
	ret_line->at = ret_line->words = ret_line->options = ret_line->len = 0;
	ret_line->password_len = ret_line->hash_len = BATCH_NONE;
	(void)put_text(ret_line, "null"); /* there is room */
}

/* What is written into the answer as it came: jansson leaves a DEL as it is. */
static bool is_id(const char *id)
{
	for (; *id; id++) {
		if (*id < ' ' || *id > '~')
			return false;
	}
	return true;
}

/* As it came, in ASCII. */
static enum batch_fault put_id(struct batch_line *line, const json_t *id)
{
	char *text;
	bool good;

	if (!id || json_is_null(id))
		return BATCH_GOOD;
	if (!json_is_integer(id) &&
	    !(json_is_string(id) && json_string_length(id) <= BATCH_ID_MAX))
		return BATCH_ID;
	text = json_dumps(id, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (!text)
		return BATCH_MEMORY;
	good = is_id(text);
	if (good)
		line->len = 0;
	if (good && !put_text(line, text)) /* there is room for any id */
		good = false;
	free(text);
	return good ? BATCH_GOOD : BATCH_ID;
}

static enum batch_fault put_words(struct batch_line *line, const json_t *words)
{
	const size_t count = json_array_size(words); /* 0: it is no array */

	if (count == 0 || count > BATCH_WORDS_MAX)
		return BATCH_COMMAND;
	for (size_t i = 0; i < count; i++) {
		const char *word = json_string_value(json_array_get(words, i));

		if (!word)
			return BATCH_COMMAND;
		if (!put_text(line, word))
			return BATCH_TOO_LONG;
	}
	line->words = (uint32_t)count;
	return BATCH_GOOD;
}

static bool is_name(const char *name)
{
	const size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= BATCH_NAME_MAX && !name[len] && name[0] != '-';
}

/* true: without a value; false and null: as if it were not there. */
static enum batch_fault put_option(struct batch_line *line, const char *name,
				   const json_t *value)
{
	char number[32] = "";
	const char *text = json_string_value(value);

	if (json_is_false(value) || json_is_null(value))
		return BATCH_GOOD;
	if (!is_name(name) || line->options == ARGS_OPTIONS_MAX)
		return BATCH_OPTIONS;
	if (json_is_integer(value)) {
		(void)snprintf(number, sizeof number, "%lld",
			       (long long)json_integer_value(value)); /* fits */
		text = number;
	}
	if (!text && !json_is_true(value))
		return BATCH_OPTIONS;
	line->options++;
	return put(line, "--", 2) && put(line, name, strlen(name)) &&
			       (!text || put(line, "=", 1)) &&
			       put_text(line, text ? text : "")
		       ? BATCH_GOOD
		       : BATCH_TOO_LONG;
}

static enum batch_fault put_options(struct batch_line *line, json_t *options)
{
	enum batch_fault fault = BATCH_GOOD;
	const char *name;
	json_t *value;

	if (!options || json_is_null(options))
		return BATCH_GOOD;
	if (!json_is_object(options))
		return BATCH_OPTIONS;
	json_object_foreach(options, name, value) {
		if (fault == BATCH_GOOD)
			fault = put_option(line, name, value);
	}
	return fault;
}

static enum batch_fault put_secret(struct batch_line *line, const json_t *secret,
				   uint32_t *ret_len)
{
	if (!secret || json_is_null(secret))
		return BATCH_GOOD;
	if (!json_is_string(secret))
		return BATCH_PASSWORD;
	if (!put(line, json_string_value(secret), json_string_length(secret)))
		return BATCH_TOO_LONG;
	*ret_len = (uint32_t)json_string_length(secret);
	return BATCH_GOOD;
}

static enum batch_fault look_members(json_t *object)
{
	static const char *const known[] = {"id", "command", "options",
					    "password", "hash"};
	size_t count = 0;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		count += json_object_get(object, known[i]) != NULL;
	return count == json_object_size(object) ? BATCH_GOOD : BATCH_MEMBER;
}

static enum batch_fault fill(struct batch_line *line, json_t *object)
{
	enum batch_fault fault = look_members(object);
	const json_t *password = json_object_get(object, "password");
	const json_t *hash = json_object_get(object, "hash");

	if (fault == BATCH_GOOD)
		fault = put_words(line, json_object_get(object, "command"));
	if (fault == BATCH_GOOD)
		fault = put_options(line, json_object_get(object, "options"));
	if (fault == BATCH_GOOD)
		fault = put_secret(line, password, &line->password_len);
	if (fault == BATCH_GOOD)
		fault = put_secret(line, hash, &line->hash_len);
	if (fault == BATCH_GOOD && line->password_len != BATCH_NONE &&
	    line->hash_len != BATCH_NONE)
		fault = BATCH_TWO;
	return fault;
}

/* The id stays, so that whoever asked knows which line it was. */
static void fault_only(enum batch_fault fault, struct batch_line *line)
{
	const uint32_t id_len = (uint32_t)strlen(line->text) + 1;

	secret_wipe(line->text + id_len, line->len - id_len);
	line->len = id_len;
	line->words = line->options = 0;
	line->password_len = line->hash_len = BATCH_NONE;
	line->fault = fault;
}

void batch_line_parse(const char *bytes, size_t len, struct batch_line *ret_line)
{
	enum batch_fault fault = BATCH_GOOD;
	json_error_t error = {.position = 0};
	json_t *object = NULL;

	(void)say_was_lost(); /* of an earlier line */
	batch_line_fault(BATCH_GOOD, ret_line);
	if (len > BATCH_LINE_MAX)
		fault = BATCH_TOO_LONG;
	else
		object = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (!object && fault == BATCH_GOOD) {
		fault = BATCH_NOT_JSON;
		ret_line->at = error.position > 0 ? (uint32_t)error.position : 0;
	}
	if (fault == BATCH_GOOD && !json_is_object(object))
		fault = BATCH_NOT_OBJECT;
	if (fault == BATCH_GOOD)
		fault = put_id(ret_line, json_object_get(object, "id"));
	if (fault == BATCH_GOOD)
		fault = fill(ret_line, object);
	/* jansson does not always tell want of memory from bad text. */
	if (say_was_lost())
		fault = BATCH_MEMORY;
	if (fault != BATCH_GOOD)
		fault_only(fault, ret_line);
	json_decref(object);
}

/* The text that begins at *at, which moves behind its NUL. NULL: it has none. */
static char *take_text(struct batch_line *line, size_t *at)
{
	char *text = line->text + *at;
	const char *nul = memchr(text, 0, line->len - *at);

	if (!nul)
		return NULL;
	*at = (size_t)(nul + 1 - line->text);
	return text;
}

/* NULL: none, or it is not there. */
static const char *take_secret(const struct batch_line *line, uint32_t len,
			       size_t *at, bool *good)
{
	const char *secret = line->text + *at;

	if (len == BATCH_NONE)
		return NULL;
	if (len > line->len - *at || memchr(secret, 0, len)) {
		*good = false;
		return NULL;
	}
	*at += len;
	return secret;
}

bool batch_line_split(struct batch_line *line, struct batch_parts *ret_parts)
{
	struct batch_parts parts = {.words = line->words,
				    .options = line->options};
	size_t at = 0;
	bool good = line->fault < BATCH_FAULTS && line->len <= sizeof line->text &&
		    line->words <= BATCH_WORDS_MAX &&
		    line->options <= ARGS_OPTIONS_MAX;

	if (!good)
		return false;
	parts.id = take_text(line, &at);
	good = parts.id && is_id(parts.id) &&
	       (line->words > 0) == (line->fault == BATCH_GOOD);
	for (size_t i = 0; good && i < parts.words; i++) {
		parts.word[i] = take_text(line, &at);
		good = parts.word[i] != NULL;
	}
	for (size_t i = 0; good && i < parts.options; i++) {
		parts.option[i] = take_text(line, &at);
		good = parts.option[i] && strncmp(parts.option[i], "--", 2) == 0 &&
		       parts.option[i][2];
	}
	if (good)
		parts.password = take_secret(line, line->password_len, &at, &good);
	if (good)
		parts.hash = take_secret(line, line->hash_len, &at, &good);
	if (!good || at != line->len)
		return false;
	*ret_parts = parts;
	return true;
}

const char *batch_line_text(enum batch_fault fault)
{
	switch (fault) {
	case BATCH_GOOD:
	case BATCH_FAULTS:
		break;
	case BATCH_TOO_LONG:
		return "the line has more than 65536 bytes";
	case BATCH_NOT_JSON:
		return "the line is no JSON";
	case BATCH_NOT_OBJECT:
		return "the line is no JSON object";
	case BATCH_MEMBER:
		return "the members of a line are command, options, password, "
		       "hash and id";
	case BATCH_ID:
		return "the member 'id' is a string of at most 256 bytes, or a "
		       "whole number";
	case BATCH_COMMAND:
		return "the member 'command' is a list of 1 to 66 strings: "
		       "[\"box\", \"show\", \"joe@example.com\"]";
	case BATCH_OPTIONS:
		return "the member 'options' is an object: names without their "
		       "hyphens, each with a string, a whole number, or true";
	case BATCH_PASSWORD:
		return "the members 'password' and 'hash' are strings";
	case BATCH_TWO:
		return "give a password or a hash, not both";
	case BATCH_MEMORY:
		return "no memory for this line";
	}
	return "";
}
