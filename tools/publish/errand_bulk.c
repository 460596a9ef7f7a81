/* SPDX-License-Identifier: MIT */
/* errand_bulk.c: the errands of a large plan. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/say.h"
#include "errand_private.h"
#include "popusr/asuser_bulk.h"
#include "store/path.h"

void errand_path(const struct errand *errand, const struct plan_item *item,
		 char ret_path[PATH_MAX])
{
	const char *home = errand->site->config.home;
	char dir[PATH_MAX], name[MAILROOT_QMAIL_NAME];

	if (item->table == STORE_BOXES) {
		path_box(home, &item->box, ret_path);
		return;
	}
	path_domain(home, &item->handle, &item->address.domain, dir);
	name[0] = 0;
	if (item->table == STORE_ADDRESSES)
		mailroot_qmail_name(&item->address.local, name);
	if (snprintf(ret_path, PATH_MAX, "%s%s%s", dir, name[0] ? "/" : "",
		     name) >= PATH_MAX)
		ret_path[0] = 0; /* its handle will be named */
}

static void done(void *arg, size_t id, int rc)
{
	struct errand *errand = arg;
	struct plan_item *item = &errand->plan->item[id];
	char path[PATH_MAX];

	item->waits = rc == MAILROOT_WAITS;
	if (rc == 0 || item->waits || item->failed)
		return;
	errand_path(errand, item, path);
	errand_settle(errand->plan, item, rc, path);
}

static int add(struct asuser_bulk *bulk, const struct plan_item *item,
	       size_t id, enum mailroot_step step)
{
	const bool writes = step == MAILROOT_WRITE;
	struct mailroot_job job;

	/* Its gaps go to popusr's child as well, and are no bytes of root's. */
	memset(&job, 0, sizeof job);
	job.step = step;
	job.handle = item->handle;
	job.number = item->box.number;
	job.address = item->address;
	job.mode = item->mode;
	job.len = writes ? item->len : 0;
	return asuser_bulk_add(bulk, id, &job, writes ? item->text : NULL);
}

/* All of one table that is to be made. */
static int make(struct errand *errand, struct asuser_bulk *bulk,
		enum store_table table, enum mailroot_step step)
{
	struct plan *plan = errand->plan;
	int rc = 0;

	for (size_t i = plan_next(plan, 0, table); rc == 0 && i < plan->count;
	     i = plan_next(plan, i + 1, table)) {
		struct plan_item *item = &plan->item[i];

		progress_step(&errand->progress, 1);
		if (!errand_makes(item) ||
		    (table == STORE_DOMAINS && item->domain->kind != STORE_POP))
			continue;
		if (!errand_waits_for_box(plan, item))
			rc = add(bulk, item, i, step);
		if (rc == EFBIG) {
			done(errand, i, rc);
			rc = 0;
		}
	}
	return rc == 0 ? asuser_bulk_drain(bulk) : rc;
}

/* Of those boxes that have one, or had. */
static int make_quotas(struct errand *errand, struct asuser_bulk *bulk)
{
	struct plan *plan = errand->plan;
	char limit[MAILDIRSIZE_LINE];
	int rc = 0;

	for (size_t i = plan_next(plan, 0, STORE_BOXES);
	     rc == 0 && i < plan->count;
	     i = plan_next(plan, i + 1, STORE_BOXES)) {
		const struct plan_item *item = &plan->item[i];
		struct mailroot_job job;

		errand_limit(item, limit);
		if (!errand_makes(item) || item->failed ||
		    !(limit[0] || item->unlimits))
			continue;
		memset(&job, 0, sizeof job); /* as add does */
		job.step = MAILROOT_QUOTA;
		job.handle = item->handle;
		job.number = item->box.number;
		job.len = strlen(limit);
		rc = asuser_bulk_add(bulk, i, &job, limit);
	}
	return rc == 0 ? asuser_bulk_drain(bulk) : rc;
}

