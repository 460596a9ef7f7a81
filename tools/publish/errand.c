/* SPDX-License-Identifier: MIT */
#include "errand.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/say.h"
#include "dialup.h"
#include "errand_private.h"
#include "qmail/dotqmail.h"

static const char *reason(int rc)
{
	switch (rc) {
	case EINVAL:
		return "something else stands in its place";
	case EPIPE:
		return "the helper that is popusr has ended";
	case ETIMEDOUT:
		return "there is very much in it: 'popbox sync' goes on";
	default:
		return strerror(rc);
	}
}

void errand_settle(const struct plan *plan, struct plan_item *item, int rc,
		   const char *path)
{
	char why[PATH_MAX + 128], object[STORE_OBJECT_TEXT];

	if (rc == 0)
		return;
	plan_object(item, object);
	(void)snprintf(why, sizeof why, "cannot %s %s'%s': %s",
		       item->act == PLAN_REMOVE ? "remove" : "make",
		       path[0] ? "" : "the files of ", path[0] ? path : object,
		       reason(rc));
	plan_fail(item, why);
	if (plan_is_mine(plan, item))
		say_error(0, "%s", why);
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

void errand_limit(const struct plan_item *item, char ret_text[MAILDIRSIZE_LINE])
{
	const struct maildirsize limit = dotqmail_limit(&item->quota);

	maildirsize_limit_text(&limit, ret_text);
}

static int make_box(struct asuser *asuser, const struct plan_item *item,
		    char path[PATH_MAX])
{
	char limit[MAILDIRSIZE_LINE];
	int rc = asuser_box(asuser, &item->box, path);

	errand_limit(item, limit);
	if (rc == 0 && (limit[0] || item->unlimits))
		rc = asuser_quota(asuser, &item->box, limit, path);
	return rc == 0 && (item->text || item->unanswers)
		       ? asuser_vacation(asuser, &item->box, item->text,
					 item->len, path)
		       : rc;
}

/* Popusr's work on one item. */
static int make(const struct site *site, struct plan_item *item,
		char path[PATH_MAX])
{
	struct asuser *asuser = site->asuser;

	switch (item->table) {
	case STORE_BOXES:
		return make_box(asuser, item, path);
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

bool errand_makes(const struct plan_item *item)
{
	return errand_was_moved(item) &&
	       (item->act == PLAN_MAKE ||
		(item->act == PLAN_CLOSE && item->table == STORE_DOMAINS));
}

bool errand_waits_for_box(const struct plan *plan, struct plan_item *item)
{
	char why[NAME_BOX_TEXT + 64], box[NAME_BOX_TEXT];

	if (item->table != STORE_ADDRESSES || !item->has_box ||
	    !plan_box_failed(plan, &item->box))
		return false;
	name_box_text(&item->box, box);
	(void)snprintf(why, sizeof why, "the Maildir of '%s' is not there",
		       box);
	plan_fail(item, why);
	return true;
}

void errand_one(struct errand *errand, struct plan_item *item)
{
	char path[PATH_MAX] = "";

	errand_settle(errand->plan, item, make(errand->site, item, path), path);
}

void errand_each(struct errand *errand, enum store_table table)
{
	struct plan *plan = errand->plan;

	for (size_t i = plan_next(plan, 0, table); i < plan->count;
	     i = plan_next(plan, i + 1, table)) {
		struct plan_item *item = &plan->item[i];

		progress_step(&errand->progress, 1);
		if (!errand_makes(item))
			continue;
		if (!errand_waits_for_box(plan, item))
			errand_one(errand, item);
	}
}

static size_t count_made(const struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += errand_makes(&plan->item[i]);
	return count;
}

bool errand_make(const struct site *site, struct plan *plan)
{
	static const enum store_table order[] = {STORE_BOXES, STORE_DOMAINS,
						 STORE_ADDRESSES};
	struct errand errand = {site, plan,
				progress_start("publishing", plan->count)};
	bool good = true;

	if (site->config.mailroot == CONFIG_MAILROOT_AWAIT) {
		good = errand_look(&errand);
		progress_end(&errand.progress);
		return good;
	}
	errand_move(&errand);
	if (count_made(plan) > ERRAND_MANY)
		good = errand_bulk(&errand);
	else
		for (size_t k = 0; k < sizeof order / sizeof *order; k++)
			errand_each(&errand, order[k]);
	progress_end(&errand.progress);
	return good;
}

static int removal(struct asuser *asuser, const struct plan_item *item,
		   char path[PATH_MAX])
{
	switch (item->table) {
	case STORE_BOXES:
		return asuser_remove_box(asuser, &item->box, path);
	case STORE_DOMAINS:
		if (item->domain->kind == STORE_DIALUP)
			return asuser_remove_dialup(
				asuser, &item->address.domain, path);
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

/* Does a file stay in its directory that we could not remove? */
static bool keeps_ours(const struct plan *plan, const struct plan_item *domain)
{
	for (size_t i = plan_next(plan, 0, STORE_ADDRESSES); i < plan->count;
	     i = plan_next(plan, i + 1, STORE_ADDRESSES)) {
		const struct plan_item *item = &plan->item[i];

		if (item->act == PLAN_REMOVE && item->failed &&
		    strcmp(item->address.domain.s, domain->address.domain.s) ==
			    0)
			return true;
	}
	return false;
}

/* A directory that is not empty is left, and no failure, unless what is in it
 * is still to go: then both stay pending. */
static void settle_removal(struct plan *plan, struct plan_item *item, int rc,
			   const char *path)
{
	if (rc != ENOTEMPTY || item->table != STORE_DOMAINS)
		errand_settle(plan, item, rc, path);
	else if (keeps_ours(plan, item))
		plan_fail(item, "files in its directory could not be removed");
	else
		say_note("'%s' has %s: it was left where it is", path,
			 item->domain->kind == STORE_DIALUP
				 ? "mail that waits"
				 : "unmanaged files");
}

void errand_remove(const struct site *site, struct plan *plan)
{
	static const enum store_table order[] = {STORE_ADDRESSES, STORE_DOMAINS,
						 STORE_BOXES};
	bool waiting = is_waiting(plan, PLAN_REMOVE);
	char path[PATH_MAX] = "";

	if (site->config.mailroot == CONFIG_MAILROOT_AWAIT)
		return;
	for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
		for (size_t i = plan_next(plan, 0, order[k]); i < plan->count;
		     i = plan_next(plan, i + 1, order[k])) {
			struct plan_item *item = &plan->item[i];
			int rc;

			if (item->act != PLAN_REMOVE)
				continue;
			if (waiting) {
				plan_fail(item, "a domain could not be removed");
				continue;
			}
			rc = removal(site->asuser, item, path);
			settle_removal(plan, item, rc, path);
		}
	}
}
