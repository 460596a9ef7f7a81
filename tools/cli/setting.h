/* SPDX-License-Identifier: MIT */
/* setting.h: one setting is written into the file of settings.
 */
#ifndef POPBOX_SETTING_H
#define POPBOX_SETTING_H

#include "accounts/site.h"

/* The value is good for it (config_judge). Says what is wrong; returns the exit
 * code. */
int setting_save(const struct site *site, const char *key, const char *value);

#endif
