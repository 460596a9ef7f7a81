/* SPDX-License-Identifier: MIT */
/* sharing.h: what commands about the central database have in common.
 */
#ifndef POPBOX_SHARING_H
#define POPBOX_SHARING_H

#include "accounts/site.h"

/* Settings, popbox-central and the store of a host that has a central database. Says
 * what is wrong; returns the exit code. */
int sharing_open(struct site *site);

/* How many objects have pending work, and has any not been tried? */
MUST_USE enum err sharing_pending(struct site *site, uint64_t *ret_count,
				  bool *ret_fresh);

/* The settings that all hosts must have alike, as one word. */
enum { SHARING_WORD = 17 };
void sharing_settings(const struct config *config, char ret_word[SHARING_WORD]);

#endif
