/* SPDX-License-Identifier: MIT */
/* hasher.h: many password hashes, computed on all cores.
 *
 * Threads that know nothing but pwhash: each asks for a job, computes, and hands
 * the result in. next and done are called by one thread at a time, so what they
 * share needs no lock of its own; they must not use the store, whose
 * transactions belong to one thread.
 */
#ifndef POPBOX_HASHER_H
#define POPBOX_HASHER_H

#include <stdbool.h>
#include <stddef.h>

#include "store/hash/pwhash.h"

/* A job has a password or an old hash, and may have what is there already. If
 * that fits nothing is made. A try asks whether a login can compute the old hash,
 * and makes nothing. */
struct hasher_job {
	size_t number; /* the caller's */
	bool try;
	char password[PWHASH_PASSWORD_MAX + 1];
	size_t len;
	char old[PWHASH_MAX + 1];   /* to be wrapped; "" = there is a password */
	char there[PWHASH_MAX + 1]; /* "" = nothing */
	/* PWHASH_OK: made, or tried. PWHASH_NO: what is there fits, made is "". Else why
	 * not; done sees PWHASH_NOMEM of a try alone. */
	enum pwhash answer;
	char made[PWHASH_MAX + 1];
};

typedef bool hasher_next(void *arg, struct hasher_job *job); /* false: end */
typedef bool hasher_done(void *arg, const struct hasher_job *job); /* the same */

enum hasher_end {
	HASHER_DONE,	  /* next has no more, or next or done ended it */
	HASHER_NO_THREAD, /* not even one could be had: errno */
	HASHER_NO_MEMORY, /* for at least one job; it has no result */
};

/* Runs until next or done says so, or until memory is missing for one job: then
 * no more is begun, whatever becomes of the others. All jobs begun are handed to
 * done, except those without memory. */
MUST_USE enum hasher_end hasher_run(struct pwhash_cost cost, hasher_next *next,
				    hasher_done *done, void *arg);

#endif
