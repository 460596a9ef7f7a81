/* SPDX-License-Identifier: MIT */
/* mapfiles.h: which recipients there are, as cdb files for who asks at SMTP time.
 *
 *	setting validrcptto   QMAIL/control/validrcptto.cdb	for patches of qmail
 *	setting sqmail_recipients   QMAIL/users/popbox-recipients.cdb, and control/recipients
 *	setting postfix_dir   domains.cdb, recipients.cdb, forwards.cdb
 *
 * Keys are in lower case: `joe@example.com`, `@example.com` for every address of the
 * domain, `example.com`. Where a key cannot say which addresses there are, all are:
 * nothing is refused that would be delivered. What a file says of domains that the
 * plan is not about is copied.
 */
#ifndef POPBOX_MAPFILES_H
#define POPBOX_MAPFILES_H

#include "accounts/site.h"
#include "plan.h"
#include "qmail/control.h"

/* Writes those that change; items of a plan whose files could not be written fail.
 * False: no memory, or the store cannot be read; said. */
bool mapfiles_write(const struct site *site, struct plan *plan);

/* Prints what they would get and lose, of a plan that a transaction would leave;
 * unmanaged .qmail files are not looked at. */
MUST_USE enum err mapfiles_show(const struct site *site, struct store_txn *txn,
				const struct plan *plan);

/* Tells of each file that does not say what it should, of a plan of everything. */
void mapfiles_audit(const struct site *site, const struct plan *plan,
		    control_found *found, void *arg);

#endif
