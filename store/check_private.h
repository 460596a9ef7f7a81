/* SPDX-License-Identifier: MIT */
/* check_private.h: what check.c and the other check_*.c share; nobody else includes
 * it. */
#ifndef POPBOX_CHECK_PRIVATE_H
#define POPBOX_CHECK_PRIVATE_H

#include "row.h"
#include "tally.h"

struct check {
	struct store_txn *txn;
	store_report *report;
	void *arg;
	unsigned long found;
	uint64_t last;
	bool owned; /* there is a by-owner */
	/* The last that were looked up: rows come in the order of their keys,
	 * so that the next one mostly has the same. No name: none yet. */
	struct store_handle handle;
	struct store_domain domain;
	/* Of check_bybox.c. */
	struct tally ways;    /* keys that addresses say less those there are */
	struct db_walk boxes; /* along by-box */
	bool unfit;	      /* a row of by-box is damaged or has no box */
};

/* A finding about that object; or about what has that key, or name. */
void check_found(struct check *check, unsigned rule, const char *object,
		 const char *what);
void check_found_key(struct check *check, unsigned rule, struct db_bytes key,
		     const char *what);
void check_found_box(struct check *check, unsigned rule,
		     const struct name_box *name, const char *what);
void check_found_address(struct check *check, unsigned rule,
			 const struct name_address *name, const char *what);

/* Is it there? An answer that cannot be had is no finding: the table's own walk
 * reports the row. */
bool check_there(struct check *check, enum db_table table,
		 const struct row_key *key);

typedef void check_row(struct check *check, struct db_bytes key,
		       struct db_bytes row);
MUST_USE enum err check_walk(struct check *check, enum db_table table,
			     check_row *row);

/* Rule 15 of a box, or of one that was deleted. Wipes the hash. */
void check_hash(struct check *check, struct store_account *account);

/* One of the walks. */
check_row check_parked;

/* Every sound address is handed in first, then the boxes and by-box are walked
 * along. */
void check_bybox_expect(struct check *check,
			const struct store_address *address);
MUST_USE enum err check_bybox(struct check *check);

#endif
