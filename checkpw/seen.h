/* SPDX-License-Identifier: MIT */
/* seen.h: logins that were accepted a short time ago, so that a client that
 * polls pays for the slow hash once an hour (setting login_cache) and not each
 * time. doc/SECURITY.md says what the table means for whoever reads it.
 *
 * A table of fixed size that all logins share, the file /run/popbox/seen of
 * root's, on a file system in memory. An entry is the time and a digest of box,
 * stored hash and password, with a key that is made with the table: another
 * password or another hash has another digest. Only the slow hash is skipped: the
 * account is looked up and judged in every login.
 *
 * There are no locks. An entry that two logins wrote at once, or one wrote
 * in part, matches nothing.
 *
 * The calls in their order: seen_open as root; then, as popusr, seen_holds,
 * seen_add after an accepted slow hash, and seen_close on every path. Without a
 * table seen_holds answers no, and the others do nothing.
 */
#ifndef POPBOX_SEEN_H
#define POPBOX_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/err.h"
#include "store/login.h"

enum { SEEN_DIGEST_WORDS = 4 };

struct seen {
	void *map; /* NULL: there is no table */
	size_t len;
	struct seen_set *set; /* where this login's entry belongs */
	uint64_t lasts_ms;
	uint64_t now_ms;
	uint64_t digest[SEEN_DIGEST_WORDS];
};

/* Maps the table, and makes it and its directory where they are missing. Nothing
 * of it can be read or written until seen_holds. seconds: how long an entry
 * is good; 0, or a caller who is not root: no table.
 *
 * NULL: done. Else why there is no table, static, with errno set (0 where the
 * system refused nothing). */
MUST_USE const char *seen_open(uint32_t seconds, struct seen *ret_seen);

/* Is this the first time that somebody asks since the machine started? What
 * seen_open said is told once, not at each login: the file /run/popbox.told is the
 * mark. No where that cannot be made. */
MUST_USE bool seen_untold(void);

/* Was this password accepted for this box and this hash at most `seconds` ago?
 * Afterwards only the page of this login's entry is mapped, for reading, or, if
 * the answer is yes, nothing. */
MUST_USE bool seen_holds(struct seen *seen, const struct login *login,
			 const void *password, size_t len);

/* Remembers what seen_holds was asked for, as of then, in the place of the oldest
 * entry of its set. */
void seen_add(struct seen *seen);

void seen_close(struct seen *seen);

#endif
