/* SPDX-License-Identifier: MIT */
/* difference.h: what a change set to what.
 */
#ifndef POPBOX_DIFFERENCE_H
#define POPBOX_DIFFERENCE_H

#include "base/json.h"

/* "quota of ex1-0001: 100M -> 500M", a line for each member in which the two
 * objects of one thing (json_box and so on) differ, times of changes apart.
 * Releases both. */
void difference_say(const char *object, json_t *was, json_t *is);

#endif
