#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/say.h"
#include "errand.h"
#include "pending.h"
#include "plan.h"
#include "steps.h"

/* More entries than this between the marks are too many to read at each
 * change. */
#ifndef BETWEEN_MAX
#define BETWEEN_MAX (PENDING_MAX + 1000)
#endif

/* One pass: a plan being carried out. */
struct pass {
	struct site *site;
	struct plan plan;
	struct pending pending; /* before it */
	enum plan_scope scope;
	uint64_t horizon; /* the end of the journal when we began */
	uint64_t mine, mine_upto; /* plan.h */
	bool began;	  /* a part is done */
	bool cannot_close; /* was said */
};

static enum err plan_body(struct store_txn *txn, void *arg)
{
	struct pass *pass = arg;
	const struct config *config = &pass->site->config;
	enum err err = pending_collect(txn, &pass->pending);

	plan_free(&pass->plan); /* a body may be run again */
	if (err != ERR_OK)
		return err;
	err = pass->scope == PLAN_ALL
		      ? plan_make(txn, config, PLAN_ALL, &pass->plan)
		      : plan_make_part(txn, config, pass->scope, pass->horizon,
				       &pass->plan);
	/* A Maildir that is pending is out of sight for PLAN_FRESH. */
	if (err == ERR_OK && pass->scope == PLAN_FRESH && pass->pending.count)
		err = plan_bring_boxes(txn, &pass->plan);
	pass->plan.mine = pass->mine;
	/* What was put off by a part has numbers beyond. */
	pass->plan.mine_upto = pass->began && pass->mine_upto ? UINT64_MAX
							      : pass->mine_upto;
	return err;
}

static enum err owe(struct store_txn *txn, const struct plan_item *item)
{
	const struct store_owing reason = {item->first,
					   item->why ? item->why : ""};
	const struct store_owing *owing = item->failed ? &reason : NULL;
	const bool gone = item->act == PLAN_REMOVE;

	switch (item->table) {
	case STORE_BOXES:
		return gone ? store_owe_purge_box(txn, &item->box, owing)
			    : store_owe_box(txn, &item->box, owing);
	case STORE_DOMAINS:
		return gone ? store_owe_purge_domain(txn, item->domain, owing)
			    : store_owe_domain(txn, &item->address.domain,
					       owing);
	case STORE_ADDRESSES:
		return gone ? store_owe_purge_address(txn, &item->address,
						      owing)
			    : store_owe_address(txn, &item->address, owing);
	case STORE_HANDLES:
		break;
	}
	return ERR_OK; /* no item is one */
}

/* Domains come before the addresses of theirs, as collect wants it. What is
 * pending already, and stays so, is not owed twice. */
static enum err owe_again(struct store_txn *txn, const struct pass *pass,
			  bool keeps)
{
	const struct plan *plan = &pass->plan;
	char object[STORE_OBJECT_TEXT];
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];

		if (!plan_owes(plan, item))
			continue;
		plan_object(item, object);
		if (!keeps || !item->failed ||
		    !pending_has(&pass->pending, item->table,
				 item->act == PLAN_REMOVE, object))
			err = owe(txn, item);
	}
	return err;
}

/* What was pending before goes to the journal's end, so that few entries lie
 * between the marks. */
static enum err move_pending(struct store_txn *txn, const struct pass *pass)
{
	struct store_entry *entry = malloc(sizeof *entry);
	enum err err = entry ? ERR_OK : ERR_SYSTEM;

	for (size_t i = 0; err == ERR_OK && i < pass->pending.count; i++) {
		err = store_journal_next(txn, pass->pending.item[i].number - 1,
					 entry);
		if (err == ERR_OK)
			err = store_owe_again(txn, entry);
	}
	free(entry);
	return err;
}

/* Was nothing tried but what is pending, and did all of it fail again? */
static bool is_as_before(const struct pass *pass)
{
	return !pass->began && !pass->plan.part && pass->pending.count &&
	       !pass->pending.untried &&
	       plan_failed(&pass->plan) == pass->plan.count;
}

static enum err mark_body(struct store_txn *txn, void *arg)
{
	const struct pass *pass = arg;
	const struct plan *plan = &pass->plan;
	const bool had = pass->pending.count > 0;
	/* In this pass, or in the one before a look at everything, what is
	 * pending was left alone. */
	const bool keeps = had && pass->scope != PLAN_OWED;
	const bool moves = keeps && !plan->part && !pass->pending.cut &&
			   pass->scope == PLAN_FRESH &&
			   pass->pending.between > BETWEEN_MAX;
	uint64_t before, last;
	enum err err = store_journal_last(txn, &before);

