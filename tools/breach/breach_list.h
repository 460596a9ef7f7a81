/* SPDX-License-Identifier: MIT */
/* breach_list.h: the lines of a list of breached passwords become keys of a filter.
 * Pure; for the child that reads such a list.
 *
 * The first line that is not empty says what the list is: SHA-1 sums in hexadecimal,
 * each alone or with ":COUNT", or words. Lines end in LF or CR LF.
 */
#ifndef POPBOX_BREACH_LIST_H
#define POPBOX_BREACH_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/hash/pwhash.h"

enum breach_form { BREACH_UNSEEN, BREACH_SUMS, BREACH_WORDS };

enum breach_fault {
	BREACH_GOOD,
	BREACH_NO_SUM, /* a line of a list of sums */
	BREACH_NTLM,   /* a list of other sums */
	BREACH_FAULTS,
};

enum { BREACH_LINE_MAX = 2 * PWHASH_PASSWORD_MAX };

struct breach_list {
	enum breach_form form; /* BREACH_WORDS: told so; else begin with zeros */
	enum breach_fault fault;
	uint64_t line;	  /* of the last one, from 1; with a fault, of that */
	uint64_t skipped; /* words that can be no password */
	size_t len;	  /* of a line that is not whole */
	bool too_long;	  /* it is longer than there is room */
	bool begun;
	char bytes[BREACH_LINE_MAX];
};

typedef void breach_list_key(void *arg, uint64_t key);

/* Bytes as they come; with len 0 their end. False: a fault, and nothing more is to
 * be given. */
MUST_USE bool breach_list_feed(struct breach_list *list, const char *bytes,
			       size_t len, breach_list_key *on_key, void *arg);

#endif
