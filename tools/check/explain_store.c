/* SPDX-License-Identifier: MIT */
/* explain_store.c: what the store wants of an address, against what was found
 * on qmail's way.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/resolve.h"
#include "explain_private.h"
#include "publish/dialup.h"
#include "publish/item.h"
#include "publish/plan.h"
#include "publish/steps.h"
#include "store/path.h"

struct wanted {
	struct walk *walk;
	const char *address; /* local@domain */
	struct resolve resolve;
	struct plan plan;
	bool pending; /* changes are not published yet */
};

/* Is it the .qmail-default of a domain's extension that takes the mail? */
static bool extends(const struct resolve *resolve)
{
	return resolve->extended || (resolve->kind == RESOLVE_NOBODY &&
				     resolve->domain.extension);
}

/* The .qmail file of what takes the mail, as it should be. */
static enum err add_address(struct store_txn *txn, struct wanted *wanted)
{
	struct resolve *resolve = &wanted->resolve;
	const bool bounce = resolve->kind == RESOLVE_DELETED &&
			    resolve->parked.bounce;

	if (extends(resolve))
		return item_catchall(txn, &wanted->walk->site->config,
				     &wanted->plan, &resolve->domain);
	if (resolve->kind != RESOLVE_ADDRESS &&
	    resolve->kind != RESOLVE_CATCHALL &&
	    resolve->kind != RESOLVE_DELETED)
		return ERR_OK;
	return item_address(txn, &wanted->walk->site->config, &wanted->plan,
			    &resolve->address, bounce);
}

static enum err wanted_body(struct store_txn *txn, void *arg)
{
	struct wanted *wanted = arg;
	struct resolve *resolve = &wanted->resolve;
	uint64_t mark = 0, last = 0;
	enum err err;

	plan_free(&wanted->plan); /* a body may be run again */
	err = resolve_address(txn, wanted->address, resolve);
	if (err == ERR_OK && resolve->kind != RESOLVE_FOREIGN &&
	    resolve->kind != RESOLVE_CLOSED) {
		err = item_name(txn, &wanted->plan, &resolve->named.name, NULL);
		if (err == ERR_OK && resolve->named.kind == STORE_ALIAS)
			err = item_name(txn, &wanted->plan,
					&resolve->domain.name, NULL);
		if (err == ERR_OK)
			err = add_address(txn, wanted);
	}
	if (err == ERR_OK)
		err = store_published(txn, &mark);
	if (err == ERR_OK)
		err = store_journal_last(txn, &last);
	wanted->pending = last > mark;
	return err;
}

/* Which command makes the files say what the store does. */
static const char *repair(const struct wanted *wanted)
{
	return wanted->pending ? "popbox sync --full" : "popbox check --repair";
}

static void on_line(void *arg, const char *check, bool mends, const char *what)
{
	const struct wanted *wanted = arg;

	(void)check;
	if (mends)
		walk_step(wanted->walk, false, "store", "%s ('%s' repairs it)",
			  what, repair(wanted));
	else
		walk_step(wanted->walk, false, "store", "%s", what);
}

/* What popusr's helper found of one file: three texts each. */
static void take(struct wanted *wanted, int rc,
		 const struct mailroot_report *report)
{
	if (rc != 0) {
		if (!walk_unsure(wanted->walk, rc))
			walk_step(wanted->walk, false, "store",
				  "cannot read the mail root: %s",
				  strerror(rc));
		return;
	}
	for (size_t at = 0; at < report->len;) {
		const char *check = report->text + at;
		const char *mends = check + strlen(check) + 1;
		const char *what = mends + strlen(mends) + 1;

		on_line(wanted, check, mends[0] != 0, what);
		at = (size_t)(what - report->text) + strlen(what) + 1;
	}
}

static void compare_item(struct wanted *wanted,
			 const struct plan_item *item,
			 struct mailroot_report *report)
{
	struct site *site = wanted->walk->site;
	struct mailroot_dialup files;

	if (item->table == STORE_ADDRESSES)
		take(wanted,
		     asuser_audit_qmail(site->asuser, &item->handle,
					&item->address, item->text, item->len,
					item->mode, report),
		     report);
	else if (item->table == STORE_DOMAINS && item->act == PLAN_MAKE &&
		 item->domain->kind == STORE_DIALUP &&
		 dialup_files(&site->config, item->domain, item->delivery,
			      &files))
		take(wanted,
		     asuser_audit_dialup(site->asuser, &item->address.domain,
					 &files, false, report),
		     report);
}

static void compare_items(struct wanted *wanted)
{
	struct mailroot_report *report = malloc(sizeof *report);

	if (!report)
		wanted->walk->unsure = ENOMEM;
	for (size_t i = 0; report && i < wanted->plan.count; i++)
		compare_item(wanted, &wanted->plan.item[i], report);
	free(report);
}

/* The .qmail file that the store wants read; "" if it wants none. */
static void wanted_file(const struct wanted *wanted, char path[PATH_MAX])
{
	static const struct name_local catch_all = {"*"};
	const struct config *config = &wanted->walk->site->config;
	const struct resolve *resolve = &wanted->resolve;
	char name[MAILROOT_QMAIL_NAME];
	size_t len;

	path[0] = 0;
	if (resolve->kind == RESOLVE_ROUTED &&
	    resolve->domain.kind == STORE_DIALUP) {
		path_dialup(config->serialmail, &resolve->domain.name,
				     path);
		memcpy(name, ".qmail-default", sizeof ".qmail-default");
	} else if (resolve->kind == RESOLVE_ADDRESS ||
		   resolve->kind == RESOLVE_CATCHALL ||
		   resolve->kind == RESOLVE_DELETED || extends(resolve)) {
		path_domain(config->home, &resolve->domain.handle,
				     &resolve->domain.name, path);
		mailroot_qmail_name(extends(resolve)
					    ? &catch_all
					    : &resolve->address.name.local,
				    name);
	} else {
		return;
	}
	len = strlen(path);
	(void)snprintf(path + len, PATH_MAX - len, "/%s", name);
}

