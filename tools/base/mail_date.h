/* SPDX-License-Identifier: MIT */
/* mail_date.h: a time as the field Date of a message has it, RFC 5322, in UTC.
 * Pure.
 */
#ifndef POPBOX_MAIL_DATE_H
#define POPBOX_MAIL_DATE_H

#include <stdint.h>

enum { MAIL_DATE_TEXT = 64 };

/* "Sat, 31 Jan 2026 12:00:00 +0000"; when is in seconds since 1970. */
const char *mail_date_text(int64_t when, char ret_text[MAIL_DATE_TEXT]);

#endif
