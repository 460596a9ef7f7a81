/* SPDX-License-Identifier: MIT */
/* errand_move.c: what has moved to another handle is renamed, before anything is
 * made in its place.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/say.h"
#include "errand_private.h"
#include "store/path.h"

/* Whose directory it was, or NULL: it has not moved. */
static const struct name_handle *from_of(const struct plan_item *item)
{
	if (item->act == PLAN_REMOVE)
		return NULL;
	if (item->table == STORE_BOXES)
		return item->from.handle.s[0] ? &item->from.handle : NULL;
	if (item->table == STORE_DOMAINS && item->domain->from.s[0])
		return &item->domain->from;
	return NULL;
}

/* The same directories as the item before? */
static bool same_way(const struct plan_item *a, const struct plan_item *b)
{
	return a->table == b->table &&
	       strcmp(a->handle.s, b->handle.s) == 0 &&
	       strcmp(from_of(a)->s, from_of(b)->s) == 0;
}

static const char *reason(int rc)
{
	switch (rc) {
	case EEXIST:
		return "something stands there already: move that away";
	case ENOTDIR:
	case ELOOP:
		return "it is no directory";
	case EXDEV:
		return "it is on another file system";
	default:
		return strerror(rc);
	}
}

static void settle(const struct errand *errand, struct plan_item *item, int rc,
		   const char *at)
{
	const char *home = errand->site->config.home;
	char why[3 * PATH_MAX], path[PATH_MAX];

	if (rc == 0)
		return;
	if (item->table == STORE_BOXES)
		path_box(home, &item->from, path);
	else
		path_domain(home, &item->domain->from, &item->address.domain,
			    path);
	(void)snprintf(why, sizeof why, "cannot move '%s'%s%s%s: %s", path,
		       strcmp(at, path) == 0 || !at[0] ? "" : " to '",
		       strcmp(at, path) == 0 || !at[0] ? "" : at,
		       strcmp(at, path) == 0 || !at[0] ? "" : "'", reason(rc));
	plan_fail(item, why);
	if (plan_is_mine(errand->plan, item))
		say_error(0, "%s", why);
}

static void move(struct errand *errand, struct plan_item *item,
		 enum mailroot_move how)
{
	struct asuser *asuser = errand->site->asuser;
	char path[PATH_MAX] = "";
	int rc;

	if (item->table == STORE_BOXES)
		rc = asuser_move_box(asuser, &item->from, &item->box, how,
				     path);
	else
		rc = asuser_move_domain(asuser, &item->domain->from,
					&item->handle, &item->address.domain,
					how, path);
	settle(errand, item, rc, path);
}

/* One after the other; durable with the last of those between the same two
 * directories. */
void errand_move(struct errand *errand)
{
	struct plan *plan = errand->plan;
	struct plan_item *last = NULL;

	for (size_t i = 0; i < plan->count; i++) {
		struct plan_item *item = &plan->item[i];

		if (!from_of(item))
			continue;
		if (last)
			move(errand, last,
			     same_way(last, item) ? MAILROOT_MOVE_RENAME
						  : MAILROOT_MOVE_SYNC);
		last = item;
	}
	if (last)
		move(errand, last, MAILROOT_MOVE_SYNC);
}

bool errand_was_moved(const struct plan_item *item)
{
	return !item->failed || !from_of(item);
}
