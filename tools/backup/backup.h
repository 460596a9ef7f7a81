/* SPDX-License-Identifier: MIT */
/* backup.h: a copy of the whole store in one file, with its settings, looked at
 * from end to end before it gets its name.
 */
#ifndef POPBOX_BACKUP_H
#define POPBOX_BACKUP_H

#include "accounts/site.h"

/* Of the store that is there now, whether or not it is of this program's format;
 * the settings are read. Nothing of the store may be open. Says what is wrong;
 * returns the exit code. */
int backup_store(struct site *site, const char *path);

/* Findings of store_check for people, the first few; arg is a struct
 * backup_findings. A hash that cannot be used is no damage of the store: it is
 * said, unless somebody else looks again, and not counted. */
struct backup_findings {
	const char *path; /* of what */
	unsigned long damage, hashes;
	bool looked_again;
};
void backup_finding(void *arg, unsigned rule, const char *object,
		    const char *what);

#endif
