/* SPDX-License-Identifier: MIT */
/* store_draft.h: a store that is a copy of a central database: a change that is not
 * kept, as rows; and rows from elsewhere. For the administrator's tool alone.
 *
 * A copy has the word `central` in meta: the number and the token of the change that
 * it stands on. Its number is that of the last entry of the journal. Rows of a copy
 * change by store_apply alone: store_write refuses to (ERR_INVALID), but for what is
 * a host's own, pending work above all.
 */
#ifndef POPBOX_STORE_DRAFT_H
#define POPBOX_STORE_DRAFT_H

#include "store_write.h"
#include "writeset.h"

enum { STORE_TOKEN_SIZE = 16 };

struct store_head {
	uint64_t number;
	uint8_t token[STORE_TOKEN_SIZE];
};

/* ERR_NOTFOUND: the store is no copy. */
MUST_USE enum err store_head_get(struct store_txn *txn,
				 struct store_head *ret_head);
static inline bool store_head_same(const struct store_head *a,
				   const struct store_head *b)
{
	return a->number == b->number &&
	       __builtin_memcmp(a->token, b->token, sizeof a->token) == 0;
}

/* Runs body as store_write does without keep, at this time (or that of the last
 * entry, if later), and puts what it would have written into set, with the word
 * `central` for the token. *ret_last = 0: it wrote nothing that a copy shares. ERR_BUSY:
 * the copy does not stand at head. */
MUST_USE enum err store_draft(struct store *store,
			      const struct store_actor *actor, int64_t now,
			      const struct store_head *head,
			      const uint8_t token[STORE_TOKEN_SIZE],
			      store_body *body, void *arg,
			      struct store_writeset *set, uint64_t *ret_last);

/* Puts rows that bring the copy from one head to another, all or nothing, with the
 * pending work that follows. Each is judged by its checksum and key before any is
 * put, and the journal has to be whole. ERR_BUSY: the copy is not at `from`.
 * ERR_DAMAGED: nothing was put. */
MUST_USE enum err store_apply(struct store *store,
			      const struct store_head *from,
			      const struct store_head *to,
			      const struct store_writeset *set);

/* The same with all rows of a central database, in the place of all that the store
 * has; it gets this id, and all of it is pending. Logins read the store as it was
 * until that one commit. ERR_INVALID: its journal does not end at `was` any more. */
MUST_USE enum err store_rebuild(struct store *store,
				const uint8_t id[STORE_ID_SIZE], uint64_t was,
				const struct store_head *to,
				const struct store_writeset *set);

/* All rows that copies share go into set, with the word `central` for the head,
 * whose number is set: the journal's last; of an empty store its token too. */
MUST_USE enum err store_draft_all(struct store *store, struct store_head *head,
				  struct store_writeset *set);

/* The store becomes a copy that stands at head; ERR_BUSY: its journal ends elsewhere.
 * And it is none any more, with an id of its own. */
MUST_USE enum err store_enter(struct store *store,
			      const struct store_head *head);
MUST_USE enum err store_leave(struct store *store);

/* Is this row of a central database the store's own, byte for byte? ERR_NOTFOUND: it
 * is not. *ret_shared counts the rows that copies share and that are alike; the word
 * of meta about the first end, which each host brings forward for itself, is not. */
bool store_raw_varies(const struct store_raw *raw);
MUST_USE enum err store_has_row(struct store_txn *txn,
				const struct store_raw *raw);
MUST_USE enum err store_shared(struct store_txn *txn, uint64_t *ret_shared);

#endif
