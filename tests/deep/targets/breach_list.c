/* SPDX-License-Identifier: MIT */
/* A list of breached passwords that anybody wrote: however it is cut into parts, its
 * lines give the keys that a plain reading of it gives. */
#include "fuzz.h"

#include "accounts/breached_form.h"
#include "breach/breach_list.h"

struct keys {
	uint64_t count, mixed; /* of all, in their order */
};

static void on_key(void *arg, uint64_t key)
{
	struct keys *keys = arg;

	keys->count++;
	keys->mixed = keys->mixed * 31 + key;
}

static bool is_sum(const char *line, size_t len, size_t digits)
{
	const size_t hex = strspn(line, "0123456789abcdefABCDEF");
	const size_t count = len > digits ? strspn(line + digits + 1,
						   "0123456789") : 0;

	return len == digits ? hex == digits
			     : len > digits + 1 && hex == digits &&
				       line[digits] == ':' &&
				       digits + 1 + count == len;
}

/* False: a fault. line is NUL-ended behind len. */
static bool plainly(const char *line, size_t len, enum breach_form *form,
		    struct keys *keys, uint64_t *skipped)
{
	unsigned char sum[PWHASH_SHA1];
	char head[17] = "";

	if (len == 0)
		return true;
	if (*form == BREACH_UNSEEN && is_sum(line, len, 32))
		return false;
	if (*form == BREACH_UNSEEN)
		*form = is_sum(line, len, 40) ? BREACH_SUMS : BREACH_WORDS;
	if (*form == BREACH_SUMS && !is_sum(line, len, 40))
		return false;
	if (*form == BREACH_SUMS) {
		memcpy(head, line, 16);
		on_key(keys, strtoull(head, NULL, 16));
	} else if (len > PWHASH_PASSWORD_MAX || pwhash_refuse(line, len)) {
		++*skipped;
	} else {
		pwhash_sha1(line, len, sum);
		on_key(keys, breached_key(sum));
	}
	return true;
}

static bool read_plainly(const char *text, size_t size, enum breach_form form,
			 struct keys *keys, uint64_t *skipped)
{
	const char *at = text, *end = text + size;

	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);
		char *line;
		bool good;

		if (len && at[len - 1] == '\r' && (newline || len > 0))
			len--;
		line = fuzz_text((const uint8_t *)at, len);
		good = plainly(line, len, &form, keys, skipped);
		free(line);
		if (!good)
			return false;
		at = newline ? newline + 1 : end;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const bool words = fuzz_byte(&data, &size) & 1;
	const size_t part = fuzz_byte(&data, &size) + (size_t)1;
	const enum breach_form form = words ? BREACH_WORDS : BREACH_UNSEEN;
	struct breach_list list = {.form = form};
	struct keys keys = {0}, plain = {0};
	char *text = fuzz_text(data, size);
	uint64_t skipped = 0;
	bool good = true;

	for (size_t at = 0; good && at < size; at += part)
		good = breach_list_feed(&list, text + at,
					size - at < part ? size - at : part,
					on_key, &keys);
	if (good)
		good = breach_list_feed(&list, text, 0, on_key, &keys);
	HOLDS(good == (list.fault == BREACH_GOOD));
	HOLDS(read_plainly(text, size, form, &plain, &skipped) == good);
	HOLDS(keys.count == plain.count && keys.mixed == plain.mixed);
	HOLDS(list.skipped == skipped);
	free(text);
	return 0;
}
