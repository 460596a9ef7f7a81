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

#include "pwhash.h"

/* A job has a password or an old hash, and may have what is there already. If
 * that fits nothing is made. */
struct hasher_job {
	size_t number; /* the caller's */
	char password[PWHASH_PASSWORD_MAX + 1];
	size_t len;
	char old[PWHASH_MAX + 1];   /* to be wrapped; "" = there is a password */
	char there[PWHASH_MAX + 1]; /* "" = nothing */
	/* PWHASH_OK: made. PWHASH_NO: what is there fits, made is "". Else why
	 * not. */
	enum pwhash answer;
	char made[PWHASH_MAX + 1];
};

typedef bool hasher_next(void *arg, struct hasher_job *job); /* false: end */
typedef bool hasher_done(void *arg, const struct hasher_job *job); /* the same */

/* Runs until next or done says so; then all jobs begun are done. False: not even
 * one thread could be had (errno). */
bool hasher_run(struct pwhash_cost cost, hasher_next *next, hasher_done *done,
		void *arg);

/* As many as there are cores for this process. */
unsigned hasher_cores(void);

#endif
