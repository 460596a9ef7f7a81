/* SPDX-License-Identifier: MIT */
/* recipients.h: of a domain what maps for SMTP servers say: its kind, the addresses
 * that take mail, and where those lead that only forward. An address takes mail if
 * its .qmail file does not bounce it.
 */
#ifndef POPBOX_RECIPIENTS_H
#define POPBOX_RECIPIENTS_H

#include "accounts/site.h"
#include "pairs.h"

struct recipients {
	struct pairs domains;  /* example.com: pop */
	struct pairs there;    /* joe@example.com, or @example.com for all: OK */
	struct pairs forwards; /* joe@example.com: a@far.example, b@far.example */
};

/* Adds what the store says of a domain; nothing of one that is not there. */
MUST_USE enum err recipients_domain(struct store_txn *txn,
				    const struct config *config,
				    const struct name_domain *name,
				    struct recipients *recipients);

/* Adds the unmanaged .qmail files in its directory, which popusr's helper lists, but
 * for those of the addresses that go. *ret_rc: an errno of ret_path. */
MUST_USE enum err recipients_unmanaged(const struct site *site,
				       const struct name_domain *name,
				       const struct pairs *go,
				       struct recipients *recipients,
				       int *ret_rc, char ret_path[PATH_MAX]);

void recipients_free(struct recipients *recipients);

#endif
