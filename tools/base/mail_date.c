/* SPDX-License-Identifier: MIT */
#include "mail_date.h"

#include <stdio.h>
#include <time.h>

const char *mail_date_text(int64_t when, char ret_text[MAIL_DATE_TEXT])
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed",
					   "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr",
					     "May", "Jun", "Jul", "Aug",
					     "Sep", "Oct", "Nov", "Dec"};
	const time_t seconds = (time_t)when;
	struct tm tm = {.tm_mday = 1};

	(void)gmtime_r(&seconds, &tm); /* a time of this century */
	(void)snprintf(ret_text, MAIL_DATE_TEXT,
		       "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday],
		       tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
		       tm.tm_hour, tm.tm_min, tm.tm_sec);
	return ret_text;
}
