/* SPDX-License-Identifier: MIT */
/* judge.h: may a message be answered by a program, RFC 3834? Only a person who
 * wrote to this very user gets an answer: no list, no bounce, no other program, and
 * never the user himself. Pure.
 */
#ifndef POPBOX_JUDGE_H
#define POPBOX_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

/* What qmail-local said: the envelope's sender, and the address that the message
 * came for. */
struct judge_call {
	const char *sender;
	const char *local;
	const char *domain;
};

enum { JUDGE_SUBJECT_MAX = 512, JUDGE_ID_MAX = 250, JUDGE_IDS_MAX = 2048 };

/* Of the message, for its answer: "" where it has none that can be used. */
struct judge_facts {
	char subject[JUDGE_SUBJECT_MAX + 1];  /* unfolded, cut at a blank */
	char id[JUDGE_ID_MAX + 1];	      /* <...> */
	char references[JUDGE_IDS_MAX + 1];   /* the last of them, a blank between */
};

/* The sender alone: NULL, or why not, in a few words; static. */
const char *judge_sender(const struct judge_call *call);

/* The header. The same. */
const char *judge_header(const struct judge_call *call, const char *text,
			 size_t len, struct judge_facts *ret_facts);

/* May it stand in a header and an envelope as it is? */
bool judge_address(const char *local, size_t local_len, const char *domain);

#endif
