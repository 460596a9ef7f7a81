#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "errand.h"
#include "interrupt.h"
#include "plan.h"
#include "say.h"
#include "steps.h"

/* One pass: a plan being carried out. */
struct pass {
	struct site *site;
	struct plan plan;
	bool full;
	uint64_t horizon; /* the end of the journal when we began */
	bool cannot_close; /* was said */
};

static enum err plan_body(struct store_txn *txn, void *arg)
{
	struct pass *pass = arg;

	plan_free(&pass->plan); /* a body may be run again */
	return pass->full ? plan_make(txn, &pass->site->config, true,
				      &pass->plan)
			  : plan_make_part(txn, &pass->site->config,
					   pass->horizon, &pass->plan);
}

static enum err owe(struct store_txn *txn, const struct plan_item *item)
{
	const bool gone = item->act == PLAN_REMOVE;

	switch (item->table) {
	case STORE_BOXES:
		return gone ? store_owe_purge_box(txn, &item->box)
			    : store_owe_box(txn, &item->box);
	case STORE_DOMAINS:
		return gone ? store_owe_purge_domain(txn, item->domain)
			    : store_owe_domain(txn, &item->address.domain);
	case STORE_ADDRESSES:
		return gone ? store_owe_purge_address(txn, &item->address)
			    : store_owe_address(txn, &item->address);
	case STORE_HANDLES:
		break;
	}
	return ERR_OK; /* no item is one */
}

/* Domains come before the addresses of theirs, as collect wants it. */
static enum err owe_again(struct store_txn *txn, const struct plan *plan)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];

		if (plan_owes(plan, item))
			err = owe(txn, item);
	}
	return err;
}

static enum err mark_body(struct store_txn *txn, void *arg)
{
	const struct pass *pass = arg;
	/* A look at everything says nothing of what was purged. */
	enum err err = pass->full ? ERR_OK
				  : store_published_set(txn, pass->plan.upto);

	return err == ERR_OK ? owe_again(txn, &pass->plan) : err;
}

/* The store failed while its files were published. What was to be changed in
 * it is committed by then, so "nothing was changed" would be wrong here. */
static int store_failed(enum err err)
{
	return say_error(CODE_LATER,
			 "publishing stopped: %s (the store is changed; run "
			 "'popbox sync')",
			 err == ERR_SYSTEM || err == ERR_FULL ? strerror(errno)
							      : err_text(err));
}

/* A part that is not the last: domains are closed, and everything is made; but
 * nothing is opened and nothing goes (plan_owes). */
static bool carry_part(struct pass *pass)
{
	if (!pass->cannot_close)
		pass->cannot_close = !steps_close(pass->site, &pass->plan);
	return errand_make(pass->site, &pass->plan);
}

static bool carry_whole(struct pass *pass)
{
	struct site *site = pass->site;
	struct plan *plan = &pass->plan;
	const bool closed = steps_close(site, plan);

	if (!errand_make(site, plan))
		return false;
	/* Of a handle for which something failed no new domain is accepted. */
	if (closed && !plan_hold_back(plan))
		return say_error(0, "no memory");
	if (closed)
		steps_open(site, plan);
	errand_remove(site, plan);
	return true;
}

/* Carries out one plan under the lock. */
static int run_pass(struct pass *pass)
{
	struct site *site = pass->site;
	uint64_t last;
	enum err err = store_read(site->store, plan_body, pass);

	if (err != ERR_OK)
		return store_failed(err);
	if (!(pass->plan.part ? carry_part(pass) : carry_whole(pass)))
		return CODE_LATER;
	err = store_write(site->store, &site->actor, mark_body, pass, true,
			  &last);
	return err == ERR_OK ? CODE_DONE : store_failed(err);
}

static enum err owed_body(struct store_txn *txn, void *arg)
{
	bool *owed = arg;
	uint64_t mark, last;
	enum err err = store_published(txn, &mark);

	if (err == ERR_OK)
		err = store_journal_last(txn, &last);
	if (err == ERR_OK)
		*owed = last > mark;
	return err;
}

/* Did somebody commit meanwhile, and leave the files to us? */
static int look_again(const struct site *site, bool *ret_owed)
{
	enum err err = store_read(site->store, owed_body, ret_owed);

	return err == ERR_OK ? CODE_DONE : store_failed(err);
}

static int open_lock(const struct site *site)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/publish.lock", site->dir);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static enum err horizon_body(struct store_txn *txn, void *arg)
{
	struct pass *pass = arg;

	return store_journal_last(txn, &pass->horizon);
}

/* Part by part. What failed in one is owed again and tried again in the last,
 * which alone counts. Each part but the last ends before the horizon, so there
 * is a last one. */
static int run_owed(struct site *site, size_t *ret_failed)
{
	struct pass pass = {.site = site};
	enum err err = store_read(site->store, horizon_body, &pass);
	int code = err == ERR_OK ? CODE_DONE : store_failed(err);
	bool more = true;

	while (code == CODE_DONE && more) {
		code = run_pass(&pass);
		more = pass.plan.part;
		*ret_failed = more ? 0 : plan_failed(&pass.plan);
		plan_free(&pass.plan);
	}
	return code;
}

static int run_full(struct site *site, size_t *ret_failed)
{
	struct pass pass = {.site = site, .full = true};
	int code = run_pass(&pass);

	*ret_failed = plan_failed(&pass.plan);
	plan_free(&pass.plan);
	return code;
}

/* With full, everything after what is owed, of which removals are a part. */
static int run_once(struct site *site, bool full, size_t *ret_failed)
{
	size_t more = 0;
	int code = run_owed(site, ret_failed);

	if (code == CODE_DONE && full)
		code = run_full(site, &more);
	*ret_failed += more;
	return code;
}

int publish(struct site *site, bool full)
{
	size_t failed = 0;
	bool owed = true;
	int code = CODE_DONE;
	int lock = open_lock(site);

	if (lock < 0)
		return say_error(CODE_LATER,
				 "cannot open '%s/publish.lock': %s (the store "
				 "is changed; run 'popbox sync')",
				 site->dir, strerror(errno));
	/* Whoever commits while we publish leaves its work to us, so look
	 * again after giving the lock up. What failed in this run is left to
	 * the next one. */
	while (code == CODE_DONE && owed && !failed) {
		int rc = flock(lock, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;

		if (rc == EINTR)
			continue;
		if (rc == EWOULDBLOCK) {
			say_note("another popbox is publishing: it takes this "
				 "change along");
			break;
		}
		if (rc != 0) {
			code = say_error(CODE_LATER,
					 "cannot lock '%s/publish.lock': %s "
					 "(the store is changed; run 'popbox "
					 "sync')",
					 site->dir, strerror(rc));
			break;
		}
		code = run_once(site, full, &failed);
		full = false;
		(void)flock(lock, LOCK_UN); /* of our own lock */
		if (code == CODE_DONE)
			code = look_again(site, &owed);
	}
	(void)close(lock); /* nothing was written to it */
	if (code == CODE_DONE && !failed)
		interrupt_says("all was done");
	if (code == CODE_DONE && failed)
		code = say_error(CODE_LATER,
				 "the store is changed, but %zu of its files "
				 "could not be brought in step: mend what is "
				 "said above, then run 'popbox sync'",
				 failed);
	return code;
}
