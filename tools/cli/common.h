/* common.h: passwords that everybody tries first. Pure.
 */
#ifndef POPBOX_COMMON_H
#define POPBOX_COMMON_H

#include <stdbool.h>
#include <stddef.h>

/* Is it one of the list, or one character or a run of a keyboard over and
 * over? In any letter case; digits and marks behind a word do not help. */
bool common_password(const char *bytes, size_t len);

#endif
