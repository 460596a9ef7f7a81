/* roster.h: all accounts of an import, packed: about as many bytes each as the
 * file has for it, and 48 more.
 *
 * An address stands in it once. Rows are numbered from 0 in the order in which
 * they came.
 */
#ifndef POPBOX_ROSTER_H
#define POPBOX_ROSTER_H

#include "base/text.h"
#include "import_account.h"

/* What becomes of a row's password. */
enum roster_secret {
	ROSTER_NONE,	 /* nothing, or no password at all */
	ROSTER_AS_IS,	 /* the hash of the file */
	ROSTER_MAKE,	 /* of its password, or of one that is generated */
	ROSTER_WRAP,	 /* of its hash, which is weak */
	ROSTER_SAME,	 /* it was computed: what is there fits */
	ROSTER_READY,	 /* it was computed: row->hash */
};

struct roster_row {
	uint64_t at; /* into bytes */
	char *hash;  /* computed; malloc'ed */
	uint32_t line;
	uint32_t file; /* the caller's */
	uint8_t secret; /* enum roster_secret */
	bool bad;	/* refused, and said so */
	bool fresh;	/* its address was not in the store */
	bool twin;	/* gives a box that a row before it gives too */
};

struct roster {
	struct roster_row *row;
	size_t count, room;
	struct text bytes;
	uint32_t *by_address, *by_box; /* row + 1; 0 = free */
	size_t slots; /* of each, a power of two */
};

enum roster_added {
	ROSTER_ADDED,
	ROSTER_AGAIN, /* a row before says exactly the same: not added */
	ROSTER_OTHER, /* a row before says something else: not added */
	ROSTER_NOMEM,
};

/* *ret_other is the line of the row before, in the last two of these. Of two
 * rows with the same box the passwords must be the same. */
enum roster_added roster_add(struct roster *roster,
			     const struct import_account *account,
			     unsigned long *ret_other);

/* Unpacks a row. Wipe it. */
void roster_get(const struct roster *roster, size_t number,
		struct import_account *ret_intake);

/* The row of this address. */
bool roster_find(const struct roster *roster, const struct name_address *name,
		 size_t *ret_number);

/* Another text of a row, with the same address and box. False: no memory. */
MUST_USE bool roster_replace(struct roster *roster, size_t number,
			     const struct import_account *account);

/* Is there a row for this address? */
bool roster_has(const struct roster *roster, const struct name_address *name);

/* Wipes. */
void roster_free(struct roster *roster);

#endif
