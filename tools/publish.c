#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "dialup.h"
#include "plan.h"
#include "progress.h"
#include "say.h"
#include "steps.h"

/* One pass: a plan being carried out. */
struct pass {
	struct site *site;
	struct plan plan;
	bool full;
};

static enum err plan_body(struct store_txn *txn, void *arg)
{
	struct pass *pass = arg;

	plan_free(&pass->plan); /* a body may be run again */
	return plan_make(txn, &pass->site->config, pass->full, &pass->plan);
}

/* rc of popusr's work, with the path that it is about. */
static void settle(struct plan_item *item, int rc, const char *path)
{
	if (rc == 0)
		return;
	item->failed = true;
	say_error(0, "cannot make '%s': %s", path[0] ? path : item->handle.s,
		  rc == EINVAL	? "something else stands in its place"
		  : rc == EPIPE ? "the helper that is popusr has ended"
				: strerror(rc));
}

static int make_dialup(const struct site *site, const struct plan_item *item,
		       char path[PATH_MAX])
{
	struct mailroot_dialup files;

	if (!dialup_files(&site->config, item->domain, item->delivery, &files))
		return ENOMEM;
	return asuser_dialup(site->asuser, &item->address.domain, &files, path);
}

static int make_domain(const struct site *site, const struct plan_item *item,
		       char path[PATH_MAX])
{
	switch (item->domain->kind) {
	case STORE_POP:
		return asuser_domain(site->asuser, &item->handle,
				     &item->address.domain, path);
	case STORE_DIALUP:
		return make_dialup(site, item, path);
	case STORE_ALIAS:
	case STORE_RELAY:
	case STORE_BACKUP:
		break;
	}
	return 0; /* has no directory */
}

/* Popusr's work on one item. */
static int make(const struct site *site, struct plan_item *item,
		char path[PATH_MAX])
{
	struct asuser *asuser = site->asuser;

	switch (item->table) {
	case STORE_BOXES:
		return asuser_box(asuser, &item->box, path);
	case STORE_DOMAINS:
		return make_domain(site, item, path);
	case STORE_ADDRESSES:
		return asuser_qmail(asuser, &item->handle, &item->address,
				    item->text, item->len, item->mode, path);
	case STORE_HANDLES:
		break;
	}
	return 0;
}

/* Maildirs, then directories, then files: one that names a Maildir which could
 * not be made waits for it. */
static void make_all(struct pass *pass)
{
	static const enum store_table order[] = {STORE_BOXES, STORE_DOMAINS,
						 STORE_ADDRESSES};
	struct plan *plan = &pass->plan;
	struct progress progress = progress_start("publishing", plan->count);
	char path[PATH_MAX] = "";

	for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
		for (size_t i = plan_next(plan, 0, order[k]); i < plan->count;
		     i = plan_next(plan, i + 1, order[k])) {
			struct plan_item *item = &plan->item[i];

			progress_step(&progress, 1);
			if (item->act != PLAN_MAKE)
				continue;
			if (order[k] == STORE_ADDRESSES && item->has_box &&
			    plan_box_failed(plan, &item->box))
				item->failed = true;
			else
				settle(item,
				       make(pass->site, item, path),
				       path);
		}
	}
	progress_end(&progress);
}

static int removal(struct asuser *asuser, const struct plan_item *item,
		   char path[PATH_MAX])
{
	switch (item->table) {
	case STORE_BOXES:
		return asuser_remove_box(asuser, &item->box, path);
	case STORE_DOMAINS:
		if (item->domain->kind == STORE_DIALUP)
			return asuser_remove_dialup(asuser,
						    &item->address.domain,
						    path);
		if (item->domain->kind != STORE_POP)
			return 0; /* has no directory */
		return asuser_remove_domain(asuser, &item->handle,
					    &item->address.domain, path);
	case STORE_ADDRESSES:
		return asuser_remove_qmail(asuser, &item->handle,
					   &item->address, path);
	case STORE_HANDLES:
		break;
	}
	return 0;
}

static bool is_waiting(const struct plan *plan, enum plan_act act)
{
	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		if (plan->item[i].act == act && plan->item[i].failed)
			return true;
	}
	return false;
}

/* What was purged, when qmail knows nothing of it any more: files, then their
 * directories, then Maildirs. A directory with files made by hand stays. */
static void remove_all(struct pass *pass)
{
	static const enum store_table order[] = {STORE_ADDRESSES,
						 STORE_DOMAINS, STORE_BOXES};
	struct plan *plan = &pass->plan;
	bool waiting = is_waiting(plan, PLAN_REMOVE);
	char path[PATH_MAX] = "";

	for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
		for (size_t i = plan_next(plan, 0, order[k]); i < plan->count;
		     i = plan_next(plan, i + 1, order[k])) {
			struct plan_item *item = &plan->item[i];
			int rc;

			if (item->act != PLAN_REMOVE)
				continue;
			if (waiting) {
				item->failed = true;
				continue;
			}
			rc = removal(pass->site->asuser, item, path);
			if (rc == ENOTEMPTY && order[k] == STORE_DOMAINS)
				say_note("'%s' has %s: it was left where it is",
					 path,
					 item->domain->kind == STORE_DIALUP
						 ? "mail that waits"
						 : "files made by hand");
			else
				settle(item, rc, path);
		}
	}
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
static enum err owe_failed(struct store_txn *txn, const struct plan *plan)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];

		if (item->failed)
			err = owe(txn, item);
	}
	return err;
}

static enum err mark_body(struct store_txn *txn, void *arg)
{
	const struct pass *pass = arg;
	enum err err = store_published_set(txn, pass->plan.upto);

	return err == ERR_OK ? owe_failed(txn, &pass->plan) : err;
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

/* Carries out one plan under the lock. */
static int run_pass(struct pass *pass)
{
	struct site *site = pass->site;
	uint64_t last;
	enum err err = store_read(site->store, plan_body, pass);

	if (err != ERR_OK)
		return store_failed(err);
	if (steps_close(site, &pass->plan)) {
		make_all(pass);
		/* Of a handle for which something failed no new domain is
		 * accepted. */
		if (!plan_hold_back(&pass->plan))
			return say_error(CODE_LATER, "no memory");
		steps_open(site, &pass->plan);
	} else {
		make_all(pass);
	}
	remove_all(pass);
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

static int run_once(struct site *site, bool full, size_t *ret_failed)
{
	struct pass pass = {.site = site, .full = full};
	int code = run_pass(&pass);

	*ret_failed = plan_failed(&pass.plan);
	plan_free(&pass.plan);
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
	if (code == CODE_DONE && failed)
		code = say_error(CODE_LATER,
				 "the store is changed, but %zu of its files "
				 "could not be brought in step: mend what is "
				 "said above, then run 'popbox sync'",
				 failed);
	return code;
}
