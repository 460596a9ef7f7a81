/* SPDX-License-Identifier: MIT */
/* errand_look.c: a host that awaits: what another host makes on the mail root that
 * they share, is it there?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/say.h"
#include "errand_private.h"
#include "popusr/asuser_bulk.h"

bool errand_is_awaited(const char *why)
{
	return strcmp(why, ERRAND_AWAITED) == 0;
}

/* A file that says something else is one that the other host has not come to: mail
 * goes where it says until then. */
static void settle(struct errand *errand, struct plan_item *item, int rc,
		   const char *path)
{
	char why[PATH_MAX + 128];

	if (rc == 0)
		return;
	item->awaits = rc == ENOENT;
	if (item->awaits) {
		plan_fail(item, ERRAND_AWAITED);
		return;
	}
	if (rc == ENXIO)
		(void)snprintf(
			why, sizeof why,
			"the mail root '%s' is not there (is it mounted?)",
			errand->site->config.home);
	else
		(void)snprintf(why, sizeof why, "cannot look at '%s': %s", path,
			       rc == EINVAL
				       ? "something else stands in its place"
				       : strerror(rc));
	plan_fail(item, why);
	if (plan_is_mine(errand->plan, item))
		say_error(0, "%s", why);
}

static void done(void *arg, size_t id, int rc)
{
	struct errand *errand = arg;
	struct plan_item *item = &errand->plan->item[id];
	char path[PATH_MAX] = "";

	if (rc != 0 && rc != ENOENT && rc != ENXIO)
		errand_path(errand, item, path);
	settle(errand, item, rc, path);
}

static int look(struct errand *errand, struct asuser_bulk *bulk,
		enum store_table table, enum mailroot_step step)
{
	struct plan *plan = errand->plan;
	int rc = 0;

	for (size_t i = plan_next(plan, 0, table); rc == 0 && i < plan->count;
	     i = plan_next(plan, i + 1, table)) {
		const struct plan_item *item = &plan->item[i];
		struct mailroot_job job;

		progress_step(&errand->progress, 1);
		if (item->act != PLAN_MAKE ||
		    (table == STORE_DOMAINS && item->domain->kind != STORE_POP))
			continue;
		memset(&job, 0, sizeof job); /* its gaps travel, too */
		job.step = step;
		job.handle = item->handle;
		job.number = item->box.number;
		job.address = item->address;
		rc = asuser_bulk_add(bulk, i, &job, NULL);
	}
	return rc == 0 ? asuser_bulk_drain(bulk) : rc;
}

static void look_dialups(struct errand *errand)
{
	struct plan *plan = errand->plan;

	for (size_t i = plan_next(plan, 0, STORE_DOMAINS); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_DOMAINS)) {
		struct plan_item *item = &plan->item[i];
		struct mailroot_dialup files = {.qmail = ""};
		char path[PATH_MAX] = "";
		int rc;

		if (item->act != PLAN_MAKE ||
		    item->domain->kind != STORE_DIALUP)
			continue;
		rc = asuser_dialup_peek(errand->site->asuser,
					&item->address.domain, &files, path);
		/* Its maker writes this file last. */
		settle(errand, item, rc == 0 && !files.qmail[0] ? ENOENT : rc,
		       path);
	}
}

bool errand_look(struct errand *errand)
{
	struct asuser_bulk *bulk =
		asuser_bulk_start(errand->site->asuser, done, errand);
	int rc = bulk ? 0 : ENOMEM;

	if (rc == 0)
		rc = look(errand, bulk, STORE_BOXES, MAILROOT_LOOK_BOX);
	if (rc == 0)
		rc = look(errand, bulk, STORE_DOMAINS, MAILROOT_LOOK_DOMAIN);
	if (rc == 0)
		rc = look(errand, bulk, STORE_ADDRESSES, MAILROOT_LOOK_FILE);
	if (rc == 0)
		look_dialups(errand);
	asuser_bulk_stop(&bulk);
	return rc == 0 || errand_stopped(errand, rc);
}
