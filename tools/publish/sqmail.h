/* SPDX-License-Identifier: MIT */
/* sqmail.h: s/qmail's control/recipients, which says for each domain where
 * qmail-smtpd looks its recipients up.
 *
 *	!all.example				every address is taken
 *	@example.com:users/popbox-recipients.cdb	the addresses in the file are
 *	!*					anything else is taken
 *
 * qmail-smtpd reads the lines in order. Lines that popbox did not write come first,
 * as they are. A line is ours if it is one of these three.
 */
#ifndef POPBOX_SQMAIL_H
#define POPBOX_SQMAIL_H

#include "pairs.h"
#include "store/config.h"
#include "store/name.h"

#define SQMAIL_CDB "users/popbox-recipients.cdb"

struct sqmail {
	const char *qmail; /* its directory */
	/* Sorted: the domains that get new lines; and the keys of their recipients,
	 * where `@all.example` stands for every address. */
	const struct pairs *domains, *valid;
	/* Is this domain one of those? With all, each of the store is. */
	bool (*about)(const void *arg, const struct name_domain *name);
	const void *arg;
	bool all;
	/* Keep the old lines, too: the cdb does not fit the new ones yet. */
	bool joins;
};

/* The text that replaces old[0..len). False: no memory. Pure. */
MUST_USE bool sqmail_text(const struct sqmail *s, const char *old, size_t len,
			  struct text *ret_text);

/* Replaces the file if another text is due. 0 or an errno. */
MUST_USE int sqmail_write(const struct sqmail *s);

/* Is the file there? */
bool sqmail_exists(const char *qmail);

/* Calls each for lines that would come and go; false: no memory, or it cannot be
 * read: errno. */
MUST_USE bool sqmail_compare(const struct sqmail *s, pairs_differs *each,
			     void *arg, bool *ret_same);

#endif
