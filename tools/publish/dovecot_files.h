/* SPDX-License-Identifier: MIT */
/* dovecot_files.h: the setting dovecot_dir: a passwd-file for each domain, named
 * like it, that Dovecot reads at each login. Root's, mode 0640, of the group
 * dovecot_group.
 *
 * A file says what the store does by now, which may be more than the plan knows.
 */
#ifndef POPBOX_DOVECOT_FILES_H
#define POPBOX_DOVECOT_FILES_H

#include "accounts/site.h"
#include "plan.h"
#include "qmail/control.h"

/* Writes the files of all domains that the plan touches, and of their aliases; of
 * one that is gone the file goes. Items of a domain whose file could not be written
 * fail. With a plan of everything files of no domain go as well. False: no memory,
 * or the store cannot be read; said. */
bool dovecot_files_write(const struct site *site, struct plan *plan);

/* Prints which files it would change. */
MUST_USE enum err dovecot_files_show(const struct site *site,
				     struct store_txn *txn,
				     const struct plan *plan);

/* Tells of each file that does not say what the store does, of a plan of
 * everything. */
void dovecot_files_audit(const struct site *site, const struct plan *plan,
			 control_found *found, void *arg);

#endif
