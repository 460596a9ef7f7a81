/* SPDX-License-Identifier: MIT */
#include "moment.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "say.h"

/* Up to 15 digits, then one letter of the list or none. */
static bool read_scaled(const char *text, const char *letters,
			const uint64_t *factors, uint64_t *ret_number)
{
	size_t len = strspn(text, "0123456789");
	const char *letter = text[len] ? strchr(letters, text[len]) : NULL;
	uint64_t number = 0;

	if (len == 0 || len > 12 || (text[len] && (!letter || text[len + 1])))
		return false;
	for (size_t i = 0; i < len; i++)
		number = number * 10 + (uint64_t)(text[i] - '0');
	*ret_number = letter ? number * factors[letter - letters] : number;
	return true;
}

bool moment_span(const char *text, int64_t *ret_seconds)
{
	static const uint64_t factors[] = {86400, 3600, 60, 1};
	uint64_t seconds;

	if (!read_scaled(text, "dhms", factors, &seconds))
		return false;
	*ret_seconds = (int64_t)seconds;
	return true;
}

static bool from_parts(struct tm *tm, bool local, int64_t *ret_seconds)
{
	time_t seconds;

	tm->tm_isdst = -1; /* mktime finds out */
	seconds = local ? mktime(tm) : timegm(tm);
	if (seconds == (time_t)-1)
		return false;
	*ret_seconds = seconds;
	return true;
}

static bool midnight(int64_t now, int days_back, bool local,
		     int64_t *ret_seconds)
{
	time_t when = (time_t)now;
	struct tm tm;

	if (!(local ? localtime_r(&when, &tm) : gmtime_r(&when, &tm)))
		return false;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mday -= days_back;
	return from_parts(&tm, local, ret_seconds);
}

static bool read_date(const char *text, bool local, int64_t *ret_seconds)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end && *end == 'T') {
		end = strptime(end, "T%H:%M:%S", &tm);
		if (end && *end == 'Z') {
			local = false;
			end++;
		} else if (!local) {
			return false;
		}
	}
	return end && !*end && from_parts(&tm, local, ret_seconds);
}

bool moment_read(const char *text, int64_t now, bool local,
		 int64_t *ret_seconds)
{
	int64_t ago;

	if (strcmp(text, "today") == 0)
		return midnight(now, 0, local, ret_seconds);
	if (strcmp(text, "yesterday") == 0)
		return midnight(now, 1, local, ret_seconds);
	if (text[0] && strchr("dhms", text[strlen(text) - 1])) {
		if (!moment_span(text, &ago) || ago > now)
			return false;
		*ret_seconds = now - ago;
		return true;
	}
	return read_date(text, local, ret_seconds);
}

const char *moment_text(int64_t seconds, bool local, char text[MOMENT_TEXT])
{
	time_t when = (time_t)seconds;
	struct tm tm;
	size_t len;

	if (!local || seconds == 0)
		return say_time(seconds, text);
	if (!localtime_r(&when, &tm))
		return say_time(0, text);
	len = strftime(text, MOMENT_TEXT - 1, "%Y-%m-%dT%H:%M:%S%z", &tm);
	if (len < 3)
		return say_time(0, text);
	/* strftime writes +0100; RFC 3339 wants +01:00. */
	memmove(text + len - 1, text + len - 2, 3);
	text[len - 2] = ':';
	return text;
}
