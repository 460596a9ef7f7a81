/* enroll.h: one account of a file against the store, inside a transaction: new,
 * the same, or another than what is there.
 */
#ifndef POPBOX_ENROLL_H
#define POPBOX_ENROLL_H

#include "accounts/numbers.h"
#include "accounts/rejoin.h"
#include "import_account.h"

/* What a row says and the store does not. */
enum {
	ENROLL_BOX = 1 << 0,
	ENROLL_PASSWORD = 1 << 1,
	ENROLL_NAME = 1 << 2,
	ENROLL_QUOTA = 1 << 3,
	ENROLL_LOGIN = 1 << 4,
	ENROLL_DELIVERY = 1 << 5,
	ENROLL_REASON = 1 << 6,
	ENROLL_FORWARD = 1 << 7,
};

enum enroll_verdict { ENROLL_CREATE, ENROLL_BACK, ENROLL_CHANGE, ENROLL_SAME };

struct enroll_how {
	bool update;   /* change what is there */
	bool undelete; /* bring back what was deleted under that name */
	struct numbers *numbers; /* for new boxes */
};

struct enrolled {
	enum enroll_verdict verdict;
	unsigned differs; /* of a change, or of what was refused */
	bool has_box;
	struct name_box box;
	struct rejoin_box back; /* which was deleted; group 0: none was */
};

/* Does this row speak of a box, or of forwards alone? */
bool enroll_wants_box(const struct import_account *account);

/* Makes or changes what the row says; its domain is there. hash: what the box
 * shall have; NULL: what it has, and a new one none. ERR_INVALID, ERR_EXISTS or
 * ERR_INUSE: refused, store_reason says why. */
MUST_USE enum err enroll_row(struct store_txn *txn,
			     const struct enroll_how *how,
			     const struct import_account *account,
			     const char *hash, struct enrolled *ret_enrolled);

/* Makes a domain that rows need, and its handle: a new one, or with undelete the
 * one that was deleted. */
MUST_USE enum err enroll_domain(struct store_txn *txn,
				const struct enroll_how *how,
				const struct store_domain *domain);

/* RFC 5321 wants one in each domain: what rows have left out. */
MUST_USE enum err enroll_postmaster(struct store_txn *txn,
				    const struct enroll_how *how,
				    const struct name_domain *domain,
				    const struct name_handle *owner);

/* "name, password": what differs, for people. */
enum { ENROLL_TEXT = 96 };
void enroll_text(unsigned differs, char ret_text[ENROLL_TEXT]);

#endif
