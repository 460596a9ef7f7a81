/* SPDX-License-Identifier: MIT */
#include "hasher.h"

#include <errno.h>
#include <pthread.h>

#include "store/cores.h"
#include "store/secret.h"

enum { STACK = 1 << 20 };

struct hasher {
	struct pwhash_cost cost;
	hasher_next *next;
	hasher_done *done;
	void *arg;
	pthread_mutex_t lock;
	bool end, no_memory; /* set once, never cleared */
};

/* Does what is there say the same already? */
static enum pwhash fits(const struct hasher_job *job)
{
	if (!job->there[0])
		return PWHASH_NO;
	if (job->old[0])
		return pwhash_wrap_same(job->there, job->old);
	return pwhash_verify(job->there, job->password, job->len);
}

static void compute(struct pwhash_cost cost, struct hasher_job *job)
{
	job->made[0] = 0;
	if (job->try) {
		job->answer = pwhash_try(job->old);
		return;
	}
	job->answer = fits(job);
	if (job->answer == PWHASH_NOMEM)
		return;
	if (job->answer == PWHASH_OK) {
		job->answer = PWHASH_NO;
		return;
	}
	/* It does not fit, or is of a kind that cannot be told. */
	job->answer = job->old[0] ? pwhash_wrap(cost, job->old, job->made)
				  : pwhash_make(cost, job->password, job->len,
						job->made);
}

static void *work(void *arg)
{
	struct hasher *hasher = arg;
	struct hasher_job job;

	/* Locking a lock that was made and is not ours cannot fail. */
	(void)pthread_mutex_lock(&hasher->lock);
	while (!hasher->end) {
		job = (struct hasher_job){.len = 0};
		if (!hasher->next(hasher->arg, &job)) {
			hasher->end = true;
			break;
		}
		(void)pthread_mutex_unlock(&hasher->lock);
		compute(hasher->cost, &job);
		(void)pthread_mutex_lock(&hasher->lock);
		if (job.answer == PWHASH_NOMEM && !job.try)
			hasher->end = hasher->no_memory = true;
		else if (!hasher->done(hasher->arg, &job))
			hasher->end = true;
	}
	(void)pthread_mutex_unlock(&hasher->lock);
	secret_wipe(&job, sizeof job);
	return NULL;
}

enum hasher_end hasher_run(struct pwhash_cost cost, hasher_next *next,
			   hasher_done *done, void *arg)
{
	struct hasher hasher = {.cost = cost,
				.next = next,
				.done = done,
				.arg = arg,
				.lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t thread[CORES_MAX];
	pthread_attr_t attr;
	unsigned cores = cores_count(), count = 0;
	int rc = pthread_attr_init(&attr);

	if (rc == 0)
		rc = pthread_attr_setstacksize(&attr, STACK);
	while (rc == 0 && count < cores) {
		rc = pthread_create(&thread[count], &attr, work, &hasher);
		count += rc == 0;
	}
	for (unsigned i = 0; i < count; i++)
		(void)pthread_join(thread[i], NULL); /* ours, once */
	(void)pthread_attr_destroy(&attr); /* of our own */
	errno = rc;
	if (count == 0)
		return HASHER_NO_THREAD;
	return hasher.no_memory ? HASHER_NO_MEMORY : HASHER_DONE;
}
