/* SPDX-License-Identifier: MIT */
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/say.h"
#include "dovecot_files.h"
#include "errand.h"
#include "mapfiles.h"
#include "pending.h"
#include "plan.h"
#include "steps.h"

/* One pass: a plan being carried out. */
struct pass {
	struct site *site;
	struct plan plan;
	enum plan_scope scope;
	uint64_t mine, mine_upto; /* plan.h */
	bool began; /* a part is done, up to */
	struct store_pending at;
	bool ends;	   /* all parts are done: what is left is tried at once */
	bool all;	   /* everything is pending */
	bool cannot_close; /* was said */
};

/* What is left to the last pass is what parts put off, and what failed in them. */
static enum err plan_body(struct store_txn *txn, void *arg)
{
	struct pass *pass = arg;
	const struct config *config = &pass->site->config;
	enum err err = store_pending_all(txn, &pass->all);

	plan_free(&pass->plan); /* a body may be run again */
	if (err != ERR_OK)
		return err;
	err = pass->scope == PLAN_ALL || pass->ends
		      ? plan_make(txn, config, pass->scope, &pass->plan)
		      : plan_make_part(txn, config, pass->scope,
				       pass->began ? &pass->at : NULL,
				       &pass->plan);
	pass->plan.mine = pass->mine;
	pass->plan.mine_upto = pass->mine_upto;
	return err;
}

/* What a look at everything found is nobody's change in particular. */
static void sign(const struct pass *pass, struct store_pending *row)
{
	const struct store_actor *actor = &pass->site->actor;

	row->first = row->last = pass->plan.upto ? pass->plan.upto : 1;
	row->since = time(NULL);
	memcpy(row->actor, actor->name, sizeof row->actor);
	memcpy(row->command, actor->command, sizeof row->command);
}

static unsigned what_of(const struct plan_item *item)
{
	return STORE_PENDING_SAYS |
	       (item->unlimits ? STORE_PENDING_QUOTA : 0u) |
	       (item->unanswers ? STORE_PENDING_VACATION : 0u);
}

/* A row for an item that has none: what brought it was a row of another object. */
static void begin(const struct pass *pass, const struct plan_item *item,
		  struct store_pending *row)
{
	row->what = what_of(item);
	row->stays = item->stays;
	row->first = item->first;
	row->last = item->last;
	row->since = item->since;
	if (!item->last)
		sign(pass, row);
}

static void note_failure(const struct plan *plan, const struct plan_item *item,
			 struct store_pending *row)
{
	(void)snprintf(row->why, sizeof row->why, "%s",
		       item->why ? item->why : ""); /* cut is enough */
	row->tried = plan->upto;
	row->tried_at = time(NULL);
	row->tries += row->tries < UINT32_MAX;
}

/* Its row stays, or is made, with why it failed; but a part that is not the last
 * leaves that to the last. What the row wanted of other objects is done, or those
 * have rows by now. */
static enum err keep(struct store_txn *txn, const struct pass *pass,
		     const struct plan_item *item)
{
	const struct plan *plan = &pass->plan;
	struct store_pending row;
	enum err err;

	plan_name(item, &row);
	err = store_pending_get(txn, &row, &row);
	if (err == ERR_NOTFOUND)
		begin(pass, item, &row);
	else if (err != ERR_OK || row.last > plan->upto)
		return err; /* somebody changed it meanwhile */
	else if (plan_has_row(plan, &row))
		row.what = what_of(item);
	if (item->failed && !plan->part)
		note_failure(plan, item, &row);
	return store_pending_put(txn, &row);
}

