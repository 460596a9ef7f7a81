#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "control.h"
#include "notify.h"
#include "plan.h"
#include "progress.h"
#include "say.h"

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

/* Popusr's work on one item. */
static int make(struct asuser *asuser, struct plan_item *item,
		char path[PATH_MAX])
{
	switch (item->table) {
	case STORE_BOXES:
		return asuser_box(asuser, &item->box, path);
	case STORE_DOMAINS:
		if (item->kind != STORE_POP)
			return 0; /* has no directory */
		return asuser_domain(asuser, &item->handle,
				     &item->address.domain, path);
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
				       make(pass->site->asuser, item, path),
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
		if (item->kind != STORE_POP)
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
				say_note("'%s' has files made by hand: it was "
					 "left where it is",
					 path);
			else
				settle(item, rc, path);
		}
	}
}

static struct store_domain item_domain(const struct plan_item *item)
{
	return (struct store_domain){.name = item->address.domain,
				     .handle = item->handle,
				     .kind = item->kind,
				     .target = item->target,
				     .subdomains = item->subdomains};
}

/* The steps in which qmail's own files change. Nothing is taken away before
 * the last mail for it can be gone, and nothing is accepted before it can be
 * delivered. */
enum step {
	STOP_ACCEPTING, /* rcpthosts: what was deleted goes */
	ASSIGN_NEW,	/* users/assign: what is new comes */
	ROUTE,		/* virtualdomains: new ones come, purged ones go */
	ASSIGN_OLD,	/* users/assign: what was purged goes */
	ACCEPT,		/* rcpthosts: what is new comes */
	STEPS,
};

static const enum render_file step_file[STEPS] = {
	[STOP_ACCEPTING] = RENDER_RCPTHOSTS, [ASSIGN_NEW] = RENDER_ASSIGN,
	[ROUTE] = RENDER_VIRTUALDOMAINS,     [ASSIGN_OLD] = RENDER_ASSIGN,
	[ACCEPT] = RENDER_RCPTHOSTS,
};

/* The lines that one domain shall have or not have after a step. Covered is
 * one whose name has become an alias: what the name says there stays. */
static bool want_item(const struct config *config, const struct plan_item *item,
		      enum step step, struct render_lines *lines)
{
	const enum render_file file = step_file[step];
	const struct store_domain domain = item_domain(item);

	switch (step) {
	case STOP_ACCEPTING:
		return item->act == PLAN_MAKE || item->covered ||
		       render_unwant(lines, file, &domain);
	case ACCEPT:
		return item->act != PLAN_MAKE ||
		       render_want(lines, file, config, &domain);
	case ASSIGN_NEW:
		return item->act == PLAN_REMOVE ||
		       render_want(lines, file, config, &domain);
	case ASSIGN_OLD:
		return item->act != PLAN_REMOVE || item->kind != STORE_POP ||
		       render_unwant(lines, file, &domain);
	case ROUTE:
		if (item->covered)
			return true;
		return item->act == PLAN_REMOVE
			       ? render_unwant(lines, file, &domain)
			       : render_want(lines, file, config, &domain);
	case STEPS:
		break;
	}
	return true;
}

static bool want(const struct config *config, const struct plan *plan,
		 enum step step, struct render_lines *lines)
{
	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		if (!plan->item[i].failed &&
		    !want_item(config, &plan->item[i], step, lines))
			return say_error(0, "no memory");
	}
	return true;
}

/* *ret_any: some domain has to do with this step. */
static bool take_step(const struct pass *pass, enum step step, bool *ret_any)
{
	const struct config *config = &pass->site->config;
	struct render_lines lines = {0};
	bool good = want(config, &pass->plan, step, &lines);

	*ret_any = lines.count > 0;
	if (good && *ret_any)
		good = control_write(config, step_file[step], &lines);
	render_lines_free(&lines);
	return good;
}

static void fail_domains(struct pass *pass)
{
	struct plan *plan = &pass->plan;

	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS))
		plan->item[i].failed = true;
}

/* qmail is told whether or not a file had to be changed: a run that was killed
 * may have changed it and not come so far. */
