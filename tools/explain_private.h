/* explain_private.h: one walk along the way of a message; for explain*.c alone.
 */
#ifndef POPBOX_EXPLAIN_PRIVATE_H
#define POPBOX_EXPLAIN_PRIVATE_H

#include <limits.h>

#include "explain.h"
#include "json.h"
#include "route.h"

enum { WALK_TEXT = 2048 };

struct walk {
	struct site *site;
	const char *local;
	const char *domain;
	char broken[WALK_TEXT]; /* the first broken link */
	enum explain verdict;
	int unsure; /* errno of what kept us from looking, or 0 */
	json_t *targets;
	char path[PATH_MAX];
};

/* One step: its name, and what is said of it. */
__attribute__((format(printf, 4, 5))) void walk_step(struct walk *walk,
						     bool good,
						     const char *name,
						     const char *format, ...);

/* walk->path could not be read, rc says why: as qmail cannot, so that mail waits;
 * but what we alone have too little of tells nothing. Returns false. */
bool walk_unread(struct walk *walk, const char *name, int rc);

/* Where the message goes. */
void walk_target(struct walk *walk, const char *text);

/* What qmail-local does for this user: directory, .qmail file, its lines. */
void walk_deliver(struct walk *walk, const struct route_user *user);

#endif