/* The same of replies. */
static int make_replies(struct errand *errand, struct asuser_bulk *bulk)
{
	struct plan *plan = errand->plan;
	int rc = 0;

	for (size_t i = plan_next(plan, 0, STORE_BOXES);
	     rc == 0 && i < plan->count;
	     i = plan_next(plan, i + 1, STORE_BOXES)) {
		const struct plan_item *item = &plan->item[i];
		struct mailroot_job job;

		if (!errand_makes(item) || item->failed ||
		    !(item->text || item->unanswers))
			continue;
		memset(&job, 0, sizeof job); /* as add does */
		job.step = MAILROOT_VACATION;
		job.handle = item->handle;
		job.number = item->box.number;
		job.len = item->len;
		rc = asuser_bulk_add(bulk, i, &job, item->text);
	}
	return rc == 0 ? asuser_bulk_drain(bulk) : rc;
}

/* Those that are dialled in have directories of their own, and are few. */
static void make_dialups(struct errand *errand)
{
	struct plan *plan = errand->plan;

	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		struct plan_item *item = &plan->item[i];

		if (errand_makes(item) &&
		    item->domain->kind == STORE_DIALUP)
			errand_one(errand, item);
	}
}

/* What waits gets its name, or goes. */
static int rename_all(struct errand *errand, struct asuser_bulk *bulk,
		      enum mailroot_step step)
{
	struct plan *plan = errand->plan;
	int rc = 0;

	for (size_t i = plan_next(plan, 0, STORE_ADDRESSES);
	     rc == 0 && i < plan->count;
	     i = plan_next(plan, i + 1, STORE_ADDRESSES)) {
		if (plan->item[i].waits)
			rc = add(bulk, &plan->item[i], i, step);
	}
	return rc == 0 ? asuser_bulk_drain(bulk) : rc;
}

/* Nothing of it is known to be durable. */
static void fail_all(struct errand *errand, int rc)
{
	struct plan *plan = errand->plan;
	char why[PATH_MAX + 128];

	(void)snprintf(why, sizeof why,
		       "cannot write to the disks below '%s': %s",
		       errand->site->config.home, strerror(rc));
	say_error(0, "%s", why);
	for (size_t i = 0; i < plan->count; i++) {
		if (errand_makes(&plan->item[i]))
			plan_fail(&plan->item[i], why);
	}
}

/* Everything but the renames is durable, then they are done, then they are
 * durable. 0, or EPIPE. */
static int settle_files(struct errand *errand, struct asuser_bulk *bulk)
{
	int rc = asuser_bulk_sync(bulk);

	if (rc != 0 && rc != EPIPE) {
		fail_all(errand, rc);
		return rename_all(errand, bulk, MAILROOT_DISCARD);
	}
	if (rc == 0)
		rc = rename_all(errand, bulk, MAILROOT_RENAME);
	if (rc == 0)
		rc = asuser_bulk_sync(bulk);
	if (rc != 0 && rc != EPIPE) {
		fail_all(errand, rc);
		rc = 0;
	}
	return rc;
}

bool errand_stopped(const struct errand *errand, int rc)
{
	return say_error(0,
			 "publishing stopped: %s (%srun 'popbox sync')",
			 rc == EPIPE ? "the helper that is popusr has ended"
				     : strerror(rc),
			 errand->site->entry ? "the store is changed; " : "");
}

bool errand_bulk(struct errand *errand)
{
	struct asuser_bulk *bulk =
		asuser_bulk_start(errand->site->asuser, done, errand);
	int rc = bulk ? 0 : ENOMEM;

	if (rc == 0)
		rc = make(errand, bulk, STORE_BOXES, MAILROOT_BOX);
	if (rc == 0)
		rc = make_quotas(errand, bulk);
	if (rc == 0)
		rc = make_replies(errand, bulk);
	if (rc == 0)
		rc = make(errand, bulk, STORE_DOMAINS, MAILROOT_DOMAIN);
	if (rc == 0)
		make_dialups(errand);
	if (rc == 0)
		rc = make(errand, bulk, STORE_ADDRESSES, MAILROOT_WRITE);
	if (rc == 0)
		rc = settle_files(errand, bulk);
	asuser_bulk_stop(&bulk);
	return rc == 0 || errand_stopped(errand, rc);
}
