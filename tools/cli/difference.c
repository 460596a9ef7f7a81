/* SPDX-License-Identifier: MIT */
#include "difference.h"

#include <stdio.h>
#include <string.h>

#include "base/say.h"

enum { TEXT = 1024 };

static void add_items(const json_t *list, char ret_text[TEXT])
{
	size_t len = 0;

	for (size_t i = 0; i < json_array_size(list) && len < TEXT; i++)
		len += (size_t)snprintf(ret_text + len, TEXT - len, "%s%s",
					len ? " " : "",
					json_string_value(
						json_array_get(list, i)));
}

/* Of these 0 is none. */
static bool is_limit(const char *key)
{
	return strcmp(key, "quota") == 0 || strcmp(key, "messages") == 0 ||
	       strncmp(key, "max_", 4) == 0;
}

static void limit_text(const char *key, uint64_t number, char ret_text[TEXT])
{
	char size[SAY_SIZE_TEXT];

	if (number && strcmp(key, "quota") == 0)
		(void)snprintf(ret_text, TEXT, "%s", say_size(number, size));
	else if (number)
		(void)snprintf(ret_text, TEXT, "%llu",
			       (unsigned long long)number);
}

/* A value as the options take it. */
static void value_text(const char *key, const json_t *value,
		       char ret_text[TEXT])
{
	(void)snprintf(ret_text, TEXT, "%s",
		       strcmp(key, "expires") == 0 ? "never" : "none");
	if (json_is_boolean(value) && strcmp(key, "login") == 0)
		(void)snprintf(ret_text, TEXT, "%s",
			       json_is_true(value) ? "on" : "off");
	else if (json_is_boolean(value))
		(void)snprintf(ret_text, TEXT, "%s",
			       json_is_true(value) ? "yes" : "no");
	else if (json_is_string(value) && strcmp(key, "vacation") == 0)
		(void)snprintf(ret_text, TEXT, "%zu bytes",
			       json_string_length(value));
	else if (json_is_string(value) && json_string_length(value))
		(void)snprintf(ret_text, TEXT, "%s", json_string_value(value));
	else if (json_is_integer(value) && is_limit(key))
		limit_text(key, (uint64_t)json_integer_value(value), ret_text);
	else if (json_is_integer(value))
		(void)snprintf(ret_text, TEXT, "%lld",
			       (long long)json_integer_value(value));
	else if (json_array_size(value))
		add_items(value, ret_text);
}

void difference_say(const char *object, json_t *was, json_t *is)
{
	char before[TEXT], after[TEXT];
	const char *key;
	json_t *value;

	json_object_foreach (is, key, value) {
		const json_t *old = json_object_get(was, key);

		if (!old || json_equal(old, value) ||
		    strcmp(key, "changed") == 0 || strcmp(key, "created") == 0)
			continue;
		value_text(key, old, before);
		value_text(key, value, after);
		say_note("%s of %s: %s -> %s", key, object, before, after);
	}
	json_decref(was);
	json_decref(is);
}
