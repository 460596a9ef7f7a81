/* SPDX-License-Identifier: MIT */
/* login.h: what a login may look like, and the one verdict on it. The login
 * program, `verify`, `explain` and `export` use it, so that all say the same.
 *
 * In two steps, so that the store can be closed before anything slow runs.
 */
#ifndef POPBOX_LOGIN_H
#define POPBOX_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "store.h"
#include "store/hash/pwhash.h"

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
	unsigned service; /* by which it came */
	struct store_packed apps; /* that may be tried; found or not: a box that has
				 * no password of its own may have some */
	char app[STORE_APP_NAME + 1]; /* which one login_by_app took; "": none */
	unsigned app_number;	      /* and of it the number, */
	int64_t app_created;	      /* and when it was made */
};

/* The reason of a box that is not suspended at all. */
extern const char login_no_password[];
/* That of a box that is not suspended, but has ended at some level. */
extern const char login_expired[];
/* That of a box whose own password is not taken by this service, but its app
 * passwords are. */
extern const char login_apps_only[];

/* The services by which the box's own password is not taken, whatever else is on. */
unsigned login_barred(const struct store_box *box);

/* The service of this name, as programs call it: pop, pop3, smtp, submission, imap,
 * webmail. 0: it has no switch of its own. */
unsigned login_service(const char *name);

/* Up to 16 of a-z, 0-9 and -: a service's name, which stands in the log. */
bool login_is_service(const char *name);

/* One way to log in. domain: that of the name as the user writes it, an alias or a
 * pop domain. NULL: the name is the box's own (`ex1-0001`). service 0: one that
 * has no switch of its own, for which at least one must be on. */
struct login_name {
	const struct store_account *account;
	const struct store_domain *domain;
	unsigned service; /* enum store_service */
};

/* May this box log in under this name with its own password? The only place that
 * knows.
 *
 * The switches `login` of the box, of its handle and of the name's domain must
 * be on, and that of the domain's handle if it is another one; none of them may
 * have ended or have the service off. An alias domain needs its own switch and
 * that of its target.
 *
 * By the box's own name at least one address of the box must be allowed; a box
 * without addresses needs its own switch and its handle's. In this case
 * *ret_address becomes the first address that is allowed, else the first of
 * all, else "" at "".
 *
 * ERR_OK: *ret_reason is NULL, or why not, static. ERR_DAMAGED: a row that must
 * be there is missing. */
MUST_USE enum err login_allowed(struct store_txn *txn,
				const struct login_name *name,
				const char **ret_reason,
				struct name_address *ret_address);

/* What of that a date or a service decides, whatever the switches say. By the box's
 * own name, domain NULL: until the last of its addresses ends; off is what is off
 * for all of them. */
struct login_terms {
	int64_t expires; /* from then on none is accepted; 0: never */
	unsigned off;	 /* services by which none is */
};
MUST_USE enum err login_terms(struct store_txn *txn, const struct store_box *box,
			      const struct store_domain *domain,
			      struct login_terms *ret_terms);

/* Is it over now? 0: never. */
bool login_ended(int64_t expires);

/* Looks up bytes[0..len) from a stranger who logs in by a service (struct
 * login_name), in this order:
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
			     const char *local_ip, unsigned service,
			     struct login *ret_login);

/* Is it one of the box's app passwords? One fast digest, whoever it is and however
 * many there are. True: it is accepted, and login says which it was. One that has
 * ended, or is for other services, is refused; login_decide will say why. */
MUST_USE bool login_by_app(struct login *login, const void *password,
			   size_t len);

/* The box's own password: exactly one hash computation. *ret_reason is static; ""
 * when accepted. */
MUST_USE enum verdict login_decide(const struct login *login,
				   const void *password, size_t len,
				   const char **ret_reason);

/* Both, as the login program tries them. */
MUST_USE enum verdict login_judge(struct login *login, const void *password,
				  size_t len, const char **ret_reason);

/* Wipes hash and digests. */
void login_forget(struct login *login);

#endif