/* All that it was made from, but for what stays. */
static enum err drop_done(struct store_txn *txn, const struct pass *pass,
			  bool keeps)
{
	const struct plan *plan = &pass->plan;
	struct store_pending row;
	uint64_t last;
	enum err err;

	if (plan->scope == PLAN_ALL)
		return ERR_OK;
	err = store_journal_last(txn, &last);
	if (err == ERR_OK && !keeps && last == plan->upto &&
	    plan_has_all_rows(plan))
		return store_pending_clear(txn);
	if (err == ERR_OK)
		err = store_pending_next(txn, plan->begins ? &plan->from : NULL,
					 &row);
	while (err == ERR_OK && (!plan->to.handle.s[0] ||
				 store_pending_order(&row, &plan->to) <= 0)) {
		if (plan_has_row(plan, &row) &&
		    !(keeps && plan_keeps_row(plan, &row)))
			err = store_pending_drop(txn, &row);
		if (err == ERR_OK)
			err = store_pending_next(txn, &row, &row);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static size_t count_kept(const struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan_keeps(plan, &plan->item[i]);
	return count;
}

static enum err done_body(struct store_txn *txn, void *arg)
{
	const struct pass *pass = arg;
	const struct plan *plan = &pass->plan;
	const size_t keeps = count_kept(plan);
	/* Before rows are made for what is kept, which are not to be dropped. */
	enum err err = drop_done(txn, pass, keeps > 0);

	for (size_t i = 0; err == ERR_OK && i < plan->count; i++) {
		if (plan_keeps(plan, &plan->item[i]))
			err = keep(txn, pass, &plan->item[i]);
	}
	if (err == ERR_OK && plan->scope == PLAN_ALL && pass->all)
		err = store_pending_all_set(txn, false);
	return err == ERR_OK ? store_journal_note(txn) : err;
}

/* A transaction in which nothing happens costs, too. */
static bool has_done(const struct pass *pass)
{
	const struct plan *plan = &pass->plan;

	return plan->rows || count_kept(plan) ||
	       (plan->scope == PLAN_ALL && pass->all);
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
 * nothing is opened and nothing goes (plan_keeps). */
static bool carry_part(struct pass *pass)
{
	if (!pass->cannot_close)
		pass->cannot_close = !steps_close(pass->site, &pass->plan);
	return errand_make(pass->site, &pass->plan) &&
	       dovecot_files_write(pass->site, &pass->plan) &&
	       mapfiles_write(pass->site, &pass->plan);
}

/* A domain that may be new, of a handle of which something is pending. */
static void hold_back_pending(struct pass *pass)
{
	struct plan *plan = &pass->plan;
	char why[NAME_DOMAIN_MAX + NAME_HANDLE_MAX + 128];

	for (size_t i = plan_next(plan, 0, STORE_DOMAINS);
	     plan->blocks && i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		struct plan_item *item = &plan->item[i];

		if (item->act != PLAN_MAKE || item->failed || item->stays ||
		    !plan_blocks(plan, &item->handle))
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

	if (!errand_make(site, plan) || !dovecot_files_write(site, plan) ||
	    !mapfiles_write(site, plan))
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

/* Where the next part begins. Behind the last one there is one pass more. */
static void go_on(struct pass *pass)
{
	if (pass->plan.part)
		pass->at = pass->plan.to;
	else if (pass->began)
		pass->plan.part = pass->ends = true;
	pass->began = pass->began || pass->plan.part;
}

/* Carries out one plan under the lock. */
static int run_pass(struct pass *pass)
{
	struct site *site = pass->site;
	const bool last = pass->ends;
	uint64_t entry;
	enum err err = store_read(site->store, plan_body, pass);

	if (err != ERR_OK)
		return store_failed(site, err);
	if (!last)
		go_on(pass);
	if (!(pass->plan.part ? carry_part(pass) : carry_whole(pass)))
		return CODE_LATER;
	if (has_done(pass))
		err = store_write(site->store, &site->actor, done_body, pass,
				  true, &entry);
	return err == ERR_OK ? CODE_DONE : store_failed(site, err);
}

static enum err fresh_body(struct store_txn *txn, void *arg)
{
	bool *fresh = arg;
	struct store_pending row;
	enum err err = store_pending_all(txn, fresh);

	if (err != ERR_OK || *fresh)
		return err;
	err = store_pending_next(txn, NULL, &row);
	while (err == ERR_OK && !store_pending_fresh(&row))
		err = store_pending_next(txn, &row, &row);
	*fresh = err == ERR_OK;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err pending_body(struct store_txn *txn, void *arg)
{
	return pending_collect(txn, arg);
}

/* Did somebody commit meanwhile, and leave the files to us? */
static int look_again(const struct site *site, bool *ret_fresh)
{
	enum err err = store_read(site->store, fresh_body, ret_fresh);

	return err == ERR_OK ? CODE_DONE : store_failed(site, err);
}

static int open_lock(const struct site *site)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/publish.lock", site->dir);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* What is left of a run. */
struct left {
	size_t failed;
	size_t awaited; /* another host has not made it yet */
};

static bool is_left(const struct left *left)
{
	return left->failed || left->awaited;
}

/* Each item that failed and is to be told of; of the others one line. */
static int count_failed(const struct pass *pass, struct left *ret_left)
{
	const struct plan *plan = &pass->plan;
	char object[STORE_OBJECT_TEXT];
	struct pending others = {0};
	enum err err = ERR_OK;

	if (plan->mine_upto && !pass->site->scoped)
		err = store_read(pass->site->store, pending_body, &others);
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];

		if (!item->failed || !plan_is_mine(plan, item))
			continue;
		if (item->awaits)
			ret_left->awaited++;
		else
			ret_left->failed++;
		plan_object(item, object);
		pending_forget(&others, item->table,
			       item->table == STORE_DOMAINS &&
				       item->act == PLAN_REMOVE,
			       object);
	}
	if (err == ERR_OK)
		pending_note(&others);
	pending_free(&others);
	return err == ERR_OK ? CODE_DONE : store_failed(pass->site, err);
}

/* Part by part. What failed in one is tried again in the last, which alone
 * counts. */
static int run_parts(struct pass *pass, struct left *ret_left)
{
	int code = CODE_DONE;
	bool more = true;

	while (code == CODE_DONE && more) {
		code = run_pass(pass);
		more = pass->plan.part;
		if (code == CODE_DONE && !more)
			code = count_failed(pass, ret_left);
		plan_free(&pass->plan);
	}
	return code;
}

/* One run of the publisher. */
struct run {
	enum plan_scope scope;
	uint64_t mine, mine_upto;
};

static int run_scope(struct site *site, const struct run *run,
		     enum plan_scope scope, struct left *ret_left)
{
	struct pass *pass = calloc(1, sizeof *pass);
	int code;

	if (!pass)
		return say_error(CODE_LATER, "no memory");
	pass->site = site;
	pass->scope = scope;
	pass->mine = run->mine;
	pass->mine_upto = run->mine_upto;
	code = run_parts(pass, ret_left);
	free(pass);
	return code;
}

static enum err all_body(struct store_txn *txn, void *arg)
{
	return store_pending_all(txn, arg);
}

/* With PLAN_ALL, everything after what is pending, of which removals are a part.
 * Where everything is pending it comes first: of what the rows open nothing may be
 * there yet. */
static int run_once(struct site *site, const struct run *run,
		    struct left *ret_left)
{
	const enum plan_scope scope =
		run->scope == PLAN_FRESH ? PLAN_FRESH : PLAN_PENDING;
	bool all = false;
	enum err err = store_read(site->store, all_body, &all);
	int code = err == ERR_OK ? CODE_DONE : store_failed(site, err);

	if (code == CODE_DONE && all)
		code = run_scope(site, run, PLAN_ALL, ret_left);
	if (code == CODE_DONE && !is_left(ret_left))
		code = run_scope(site, run, scope, ret_left);
	if (code == CODE_DONE && run->scope == PLAN_ALL && !all)
		code = run_scope(site, run, PLAN_ALL, ret_left);
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
			  struct left *ret_left)
{
	bool fresh = true;
	int code = CODE_DONE;

	while (code == CODE_DONE && fresh && !is_left(ret_left)) {
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
		code = run_once(site, run, ret_left);
		run->scope = PLAN_FRESH;
		(void)futimens(lock, NULL); /* for `status` */
		(void)flock(lock, LOCK_UN); /* of our own lock */
		if (code == CODE_DONE)
			code = look_again(site, &fresh);
	}
	return code;
}

/* An object whose files another host makes is no failure of this one. */
static int say_left(const struct site *site, const struct left *left)
{
	if (left->failed)
		return say_error(CODE_LATER,
				 "%s%zu of its files could not be written: "
				 "correct the problem above, then run 'popbox "
				 "sync'",
				 site->entry ? "the store is changed, but "
					     : "the store is as it was: ",
				 left->failed);
	if (!left->awaited)
		return CODE_DONE;
	say_note("%zu of its files await the host that makes Maildirs ('popbox "
		 "follow' here looks again each second; 'popbox cluster status' "
		 "shows that host)",
		 left->awaited);
	return site->entry ? CODE_DONE : CODE_LATER;
}

static int run_all(struct site *site, struct run *run)
{
	struct left left = {0, 0};
	int lock = open_lock(site), code;

	if (lock < 0)
		return lock_failed(site, "open", errno);
	code = run_until_done(site, lock, run, &left);
	(void)close(lock); /* nothing was written to it */
	if (code == CODE_DONE && !is_left(&left))
		interrupt_says("all was done");
	return code == CODE_DONE ? say_left(site, &left) : code;
}

int publish(struct site *site, bool full)
{
	struct run run = {.scope = full ? PLAN_ALL : PLAN_PENDING};

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

int publish_passwords(struct site *site, uint64_t last)
{
	return config_has_dovecot(&site->config) && last
		       ? publish_change(site, last)
		       : CODE_DONE;
}
