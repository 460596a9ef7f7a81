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

static void make_boxes(struct pass *pass, struct progress *progress)
{
	struct plan *plan = &pass->plan;
	char path[PATH_MAX];

	for (size_t i = plan_next(plan, 0, STORE_BOXES); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_BOXES)) {
		struct plan_item *item = &plan->item[i];

		settle(item,
		       asuser_box(pass->site->asuser, &item->box, path), path);
		progress_step(progress, 1);
	}
}

static void make_domains(struct pass *pass, struct progress *progress)
{
	struct plan *plan = &pass->plan;
	char path[PATH_MAX];

	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		struct plan_item *item = &plan->item[i];

		progress_step(progress, 1);
		if (item->kind != STORE_POP)
			continue; /* has no directory */
		settle(item,
		       asuser_domain(pass->site->asuser, &item->handle,
				     &item->address.domain, path),
		       path);
	}
}

static void make_addresses(struct pass *pass, struct progress *progress)
{
	struct plan *plan = &pass->plan;
	char path[PATH_MAX];

	for (size_t i = plan_next(plan, 0, STORE_ADDRESSES); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_ADDRESSES)) {
		struct plan_item *item = &plan->item[i];

		progress_step(progress, 1);
		/* A file that names a Maildir which could not be made waits
		 * for it. */
		if (item->has_box && plan_box_failed(plan, &item->box)) {
			item->failed = true;
			continue;
		}
		settle(item,
		       asuser_qmail(pass->site->asuser, &item->handle,
				    &item->address, item->text, item->len,
				    item->mode, path),
		       path);
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

/* The lines of a file that the domains of the plan want. */
static bool want(const struct config *config, const struct plan *plan,
		 enum render_file file, struct render_lines *lines)
{
	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		struct store_domain domain = item_domain(&plan->item[i]);

		if (plan->item[i].failed)
			continue;
		if (!render_want(lines, file, config, &domain))
			return say_error(0, "no memory");
	}
	return true;
}

static bool write_file(const struct pass *pass, enum render_file file)
{
	const struct config *config = &pass->site->config;
	struct render_lines lines = {0};
	bool good = want(config, &pass->plan, file, &lines) &&
		    (lines.count == 0 || control_write(config, file, &lines));

	render_lines_free(&lines);
	return good;
}

static bool any_domain(const struct plan *plan)
{
	size_t i = plan_next(plan, 0, STORE_DOMAINS);

	while (i < plan->count && plan->item[i].failed)
		i = plan_next(plan, i + 1, STORE_DOMAINS);
	return i < plan->count;
}

/* qmail is told whether or not a file had to be changed: a run that was killed
 * may have changed it and not come so far. rcpthosts last. */
static void tell_qmail(struct pass *pass)
{
	const struct config *config = &pass->site->config;
	struct plan *plan = &pass->plan;

	if (!config_has_qmail(config) || !any_domain(plan))
		return;
	if (write_file(pass, RENDER_ASSIGN) && notify_newu(config) &&
	    write_file(pass, RENDER_VIRTUALDOMAINS) && notify_hup(config) &&
	    write_file(pass, RENDER_RCPTHOSTS))
		return;
	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS))
		plan->item[i].failed = true;
}

static enum err owe_failed(struct store_txn *txn, const struct plan *plan)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < plan->count; i++) {
		const struct plan_item *item = &plan->item[i];

		if (!item->failed)
			continue;
		if (item->table == STORE_BOXES)
			err = store_owe_box(txn, &item->box);
		else if (item->table == STORE_DOMAINS)
			err = store_owe_domain(txn, &item->address.domain);
		else
			err = store_owe_address(txn, &item->address);
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
	struct progress progress;
	uint64_t last;
	enum err err = store_read(site->store, plan_body, pass);

	if (err != ERR_OK)
		return store_failed(err);
	progress = progress_start("publishing", pass->plan.count);
	make_boxes(pass, &progress);
	make_domains(pass, &progress);
	make_addresses(pass, &progress);
	progress_end(&progress);
	/* Of a handle for which something failed no new domain is accepted. */
	if (!plan_hold_back(&pass->plan))
		return say_error(CODE_LATER, "no memory");
	tell_qmail(pass);
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

static void show_item(const struct site *site, const struct plan_item *item)
{
	char path[PATH_MAX] = "", name[MAILROOT_QMAIL_NAME];

	switch (item->table) {
	case STORE_BOXES:
		if (mailroot_box_path(site->config.home, &item->box, path))
			say_out("%s/: Maildir", path);
		return;
	case STORE_DOMAINS:
		if (item->kind == STORE_POP &&
		    mailroot_domain_path(site->config.home, &item->handle,
					 &item->address.domain, path))
			say_out("%s/: directory", path);
		return;
	case STORE_ADDRESSES:
		mailroot_qmail_name(&item->address.local, name);
		if (mailroot_domain_path(site->config.home, &item->handle,
					 &item->address.domain, path))
			say_out("%s/%s: %.*s", path, name, (int)item->len - 1,
				item->text);
		return;
	case STORE_HANDLES:
		return;
	}
}

enum err publish_show(const struct site *site, struct store_txn *txn, bool full,
		      unsigned long *ret_steps)
{
	static const enum render_file files[] = {
		RENDER_ASSIGN, RENDER_VIRTUALDOMAINS, RENDER_RCPTHOSTS};
	const struct config *config = &site->config;
	struct plan plan = {0};
	enum err err = plan_make(txn, config, full, &plan);

	for (size_t i = 0; err == ERR_OK && i < plan.count; i++)
		show_item(site, &plan.item[i]);
	for (size_t i = 0; err == ERR_OK && config_has_qmail(config) && i < 3;
	     i++) {
		struct render_lines lines = {0};

		if (want(config, &plan, files[i], &lines) && lines.count &&
		    !control_show(config, files[i], &lines))
			err = ERR_SYSTEM;
		render_lines_free(&lines);
	}
	*ret_steps = plan.count;
	plan_free(&plan);
	return err;
}
