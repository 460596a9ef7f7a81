/* SPDX-License-Identifier: MIT */
/* steps.h: the order in which qmail's own files change. Nothing is taken away
 * before the last mail for it can be gone, and nothing is accepted before it
 * can be delivered:
 *
 *	1  rcpthosts, morercpthosts   what is closed goes
 *	   -- Maildirs, directories, .qmail files: publish.c --
 *	2  smtproutes                 what is new comes
 *	3  users/assign, qmail-newu   what is new comes
 *	4  virtualdomains, HUP        what is new comes, what is gone goes
 *	5  users/assign, qmail-newu   what is purged goes
 *	6  smtproutes                 what is purged goes
 *	7  rcpthosts, morercpthosts   what is new comes
 *
 * qmail is told whether or not a file had to be changed: a run that was killed
 * may have changed it and not come so far.
 */
#ifndef POPBOX_STEPS_H
#define POPBOX_STEPS_H

#include "accounts/site.h"
#include "plan.h"
#include "qmail/control.h"

/* The first step, and the others. Each that fails keeps back those behind it
 * and fails every domain of the plan. Without qmail there is nothing to do. */
bool steps_close(const struct site *site, struct plan *plan);
void steps_open(const struct site *site, struct plan *plan);

/* Prints what they would change. False: it cannot be told; said. */
bool steps_show(const struct site *site, const struct plan *plan);

/* Compares all of qmail's files with what a plan wants: how is control_audit for
 * a plan of everything, control_audit_lines for a part. */
void steps_audit(const struct site *site, const struct plan *plan,
		 control_audit_how *how, control_found *found, void *arg);

#endif