static bool step_and_tell(struct pass *pass, enum step step)
{
	const struct config *config = &pass->site->config;
	bool any;

	if (!config_has_qmail(config))
		return true;
	if (!take_step(pass, step, &any)) {
		fail_domains(pass);
		return false;
	}
	if (any && step_file[step] == RENDER_ASSIGN && !notify_newu(config))
		any = false;
	else if (any && step == ROUTE && !notify_hup(config))
		any = false;
	else
		return true;
	fail_domains(pass);
	return false;
}

/* Each step that fails keeps back those behind it. */
static void tell_qmail(struct pass *pass)
{
	for (enum step step = ASSIGN_NEW; step < STEPS; step++) {
		if (!step_and_tell(pass, step))
			return;
	}
}

static enum err owe(struct store_txn *txn, const struct plan_item *item)
{
	const bool gone = item->act == PLAN_REMOVE;
	const struct store_domain domain = item_domain(item);

	switch (item->table) {
	case STORE_BOXES:
		return gone ? store_owe_purge_box(txn, &item->box)
			    : store_owe_box(txn, &item->box);
	case STORE_DOMAINS:
		return gone ? store_owe_purge_domain(txn, &domain)
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
	if (step_and_tell(pass, STOP_ACCEPTING)) {
		make_all(pass);
		/* Of a handle for which something failed no new domain is
		 * accepted. */
		if (!plan_hold_back(&pass->plan))
			return say_error(CODE_LATER, "no memory");
		tell_qmail(pass);
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

/* The lines of a .qmail file on one. */
static void show_text(const char *path, const char *name,
		      const struct plan_item *item)
{
	char line[1024];
	size_t len = item->len - 1; /* less the last newline */

	if (len >= sizeof line)
		len = sizeof line - 1;
	memcpy(line, item->text, len);
	line[len] = 0;
	for (char *c = line; *c; c++) {
		if (*c == '\n')
			*c = ' ';
	}
	say_out("%s/%s: %s%s", path, name, line[0] == ' ' ? "(held)" : "",
		line);
}

static void show_item(const struct site *site, const struct plan_item *item)
{
	const char *sign = item->act == PLAN_REMOVE ? "- " : "";
	char path[PATH_MAX] = "", name[MAILROOT_QMAIL_NAME];

	switch (item->table) {
	case STORE_BOXES:
		if (mailroot_box_path(site->config.home, &item->box, path))
			say_out("%s/: %sMaildir", path, sign);
		return;
	case STORE_DOMAINS:
		if (item->kind == STORE_POP && item->act != PLAN_CLOSE &&
		    mailroot_domain_path(site->config.home, &item->handle,
					 &item->address.domain, path))
			say_out("%s/: %sdirectory", path, sign);
		return;
	case STORE_ADDRESSES:
		mailroot_qmail_name(&item->address.local, name);
		if (!mailroot_domain_path(site->config.home, &item->handle,
					  &item->address.domain, path))
			return;
		if (item->act == PLAN_REMOVE)
			say_out("%s/%s: - file", path, name);
		else
			show_text(path, name, item);
		return;
	case STORE_HANDLES:
		return;
	}
}

static enum err show_file(const struct config *config, const struct plan *plan,
			  enum step first, enum step second)
{
	struct render_lines lines = {0};
	enum err err = ERR_OK;

	if (!want(config, plan, first, &lines) ||
	    (second != first && !want(config, plan, second, &lines)) ||
	    (lines.count && !control_show(config, step_file[first], &lines)))
		err = ERR_SYSTEM;
	render_lines_free(&lines);
	return err;
}

enum err publish_show(const struct site *site, struct store_txn *txn, bool full,
		      unsigned long *ret_steps)
{
	const struct config *config = &site->config;
	struct plan plan = {0};
	enum err err = plan_make(txn, config, full, &plan);

	for (size_t i = 0; err == ERR_OK && i < plan.count; i++)
		show_item(site, &plan.item[i]);
	if (err == ERR_OK && config_has_qmail(config))
		err = show_file(config, &plan, ASSIGN_NEW, ASSIGN_OLD);
	if (err == ERR_OK && config_has_qmail(config))
		err = show_file(config, &plan, ROUTE, ROUTE);
	if (err == ERR_OK && config_has_qmail(config))
		err = show_file(config, &plan, ACCEPT, STOP_ACCEPTING);
	*ret_steps = plan.count;
	plan_free(&plan);
	return err;
}
