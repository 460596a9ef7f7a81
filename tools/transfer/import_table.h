/* SPDX-License-Identifier: MIT */
/* import_table.h: all accounts of an import, packed: about as many bytes each as
 * the file has for it, and 48 more.
 *
 * An address stands in it once. Rows are numbered from 0 in the order in which
 * they came.
 */
#ifndef POPBOX_IMPORT_TABLE_H
#define POPBOX_IMPORT_TABLE_H

#include "base/text.h"
#include "import_account.h"

/* What becomes of a row's password. */
enum import_table_secret {
	IMPORT_TABLE_NONE,  /* nothing, or no password at all */
	IMPORT_TABLE_AS_IS, /* the hash of the file */
	IMPORT_TABLE_MAKE,  /* of its password, or of one that is generated */
	IMPORT_TABLE_WRAP,  /* of its hash, which is weak */
	IMPORT_TABLE_SAME,  /* it was computed: what is there fits */
	IMPORT_TABLE_READY, /* it was computed: row->hash */
};

struct import_table_row {
	uint64_t at; /* into bytes */
	char *hash;  /* computed; malloc'ed */
	uint32_t line;
	uint32_t file; /* the caller's */
	uint8_t secret; /* enum import_table_secret */
	bool bad;	/* refused, and said so */
	bool fresh;	/* its address was not in the store */
	bool twin;	/* gives a box that a row before it gives too */
};

struct import_table {
	struct import_table_row *row;
	size_t count, room;
	struct text bytes;
	uint32_t *by_address, *by_box; /* row + 1; 0 = free */
	size_t slots; /* of each, a power of two */
};

enum import_table_added {
	IMPORT_TABLE_ADDED,
	IMPORT_TABLE_AGAIN, /* a row before says exactly the same: not added */
	IMPORT_TABLE_OTHER, /* a row before says something else: not added */
	IMPORT_TABLE_NOMEM,
};

/* *ret_other is the line of the row before, in the last two of these. Of two
 * rows with the same box the passwords must be the same. */
enum import_table_added import_table_add(struct import_table *table,
					 const struct import_account *account,
					 unsigned long *ret_other);

/* Unpacks a row. Wipe it. */
void import_table_get(const struct import_table *table, size_t number,
		      struct import_account *ret_intake);

/* The row of this address. */
bool import_table_find(const struct import_table *table,
		       const struct name_address *name, size_t *ret_number);

/* Another text of a row, with the same address and box. False: no memory. */
MUST_USE bool import_table_replace(struct import_table *table, size_t number,
				   const struct import_account *account);

/* Is there a row for this address? */
bool import_table_has(const struct import_table *table,
		      const struct name_address *name);

/* Wipes. */
void import_table_free(struct import_table *table);

#endif
