/* SPDX-License-Identifier: MIT */
#include "rehearse.h"

#include <string.h>

#include "base/say.h"
#include "dialup.h"
#include "dovecot_files.h"
#include "mapfiles.h"
#include "plan.h"
#include "maildir/vacation_file.h"
#include "qmail/dotqmail.h"
#include "steps.h"
#include "store/path.h"

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

/* What is renamed, since it has moved to another handle. */
static void show_move(const struct site *site, const struct plan_item *item,
		      const char *path)
{
	char from[PATH_MAX] = "";

	if (item->table == STORE_BOXES && item->from.handle.s[0])
		path_box(site->config.home, &item->from, from);
	if (item->table == STORE_DOMAINS && item->domain->from.s[0])
		path_domain(site->config.home, &item->domain->from,
			    &item->address.domain, from);
	if (from[0] && item->act != PLAN_REMOVE)
		say_out("%s/: moved from %s/", path, from);
}

static void show_domain(const struct site *site, const struct plan_item *item,
			const char *sign)
{
	const struct config *config = &site->config;
	struct mailroot_dialup files;
	char path[PATH_MAX];

	if (item->domain->kind == STORE_POP) {
		path_domain(config->home, &item->handle,
				     &item->address.domain, path);
		show_move(site, item, path);
		say_out("%s/: %sdirectory", path, sign);
	}
	if (item->domain->kind != STORE_DIALUP ||
	    !dialup_files(config, item->domain, item->delivery, &files))
		return;
	path_dialup(config->serialmail, &item->address.domain, path);
	say_out("%s/: %sdirectory", path, sign);
	if (item->act == PLAN_MAKE)
		say_out("%s/RELAYHOST: %.*s", path,
			(int)strcspn(files.relayhost, "\n"), files.relayhost);
}

static void show_quota(const struct plan_item *item, const char *path)
{
	const struct maildirsize limit = dotqmail_limit(&item->quota);
	char text[MAILDIRSIZE_LINE];

	maildirsize_limit_text(&limit, text);
	if (text[0] && item->act == PLAN_MAKE)
		say_out("%s/maildirsize: %s", path, text);
	else if (item->unlimits && item->stays)
		say_out("%s/maildirsize: - file", path);
}

static void show_reply(const struct plan_item *item, const char *path)
{
	if (item->text && item->act == PLAN_MAKE)
		say_out("%s/%s: %zu bytes", path, VACATION_FILE, item->len);
	else if (item->unanswers && item->stays)
		say_out("%s/%s: - file", path, VACATION_FILE);
}

static void show_item(const struct site *site, const struct plan_item *item)
{
	const char *sign = item->act == PLAN_REMOVE ? "- " : "";
	char path[PATH_MAX] = "", name[MAILROOT_QMAIL_NAME];

	switch (item->table) {
	case STORE_BOXES:
		path_box(site->config.home, &item->box, path);
		show_move(site, item, path);
		say_out("%s/: %sMaildir", path, sign);
		show_quota(item, path);
		show_reply(item, path);
		return;
	case STORE_DOMAINS:
		if (item->act != PLAN_CLOSE)
			show_domain(site, item, sign);
		return;
	case STORE_ADDRESSES:
		mailroot_qmail_name(&item->address.local, name);
		path_domain(site->config.home, &item->handle,
				     &item->address.domain, path);
		if (item->act == PLAN_REMOVE)
			say_out("%s/%s: - file", path, name);
		else
			show_text(path, name, item);
		return;
	case STORE_HANDLES:
		return;
	}
}

enum err rehearse(const struct site *site, struct store_txn *txn,
		  enum plan_scope scope, unsigned long *ret_steps)
{
	struct plan plan = {0};
	enum err err = plan_make(txn, &site->config, scope, &plan);

	for (size_t i = 0; err == ERR_OK && i < plan.count; i++)
		show_item(site, &plan.item[i]);
	if (err == ERR_OK)
		err = dovecot_files_show(site, txn, &plan);
	if (err == ERR_OK)
		err = mapfiles_show(site, txn, &plan);
	if (err == ERR_OK && !steps_show(site, &plan))
		err = ERR_SYSTEM;
	*ret_steps = plan.count;
	plan_free(&plan);
	return err;
}