	if (err != ERR_OK || is_as_before(pass))
		return err;
	/* A look at everything says nothing of what was purged. */
	if (pass->scope != PLAN_ALL)
		err = keeps && !moves ? store_tried_set(txn, plan->upto)
				      : store_published_set(txn, plan->upto);
	if (err == ERR_OK && moves)
		err = move_pending(txn, pass);
	if (err == ERR_OK)
		err = owe_again(txn, pass, keeps);
	if (err == ERR_OK)
		err = store_journal_last(txn, &last);
	/* Who committed meanwhile is not passed over: then it all is fresh. */
	if (err == ERR_OK && !plan->part && before == plan->upto)
		err = store_tried_set(txn, last);
	return err;
}

/* The store failed while its files were published. What was to be changed in
 * it is committed by then, so "nothing was changed" would be wrong here. */
static int store_failed(const struct site *site, enum err err)
{
	return say_error(CODE_LATER,
			 "publishing stopped: %s (%srun 'popbox sync')",
			 err == ERR_SYSTEM || err == ERR_FULL ? strerror(errno)
							      : err_text(err),
			 site->entry ? "the store is changed; " : "");
}

/* A part that is not the last: domains are closed, and everything is made; but
 * nothing is opened and nothing goes (plan_owes). */
static bool carry_part(struct pass *pass)
{
	if (!pass->cannot_close)
		pass->cannot_close = !steps_close(pass->site, &pass->plan);
	return errand_make(pass->site, &pass->plan);
}

/* A domain that may be new, of a handle of which something is pending. */
static void hold_back_pending(struct pass *pass)
{
	struct plan *plan = &pass->plan;
	char why[NAME_DOMAIN_MAX + NAME_HANDLE_MAX + 128];

	if (pass->scope != PLAN_FRESH || !pass->pending.count)
		return;
	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		struct plan_item *item = &plan->item[i];

		if (item->act != PLAN_MAKE || item->failed ||
		    (item->stays &&
		     !pending_has(&pass->pending, STORE_DOMAINS, false,
				  item->address.domain.s)) ||
		    !pending_of_handle(&pass->pending, &item->handle))
			continue;
		(void)snprintf(why, sizeof why,
			       "'%s' takes no mail yet: other changes of '%s' "
			       "are pending ('popbox status' says why)",
			       item->address.domain.s, item->handle.s);
		plan_fail(item, why);
		if (plan_is_mine(plan, item))
			say_error(0, "%s", why);
	}
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
	if (closed) {
		hold_back_pending(pass);
		steps_open(site, plan);
	}
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
		return store_failed(site, err);
	if (!(pass->plan.part ? carry_part(pass) : carry_whole(pass)))
		return CODE_LATER;
	err = store_write(site->store, &site->actor, mark_body, pass, true,
			  &last);
	pass->began = true;
	return err == ERR_OK ? CODE_DONE : store_failed(site, err);
}

static enum err owed_body(struct store_txn *txn, void *arg)
{
	bool *owed = arg;
	uint64_t mark, last;
	enum err err = store_tried(txn, &mark);

	if (err == ERR_OK)
		err = store_journal_last(txn, &last);
	if (err == ERR_OK)
		*owed = last > mark;
	return err;
}

static enum err pending_body(struct store_txn *txn, void *arg)
{
	return pending_collect(txn, arg);
}

/* Did somebody commit meanwhile, and leave the files to us? */
static int look_again(const struct site *site, bool *ret_owed)
{
	enum err err = store_read(site->store, owed_body, ret_owed);

	return err == ERR_OK ? CODE_DONE : store_failed(site, err);
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

/* Each item that failed and is to be told of; of the others one line. */
static int count_failed(const struct pass *pass, size_t *ret_failed)
{
	const struct plan *plan = &pass->plan;
	char object[STORE_OBJECT_TEXT];
	struct pending left = {0};
	enum err err = ERR_OK;
	size_t count = 0;

	if (plan->mine_upto)
		err = store_read(pass->site->store, pending_body, &left);
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];

		if (!item->failed || !plan_is_mine(plan, item))
			continue;
		count++;
		plan_object(item, object);
		pending_forget(&left, item->table, item->act == PLAN_REMOVE,
			       object);
	}
	if (err == ERR_OK)
		pending_note(&left);
	pending_free(&left);
	*ret_failed += count;
	return err == ERR_OK ? CODE_DONE : store_failed(pass->site, err);
}

