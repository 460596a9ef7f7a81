/* SPDX-License-Identifier: MIT */
/* password_common.h: passwords that everybody tries first. Pure.
 */
#ifndef POPBOX_PASSWORD_COMMON_H
#define POPBOX_PASSWORD_COMMON_H

#include <stdbool.h>
#include <stddef.h>

/* Is it one of the list, or one character or a run of a keyboard over and
 * over? In any letter case; digits and marks behind a word do not help. */
bool password_common(const char *bytes, size_t len);

#endif
