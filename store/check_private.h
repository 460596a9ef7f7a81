/* SPDX-License-Identifier: MIT */
/* check_private.h: what check.c and the other check_*.c share; nobody else includes
 * it. */
#ifndef POPBOX_CHECK_PRIVATE_H
#define POPBOX_CHECK_PRIVATE_H

#include "row.h"
#include "scan.h"
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

/* A row by itself is judged in any thread (scan.h): arg is a struct check, of which
 * only what the walk does not change is looked at. In the order of keys each row is
 * then compared with others. */
enum { CHECK_GOOD = 1, CHECK_DAMAGED, CHECK_UNFIT };
typedef void check_row(struct check *check, struct db_bytes key,
		       struct db_bytes row, unsigned verdict);
/* Without judge each row is CHECK_GOOD. What it sums up goes into ways. */
MUST_USE enum err check_walk(struct check *check, enum db_table table,
			     scan_judge *judge, check_row *row);

/* Are its app passwords of the form that they must have? */
MUST_USE bool check_apps(const struct store_account *account);

/* One of the walks. */
check_row check_parked;

/* Rule 15 of a box, or of one that was deleted: why no login can use its hash; NULL:
 * one can. Wipes the hash. */
const char *check_hash(struct store_account *account);
void check_found_hash(struct check *check, const struct name_box *name,
		      const char *why);

/* Of every sound address, summed up in ways first; then the boxes and by-box are
 * walked along. */
uint64_t check_bybox_sum(const struct check *check,
			 const struct store_address *address);
MUST_USE enum err check_bybox(struct check *check);

#endif
