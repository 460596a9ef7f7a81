/* login.h: what a login may look like, and the one verdict on it. Used by the
 * login program and by `popbox verify`, so that both say the same.
 *
 * In two steps, so that the store can be closed before anything slow runs.
 */
#ifndef POPBOX_LOGIN_H
#define POPBOX_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "pwhash.h"
#include "store.h"

enum verdict { VERDICT_ACCEPT, VERDICT_REFUSE, VERDICT_CANNOT_TELL };

/* What a login leads to. Where nothing was found it holds a decoy, so that
 * the way is the same from there on. Wipe it. */
struct login {
	bool found;
	const char *reason; /* static: why not, or why login is off; or NULL */
	struct name_box box;
	struct name_domain domain;	/* "" for a box that no address leads to */
	char user[NAME_ADDRESS_TEXT];	/* canonical: the address, or the box */
	char hash[STORE_HASH_MAX + 1];
};

/* Looks up bytes[0..len) from a stranger, in this order:
 *
 *   1. user, one of the setting `separators`, domain: each separator in the
 *      order of the setting, at its last occurrence; the first that is
 *      followed by a domain of the store decides
 *   2. without any separator: a box's own name (setting `login_by_box`)
 *   3. else a user of the domain that has local_ip (TCPLOCALIP, or NULL), else
 *      of the setting `default_domain`
 *
 * An alias domain stands for its target. ERR_OK: *ret_login is filled, found
 * or not. Anything else is "cannot tell". */
MUST_USE enum err login_find(struct store *store, const struct config *config,
			     const void *bytes, size_t len,
			     const char *local_ip, struct login *ret_login);

/* Exactly one hash computation. *ret_reason is static; "" when accepted. */
MUST_USE enum verdict login_decide(const struct login *login,
				   const void *password, size_t len,
				   const char **ret_reason);

#endif
