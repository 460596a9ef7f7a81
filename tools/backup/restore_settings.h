/* SPDX-License-Identifier: MIT */
/* restore_settings.h: the settings of a store that is restored: those of the store
 * that is there, or else those in the backup. They say what root runs, where it
 * writes and who popusr is, so a backup's are taken only when they were shown and
 * somebody agreed.
 */
#ifndef POPBOX_RESTORE_SETTINGS_H
#define POPBOX_RESTORE_SETTINGS_H

#include "accounts/site.h"
#include "base/replace.h"
#include "restore.h"

struct restore_settings {
	struct replace_text own; /* of the store that is there */
	bool theirs;		 /* there is none: of the backup */
	const char *bytes;
	size_t len;
};

/* place: where the store is or will be; backup: a text of len bytes in the file
 * `path`. They become site->config. Each says what is wrong and returns the exit
 * code. Free it whatever came. */
int restore_settings_read(struct site *site, const char *place,
			  const char *path, const char *backup, size_t len,
			  struct restore_settings *ret_settings);
void restore_settings_free(struct restore_settings *settings);

/* Shows what a backup's settings say other than the defaults, and asks. */
int restore_settings_confirm(const struct site *site,
			     const struct restore_asker *asker,
			     const char *path,
			     const struct restore_settings *settings);

/* Into a directory, whose name is for messages. */
int restore_settings_write(const struct restore_settings *settings, int dir,
			   const char *name);

/* Have these two the same roots and the same popusr? */
bool restore_settings_same(const struct config *a, const struct config *b);

#endif