/* Did the message come to the place where the store wants it? */
static void compare_place(const struct wanted *wanted)
{
	struct walk *walk = wanted->walk;
	char path[PATH_MAX];

	wanted_file(wanted, path);
	if (path[0] && walk->file[0] && strcmp(path, walk->file) != 0)
		walk_step(walk, false, "store",
			  "the store wants %s read, not %s ('%s' repairs "
			  "popbox's own files)",
			  path, walk->file, repair(wanted));
	else if (path[0] && !walk->file[0] && !walk->here[0])
		walk_step(walk, false, "store",
			  "the store wants it delivered here, by %s", path);
	else if (wanted->resolve.kind == RESOLVE_ROUTED && !path[0] &&
		 walk->verdict != EXPLAIN_REMOTE && !walk->here[0])
		walk_step(walk, false, "store",
			  "the store wants it handed to another host");
}

bool walk_ask(struct walk *walk)
{
	struct wanted *wanted = calloc(1, sizeof *wanted);
	enum err err = ERR_SYSTEM;

	errno = ENOMEM;
	if (wanted) {
		wanted->walk = walk;
		wanted->address = walk->hop[walk->at].address;
		err = store_read(walk->site->store, wanted_body, wanted);
	}
	walk->wanted = wanted;
	walk->ours = err == ERR_OK &&
		     wanted->resolve.kind != RESOLVE_FOREIGN;
	if (err == ERR_SYSTEM)
		(void)walk_unsure(walk, errno);
	if (err != ERR_OK && !walk->unsure)
		walk_step(walk, false, "store", "it cannot be read: %s",
			  err_text(err));
	return err == ERR_OK;
}

void walk_asked(struct walk *walk)
{
	if (walk->wanted)
		plan_free(&walk->wanted->plan);
	free(walk->wanted);
	walk->wanted = NULL;
}

/* Mail for what was deleted goes its old way until it is purged. */
static void compare_deleted(const struct wanted *wanted)
{
	const bool closed = wanted->resolve.kind == RESOLVE_CLOSED;

	if (closed || (wanted->resolve.kind == RESOLVE_DELETED &&
		       !wanted->resolve.extended))
		walk_step(wanted->walk, false, "store",
			  "the %s was deleted: mail on its way still takes the "
			  "old way until 'popbox purge' (a forward to it "
			  "should end)",
			  closed ? "domain" : "address");
}

void walk_compare_files(struct walk *walk)
{
	struct wanted *wanted = walk->wanted;

	if (!walk->ours)
		return;
	steps_audit(walk->site, &wanted->plan, control_audit_lines, on_line,
		    wanted);
	compare_items(wanted);
}

void walk_compare(struct walk *walk)
{
	struct wanted *wanted = walk->wanted;

	if (!walk->ours)
		return;
	if (walk->verdict != EXPLAIN_BOUNCED)
		compare_deleted(wanted);
	walk_compare_files(walk);
	if (!walk->unsure)
		compare_place(wanted);
}

/* Who qmail-local would be, and where, did it run. */
static void fill_user(const struct wanted *wanted, struct route_user *user)
{
	const struct config *config = &wanted->walk->site->config;
	const struct store_domain *domain = &wanted->resolve.domain;
	char path[PATH_MAX];

	if (domain->kind == STORE_DIALUP)
		path_dialup(config->serialmail, &domain->name, path);
	else
		path_domain(config->home, &domain->handle,
				     &domain->name, path);
	(void)snprintf(user->field[ROUTE_HOME], ROUTE_FIELD_MAX, "%s", path);
	(void)snprintf(user->field[ROUTE_UID], ROUTE_FIELD_MAX, "%u",
		       config->uid);
	(void)snprintf(user->field[ROUTE_GID], ROUTE_FIELD_MAX, "%u",
		       config->gid);
	(void)snprintf(user->field[ROUTE_DASH], ROUTE_FIELD_MAX, "-");
	(void)snprintf(user->field[ROUTE_EXT], ROUTE_FIELD_MAX, "%s",
		       wanted->walk->local);
}

static void walk_wanted(struct walk *walk, struct wanted *wanted)
{
	struct route_user *user = calloc(1, sizeof *user);

	if (!user) {
		walk->unsure = ENOMEM;
		return;
	}
	fill_user(wanted, user);
	walk_deliver(walk, user);
	compare_items(wanted);
	free(user);
}

void walk_without_qmail(struct walk *walk)
{
	struct wanted *wanted = walk->wanted;
	const bool away = wanted->resolve.kind == RESOLVE_ROUTED &&
			  wanted->resolve.domain.kind != STORE_DIALUP;

	walk_step(walk, true, "qmail", "there is none on this machine");
	if (!walk->ours || away) {
		walk_step(walk, true, "store", "%s",
			  away ? "another host takes the mail of the domain"
			       : "it has no such domain");
		walk->verdict = EXPLAIN_REMOTE;
	} else if (wanted->resolve.kind == RESOLVE_CLOSED) {
		walk_step(walk, false, "store", "the domain was deleted");
		walk->verdict = EXPLAIN_BOUNCED;
	} else {
		walk_wanted(walk, wanted);
	}
}
