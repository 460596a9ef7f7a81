/* SPDX-License-Identifier: MIT */
/* moment.h: points in time as an administrator types and reads them. Pure but
 * for the machine's time zone (TZ, localtime(3)).
 */
#ifndef POPBOX_MOMENT_H
#define POPBOX_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* For messages that refuse a text. */
#define MOMENT_EXAMPLES \
	"2026-01-31, 2026-01-31T12:00:00Z, today, yesterday, or 12h (ago)"

enum { MOMENT_TEXT = 32 };

/* A date, a date and time, "today", "yesterday", or how long ago (30d, 12h,
 * 90m, 5s). Days begin at midnight UTC, or with local at midnight here. A time
 * that ends in Z is UTC in any case; without local it must end so. Seconds
 * since 1970. */
bool moment_read(const char *text, int64_t now, bool local,
		 int64_t *ret_seconds);

/* 30d, 12h, 90m, or seconds. */
bool moment_span(const char *text, int64_t *ret_seconds);

/* RFC 3339, in UTC or with the offset of this machine's zone; "-" for 0. */
const char *moment_text(int64_t seconds, bool local, char text[MOMENT_TEXT]);

#endif
