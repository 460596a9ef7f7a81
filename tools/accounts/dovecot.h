/* SPDX-License-Identifier: MIT */
/* dovecot.h: lines of a passwd-file of Dovecot's, 2.3 and 2.4, one for each name
 * that a login may use. `export` and what is published as it changes say the same.
 *
 *	joe@example.com:{SCHEME}hash:uid:gid::home::userdb_mail=maildir:home ...
 */
#ifndef POPBOX_DOVECOT_H
#define POPBOX_DOVECOT_H

#include "base/text.h"
#include "store/config.h"
#include "store/store.h"

/* Can Dovecot compute this hash? */
bool dovecot_knows(const char *hash);

/* The field of services that are off, with a condition as 2.3 has them: between the
 * two their names as Dovecot calls them, with | between. */
#define DOVECOT_NETS_BEGIN " allow_nets=%{if;%s;~;^("
#define DOVECOT_NETS_END ")$;255.255.255.255/32;0.0.0.0/0,::/0,local}"

/* Appends a line. The quota in account is the one that holds. With locked the
 * password is one that nothing fits. By the services in off nobody logs in. False:
 * no memory; nothing is appended. The hash is in no other place afterwards. */
bool dovecot_line(struct text *out, const struct config *config,
		  const struct store_account *account, const char *user,
		  bool locked, unsigned off);

/* Calls each for a name whose hash Dovecot cannot compute: its line has no password
 * that fits, so that mail still finds the box. */
typedef void dovecot_found(void *arg, const char *user);

/* Appends the lines of all names of one domain, which may be an alias, in the order
 * of its addresses. Who may not log in (login.h) has no password that fits. found
 * may be NULL. ERR_NOTFOUND: it is no domain of the store with boxes. */
MUST_USE enum err dovecot_domain(struct store_txn *txn,
				 const struct config *config,
				 const struct name_domain *name,
				 dovecot_found *found, void *arg,
				 struct text *out);

#endif
