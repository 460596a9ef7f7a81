/* SPDX-License-Identifier: MIT */
#include "maildirsize.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Digits from *at on, which moves behind them. False: there are none, or they
 * are larger than max. */
static bool take_number(const char **at, const char *end, uint64_t max,
			uint64_t *ret_number)
{
	const char *start = *at;
	uint64_t number = 0;

	while (*at < end && **at >= '0' && **at <= '9') {
		const uint64_t digit = (uint64_t)(**at - '0');

		if (number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
		(*at)++;
	}
	*ret_number = number;
	return *at > start;
}

bool maildirsize_limit_read(const char *text, size_t len,
			    struct maildirsize *ret_limit)
{
	struct maildirsize limit = {0, 0};
	const char *at = text, *end = text + len;

	for (bool more = len > 0; more;) {
		uint64_t number;

		if (!take_number(&at, end, MAILDIRSIZE_LIMIT_MAX, &number) ||
		    at == end)
			return false;
		if (*at == 'S')
			limit.bytes = number;
		else if (*at == 'C')
			limit.messages = number;
		else
			return false;
		at++;
		more = at < end;
		if (more && *at++ != ',')
			return false;
	}
	if (!limit.bytes && !limit.messages)
		return false;
	*ret_limit = limit;
	return true;
}

void maildirsize_limit_text(const struct maildirsize *limit,
			    char ret_text[MAILDIRSIZE_LINE])
{
	int len = 0;

	ret_text[0] = 0;
	/* Two numbers of at most 20 digits fit. */
	if (limit->bytes)
		len = snprintf(ret_text, MAILDIRSIZE_LINE, "%" PRIu64 "S",
			       limit->bytes);
	if (limit->messages)
		(void)snprintf(ret_text + len, MAILDIRSIZE_LINE - (size_t)len,
			       "%s%" PRIu64 "C", len ? "," : "",
			       limit->messages);
}

static void skip_blanks(const char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
}

/* A number that may be below 0, with the blanks before it. */
static bool take_signed(const char **at, const char *end, int64_t *ret_number)
{
	uint64_t number;
	bool minus;

	skip_blanks(at, end);
	minus = *at < end && **at == '-';
	*at += minus;
	if (!take_number(at, end, INT64_MAX, &number))
		return false;
	*ret_number = minus ? -(int64_t)number : (int64_t)number;
	return true;
}

/* One line without its newline, added to two sums. */
static bool add_line(const char *line, size_t len, int64_t sum[2])
{
	const char *at = line, *end = line + len;
	int64_t bytes, messages;

	if (!take_signed(&at, end, &bytes) || at == end ||
	    (*at != ' ' && *at != '\t') || !take_signed(&at, end, &messages))
		return false;
	skip_blanks(&at, end);
	return at == end && !__builtin_add_overflow(sum[0], bytes, &sum[0]) &&
	       !__builtin_add_overflow(sum[1], messages, &sum[1]);
}

bool maildirsize_read(const char *text, size_t len,
		      struct maildirsize *ret_limit,
		      struct maildirsize *ret_sum, size_t *ret_lines)
{
	const char *end = memchr(text, '\n', len);
	size_t first = end ? (size_t)(end - text) : len, lines = 0;
	int64_t sum[2] = {0, 0};

	if (!end || !maildirsize_limit_read(text, first, ret_limit))
		*ret_limit = (struct maildirsize){0, 0};
	if (!end)
		return false;
	for (text += first + 1, len -= first + 1; len; lines++) {
		end = memchr(text, '\n', len);
		if (!end || !add_line(text, (size_t)(end - text), sum))
			return false;
		len -= (size_t)(end - text) + 1;
		text = end + 1;
	}
	if (!lines || sum[0] < 0 || sum[1] < 0)
		return false;
	*ret_sum = (struct maildirsize){(uint64_t)sum[0], (uint64_t)sum[1]};
	*ret_lines = lines;
	return true;
}

size_t maildirsize_line(const struct maildirsize *more,
			char ret_line[MAILDIRSIZE_LINE])
{
	/* Two numbers of at most 20 digits fit. */
	return (size_t)snprintf(ret_line, MAILDIRSIZE_LINE,
				"%" PRIu64 " %" PRIu64 "\n", more->bytes,
				more->messages);
}

bool maildirsize_of_name(const char *name, uint64_t *ret_bytes)
{
	for (const char *mark = strstr(name, ",S="); mark;
	     mark = strstr(mark + 1, ",S=")) {
		const char *at = mark + 3;
		uint64_t bytes;

		if (take_number(&at, at + strlen(at), INT64_MAX, &bytes) &&
		    (*at == 0 || *at == ':' || *at == ',')) {
			*ret_bytes = bytes;
			return true;
		}
	}
	return false;
}

static bool is_over(uint64_t limit, uint64_t used, uint64_t more)
{
	return limit && (used > limit || more > limit - used);
}

bool maildirsize_is_over(const struct maildirsize *limit,
			 const struct maildirsize *used,
			 const struct maildirsize *more)
{
	return is_over(limit->bytes, used->bytes, more->bytes) ||
	       is_over(limit->messages, used->messages, more->messages);
}

static unsigned percent(uint64_t limit, uint64_t used)
{
	if (!limit)
		return 0;
	if (used / limit >= 10) /* far over: no more than that is said */
		return 999;
	return (unsigned)(used > UINT64_MAX / 100 ? used / (limit / 100)
						  : used * 100 / limit);
}

unsigned maildirsize_percent(const struct maildirsize *limit,
			     const struct maildirsize *used)
{
	const unsigned bytes = percent(limit->bytes, used->bytes);
	const unsigned messages = percent(limit->messages, used->messages);

	return bytes > messages ? bytes : messages;
}
