/* SPDX-License-Identifier: MIT */
#include "breach_list.h"

#include <string.h>

#include "accounts/breached_form.h"

enum { SUM_DIGITS = 2 * PWHASH_SHA1, NTLM_DIGITS = 32 };

/* Its value, or 16. */
static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* So many digits, and nothing behind them but a count. */
static bool is_sum(const char *line, size_t len, size_t digits)
{
	if (len < digits || (len > digits && (line[digits] != ':' ||
					      len == digits + 1)))
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (digit(line[i]) == 16)
			return false;
	}
	for (size_t i = digits + 1; i < len; i++) {
		if (line[i] < '0' || line[i] > '9')
			return false;
	}
	return true;
}

static uint64_t key_of(const char *line)
{
	uint64_t key = 0;

	for (size_t i = 0; i < 2 * sizeof key; i++)
		key = key << 4 | digit(line[i]);
	return key;
}

static void take_word(struct breach_list *list, const char *line, size_t len,
		      breach_list_key *on_key, void *arg)
{
	unsigned char sum[PWHASH_SHA1];

	if (len > PWHASH_PASSWORD_MAX || pwhash_refuse(line, len)) {
		list->skipped++;
		return;
	}
	pwhash_sha1(line, len, sum);
	on_key(arg, breached_key(sum));
}

static bool is_empty(const struct breach_list *list, size_t len)
{
	return len == 0 && !list->too_long;
}

/* One line without its end. */
static bool take_line(struct breach_list *list, const char *line, size_t len,
		      breach_list_key *on_key, void *arg)
{
	list->line++;
	if (!list->begun && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		len -= 3;
	}
	list->begun = true;
	if (len && line[len - 1] == '\r')
		len--;
	if (is_empty(list, len))
		return true;
	if (list->form == BREACH_UNSEEN && is_sum(line, len, NTLM_DIGITS)) {
		list->fault = BREACH_NTLM;
		return false;
	}
	if (list->form == BREACH_UNSEEN)
		list->form = is_sum(line, len, SUM_DIGITS) ? BREACH_SUMS
							   : BREACH_WORDS;
	if (list->form == BREACH_WORDS && list->too_long)
		list->skipped++;
	else if (list->form == BREACH_WORDS)
		take_word(list, line, len, on_key, arg);
	else if (!list->too_long && is_sum(line, len, SUM_DIGITS))
		on_key(arg, key_of(line));
	else
		list->fault = BREACH_NO_SUM;
	return list->fault == BREACH_GOOD;
}

/* Keeps the beginning of a line whose end has not come. */
static void keep(struct breach_list *list, const char *bytes, size_t len)
{
	const size_t room = sizeof list->bytes - list->len;

	if (len > room) {
		list->too_long = true;
		len = room;
	}
	memcpy(list->bytes + list->len, bytes, len);
	list->len += len;
}

bool breach_list_feed(struct breach_list *list, const char *bytes, size_t len,
		      breach_list_key *on_key, void *arg)
{
	const char *end, *last = bytes + len;

	if (len == 0)
		return is_empty(list, list->len) ||
		       take_line(list, list->bytes, list->len, on_key, arg);
	while ((end = memchr(bytes, '\n', (size_t)(last - bytes))) != NULL) {
		const char *line = bytes;
		size_t room = (size_t)(end - bytes);

		if (list->len) {
			keep(list, bytes, room);
			line = list->bytes;
			room = list->len;
		} else if (room > sizeof list->bytes) {
			list->too_long = true;
		}
		if (!take_line(list, line, room, on_key, arg))
			return false;
		list->len = 0;
		list->too_long = false;
		bytes = end + 1;
	}
	if (bytes < last)
		keep(list, bytes, (size_t)(last - bytes));
	return true;
}
