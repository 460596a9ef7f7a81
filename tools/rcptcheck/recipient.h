/* SPDX-License-Identifier: MIT */
/* recipient.h: would qmail deliver mail for an address? The address's domain is
 * looked up in the store; which .qmail file takes the mail, and what its lines do,
 * is read below the mail root, as qmail-local does, by the caller, who is popusr.
 * Forwards to addresses of this site are followed.
 */
#ifndef POPBOX_RECIPIENT_H
#define POPBOX_RECIPIENT_H

#include "store/config.h"
#include "store/store.h"

enum recipient {
	RECIPIENT_THERE,   /* it is delivered, handed on, or waits as it shall */
	RECIPIENT_NONE,	   /* it would come back */
	RECIPIENT_FOREIGN, /* no domain of the store */
	RECIPIENT_LATER,   /* nobody can tell, or the mail would wait */
};

enum { RECIPIENT_MAX = 1000 }; /* bytes of an address; qmail-smtpd's limit is 900 */

/* *ret_why and *ret_what say why and about what, static, for RECIPIENT_LATER. */
enum recipient recipient_judge(struct store *store, const struct config *config,
			       const char *address, const char **ret_what,
			       const char **ret_why);

#endif
