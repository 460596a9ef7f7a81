/* SPDX-License-Identifier: MIT */
/* serialmail.h: one round of deliveries to the hosts that dial in: for each
 * directory below the setting `serialmail` in which mail waits, one sender.
 */
#ifndef POPBOX_SERIALMAIL_H
#define POPBOX_SERIALMAIL_H

#include "accounts/site.h"

struct serialmail {
	unsigned grace;	       /* seconds between two starts */
	unsigned jobs;	       /* senders at the same time */
	unsigned limit;	       /* seconds that one may take */
	const char *command;   /* words, cut at blanks; NULL: our own */
};

/* In a child that becomes popusr (round.h), of which what it says is passed on.
 * One round at a time: a second one leaves at once. A directory whose RELAYHOST
 * or Maildir somebody else has locked is passed over. A signal that ends this
 * process ends the round and its senders first. Returns the exit code. */
int serialmail(const struct site *site, const struct serialmail *how);

#endif
