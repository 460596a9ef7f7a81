/* SPDX-License-Identifier: MIT */
/* upsert.h: one account of a file against the store, inside a transaction: new,
 * the same, or another than what is there.
 */
#ifndef POPBOX_UPSERT_H
#define POPBOX_UPSERT_H

#include "accounts/numbers.h"
#include "accounts/rejoin.h"
#include "import_account.h"

/* What a row says and the store does not. */
enum {
	UPSERT_BOX = 1 << 0,
	UPSERT_PASSWORD = 1 << 1,
	UPSERT_NAME = 1 << 2,
	UPSERT_QUOTA = 1 << 3,
	UPSERT_LOGIN = 1 << 4,
	UPSERT_DELIVERY = 1 << 5,
	UPSERT_REASON = 1 << 6,
	UPSERT_FORWARD = 1 << 7,
	UPSERT_EXPIRES = 1 << 8,
	UPSERT_VACATION = 1 << 9,
};

enum upsert_verdict { UPSERT_CREATE, UPSERT_BACK, UPSERT_CHANGE, UPSERT_SAME };

struct upsert_how {
	bool update;   /* change what is there */
	bool undelete; /* bring back what was deleted under that name */
	struct numbers *numbers; /* for new boxes */
};

struct upserted {
	enum upsert_verdict verdict;
	unsigned differs; /* of a change, or of what was refused */
	bool has_box;
	struct name_box box;
	struct rejoin_box back; /* which was deleted; group 0: none was */
};

/* Does this row speak of a box, or of forwards alone? */
bool upsert_wants_box(const struct import_account *account);

/* Makes or changes what the row says; its domain is there. hash: what the box
 * shall have; NULL: what it has, and a new one none. ERR_INVALID, ERR_EXISTS or
 * ERR_INUSE: refused, store_reason says why. */
MUST_USE enum err upsert_row(struct store_txn *txn,
			     const struct upsert_how *how,
			     const struct import_account *account,
			     const char *hash, struct upserted *ret_upserted);

/* Makes a domain that rows need, and its handle: a new one, or with undelete the
 * one that was deleted. */
MUST_USE enum err upsert_domain(struct store_txn *txn,
				const struct upsert_how *how,
				const struct store_domain *domain);

/* RFC 5321 wants one in each domain: what rows have left out. */
MUST_USE enum err upsert_postmaster(struct store_txn *txn,
				    const struct upsert_how *how,
				    const struct name_domain *domain,
				    const struct name_handle *owner);

/* "name, password": what differs, for people. */
enum { UPSERT_TEXT = 96 };
void upsert_text(unsigned differs, char ret_text[UPSERT_TEXT]);

#endif
