/* SPDX-License-Identifier: MIT */
/* search.h: what of the store has a text somewhere in it, one object after the
 * other: a handle, domain, box or address by its name, the name that people gave
 * it, what it leads to, or the reason why it is suspended. ASCII letters are alike
 * in either case.
 *
 * Addresses that begin with the text are found by a look into each domain, before
 * boxes and addresses are gone through one by one; what is deleted comes last.
 */
#ifndef POPBOX_SEARCH_H
#define POPBOX_SEARCH_H

#include "store/store_write.h"

enum { SEARCH_TEXT_MAX = NAME_ADDRESS_TEXT + 32 };

struct search {
	const char *text; /* the caller's, not "" */
	bool every;	  /* kind, or of one table alone: */
	enum store_table table;
	/* Set by search_begin. */
	bool whole;  /* it has an '@', and is compared with whole addresses */
	bool number; /* it can be a part of a box's number */
	bool seeks;  /* an address can begin with it: */
	struct name_local local;
	const char *domain; /* behind the '@', or NULL */
};

/* Where search_next goes on. All zero: at the beginning. */
struct search_place {
	size_t step;
	bool started;
	struct name_handle handle;
	struct store_domain domain;
	struct name_box box;
	struct name_address address;
};

struct search_found {
	enum store_table table;
	char name[NAME_ADDRESS_TEXT];
	struct name_handle handle; /* whose it is; "": not known */
	/* Static: handle, domain, box or address, its name itself; name, what
	 * people call it; forward; target, host, ip; reason. */
	const char *where;
	/* What stands there; where it is the name itself, what people call it, or
	 * where it leads. */
	char text[SEARCH_TEXT_MAX];
	int64_t deleted; /* since when; 0: it is there */
};

/* Fills what the text says. */
void search_begin(struct search *search);

/* In a body: the next one. ERR_NOTFOUND: there is none. The caller copies *place
 * and keeps the copy when the body has ended. */
MUST_USE enum err search_next(struct store_txn *txn,
			      const struct search *search,
			      struct search_place *place,
			      struct search_found *ret_found);

#endif
