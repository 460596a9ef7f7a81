/* SPDX-License-Identifier: MIT */
/* restore.h: a store out of a backup, in the place of what is there.
 *
 * The rows come from probe.h, so that no page of a strange file is ever mapped
 * by root; the store is built of them, with an id of its own, numbers of boxes
 * above those whose directories are there, and nothing published.
 */
#ifndef POPBOX_RESTORE_H
#define POPBOX_RESTORE_H

#include "accounts/site.h"

/* What the administrator is asked before anything changes. */
enum restore_question { RESTORE_SETTINGS, RESTORE_REPLACE };
enum { RESTORE_ASK_TEXT = 512 };
struct restore_asker {
	/* what: the text of the question, without its mark. Returns the exit
	 * code: CODE_DONE goes on. */
	int (*ask)(const struct restore_asker *asker, const struct site *site,
		   enum restore_question question, const char *what);
	const void *arg; /* of the caller */
};

/* fd: the file, open for reading. Says what is wrong and what was done; returns
 * the exit code. */
int restore_store(struct site *site, const struct restore_asker *asker, int fd,
		  const char *path);

#endif