/* Part by part. What failed in one is owed again and tried again in the last,
 * which alone counts. Each part but the last ends before the horizon, so there
 * is a last one. */
static int run_parts(struct pass *pass, size_t *ret_failed)
{
	enum err err = store_read(pass->site->store, horizon_body, pass);
	int code = err == ERR_OK ? CODE_DONE : store_failed(pass->site, err);
	bool more = true;

	while (code == CODE_DONE && more) {
		code = run_pass(pass);
		more = pass->plan.part;
		if (code == CODE_DONE && !more)
			code = count_failed(pass, ret_failed);
		plan_free(&pass->plan);
	}
	pending_free(&pass->pending);
	return code;
}

static int run_full(struct site *site, size_t *ret_failed)
{
	struct pass pass = {.site = site, .scope = PLAN_ALL};
	int code = run_pass(&pass);

	if (code == CODE_DONE)
		code = count_failed(&pass, ret_failed);
	plan_free(&pass.plan);
	pending_free(&pass.pending);
	return code;
}

/* One run of the publisher. */
struct run {
	enum plan_scope scope;
	uint64_t mine, mine_upto;
};

/* With PLAN_ALL, everything after what is owed, of which removals are a part. */
static int run_once(struct site *site, const struct run *run,
		    size_t *ret_failed)
{
	struct pass pass = {.site = site,
			    .scope = run->scope == PLAN_FRESH ? PLAN_FRESH
							      : PLAN_OWED,
			    .mine = run->mine,
			    .mine_upto = run->mine_upto};
	int code = run_parts(&pass, ret_failed);

	if (code == CODE_DONE && run->scope == PLAN_ALL)
		code = run_full(site, ret_failed);
	return code;
}

static int lock_failed(const struct site *site, const char *doing, int rc)
{
	return say_error(CODE_LATER,
			 "cannot %s '%s/publish.lock': %s (%srun 'popbox "
			 "sync')",
			 doing, site->dir, strerror(rc),
			 site->entry ? "the store is changed; " : "");
}

/* Whoever commits while we publish leaves its work to us, so look again after
 * giving the lock up. What failed in this run is left to the next one. */
static int run_until_done(struct site *site, int lock, struct run *run,
			  size_t *ret_failed)
{
	bool owed = true;
	int code = CODE_DONE;

	while (code == CODE_DONE && owed && !*ret_failed) {
		int rc = flock(lock, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;

		if (rc == EINTR)
			continue;
		if (rc == EWOULDBLOCK) {
			say_note("another popbox is publishing: it takes this "
				 "change along");
			break;
		}
		if (rc != 0)
			return lock_failed(site, "lock", rc);
		code = run_once(site, run, ret_failed);
		run->scope = PLAN_FRESH;
		(void)futimens(lock, NULL); /* for `status` */
		(void)flock(lock, LOCK_UN); /* of our own lock */
		if (code == CODE_DONE)
			code = look_again(site, &owed);
	}
	return code;
}

static int run_all(struct site *site, struct run *run)
{
	size_t failed = 0;
	int lock = open_lock(site), code;

	if (lock < 0)
		return lock_failed(site, "open", errno);
	code = run_until_done(site, lock, run, &failed);
	(void)close(lock); /* nothing was written to it */
	if (code == CODE_DONE && !failed)
		interrupt_says("all was done");
	if (code == CODE_DONE && failed)
		code = say_error(CODE_LATER,
				 "%s%zu of its files could not be written: "
				 "correct the problem above, then run 'popbox "
				 "sync'",
				 site->entry ? "the store is changed, but "
					     : "the store is as it was: ",
				 failed);
	return code;
}

int publish(struct site *site, bool full)
{
	struct run run = {.scope = full ? PLAN_ALL : PLAN_OWED};

	return run_all(site, &run);
}

/* Where the commit of an entry begins. */
static enum err group_body(struct store_txn *txn, void *arg)
{
	struct run *run = arg;
	struct store_entry *entry = malloc(sizeof *entry);
	enum err err = entry ? store_journal_next(txn, run->mine_upto - 1,
						  entry)
			     : ERR_SYSTEM;

	if (err == ERR_OK)
		run->mine = entry->group - 1;
	free(entry);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

int publish_change(struct site *site, uint64_t last)
{
	struct run run = {.scope = PLAN_FRESH, .mine_upto = last};
	enum err err = ERR_OK;

	if (last)
		err = store_read(site->store, group_body, &run);
	else
		run.mine = run.mine_upto = UINT64_MAX; /* nothing is */
	return err == ERR_OK ? run_all(site, &run) : store_failed(site, err);
}
