/* SPDX-License-Identifier: MIT */
/* explain_user.c: qmail-lspawn's part of the way: who gets the mail. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/replace.h"
#include "explain_private.h"
#include "qmail/account.h"
#include "qmail/cdbfile.h"

/* What users/assign would say, had qmail-newu been run. */
static void compare_assign(struct walk *walk, const char *cdb,
			   const char *local, const struct route_user *user,
			   bool found)
{
	struct route_user *wanted = calloc(1, sizeof *wanted);
	struct replace_text text = {0};
	struct route_line line = {0};
	bool same = true;
	int rc = wanted ? walk_read(walk, "users/assign", &text) : ENOMEM;

	if (rc == 0)
		line = route_assign(walk_text(&text), local);
	else if (!walk_unsure(walk, rc)) /* mail goes its way all the same */
		walk_step(walk, false, "assigned", "%s cannot be read: %s",
			  walk->path, strerror(rc));
	if (line.number &&
	    route_fields(line.value, line.value_len, ':', wanted)) {
		same = found;
		for (int i = 0; same && i < 6; i++)
			same = strcmp(wanted->field[i], user->field[i]) == 0;
		if (!same)
			walk_step(walk, false, "assigned",
				  "users/assign line %lu says something else "
				  "than %s: run qmail-newu, or popbox sync "
				  "--full",
				  line.number, cdb);
	}
	replace_free(&text);
	free(wanted);
}

static void say_user(struct walk *walk, const char *by, const char *local,
		     const struct route_user *user)
{
	walk_step(walk, true, "assigned",
		  "%s: %s as user %s, %s:%s, in %s, extension '%s%s%s'", by,
		  local, user->field[ROUTE_USER], user->field[ROUTE_UID],
		  user->field[ROUTE_GID], user->field[ROUTE_HOME],
		  user->field[ROUTE_DASH], user->field[ROUTE_EXT], user->rest);
}

/* Nobody in users/cdb: qmail-getpw looks for a user of the system. */
static bool walk_account(struct walk *walk, const char *local,
			 struct route_user *user)
{
	switch (account_find(local, user)) {
	case ACCOUNT_USER:
		say_user(walk, "qmail-getpw", local, user);
		return true;
	case ACCOUNT_ALIAS:
		walk_step(walk, true, "assigned",
			  "qmail-getpw: no user fits '%s', so it is alias's",
			  local);
		return true;
	case ACCOUNT_NONE:
		walk_step(walk, false, "assigned",
			  "there is no user alias, whose the mail would be: "
			  "it waits");
		break;
	case ACCOUNT_WAITS:
		walk_step(walk, false, "assigned",
			  "the home of '%s' cannot be looked at: the mail "
			  "waits",
			  local);
		break;
	case ACCOUNT_LATER:
		(void)walk_unsure(walk, errno);
		break;
	}
	walk->verdict = EXPLAIN_DEFERRED;
	return false;
}

static bool walk_users(struct walk *walk, const char *local,
		       struct route_user *user)
{
	const char *cdb = cdbfile_users(walk->site->config.qmail);
	enum cdbfile found;

	(void)snprintf(walk->path, sizeof walk->path, "%s/%s",
		       walk->site->config.qmail, cdb);
	found = cdbfile_user(walk->path, local, user);
	if (found == CDBFILE_LATER)
		return walk_unread(walk, "assigned", errno);
	if (found == CDBFILE_DAMAGED) {
		walk_step(walk, false, "assigned",
			  "%s is damaged: mail waits (run qmail-newu)", cdb);
		walk->verdict = EXPLAIN_DEFERRED;
		return false;
	}
	compare_assign(walk, cdb, local, user, found == CDBFILE_FOUND);
	if (walk->unsure)
		return false;
	if (found == CDBFILE_FOUND) {
		say_user(walk, cdb, local, user);
		return true;
	}
	if (found == CDBFILE_MISSING)
		walk_step(walk, !walk->ours, "assigned",
			  "%s is missing (run qmail-newu)", cdb);
	else
		walk_step(walk, !walk->ours, "assigned",
			  "%s has no entry for '%s'", cdb, local);
	return walk_account(walk, local, user);
}

void walk_user(struct walk *walk, const char *local)
{
	struct route_user *user = calloc(1, sizeof *user);

	if (!user) {
		walk->unsure = ENOMEM;
	} else if (!local[0]) {
		walk_step(walk, false, "assigned",
			  "nothing stands before the '@': qmail-lspawn throws "
			  "the mail away");
		walk->kept = true;
	} else if (walk_users(walk, local, user)) {
		walk_deliver(walk, user);
	}
	free(user);
}
