/* SPDX-License-Identifier: MIT */
/* scope.h: what a delegated administrator may do: the handle or the domain that is
 * his, and the commands that concern it.
 *
 * It is judged twice. Before a command runs its operands and options are, by a
 * table in which a command that is not there is refused; so is each option. And at
 * the end of every transaction that changes something, each entry that it wrote to
 * the journal is: whatever a command does, nothing of others' is changed.
 */
#ifndef POPBOX_SCOPE_H
#define POPBOX_SCOPE_H

#include "accounts/site.h"
#include "args.h"
#include "commands.h"

struct scope;

/* "ex1" or "example.com". Says what is wrong and returns the exit code. The site's
 * store is guarded from when it is opened next. */
int scope_new(const char *text, struct site *site, struct scope **ret_scope);
/* Is there such a handle or domain? The site is open. */
int scope_exists(struct scope *scope, const struct site *site);
/* Accepts NULL; leaves NULL. */
void scope_free(struct scope **scope);

const char *scope_text(const struct scope *scope);

/* May this command line be run? A filter that names nothing is given the scope's
 * own. Says why not; returns the exit code. */
int scope_judge(struct scope *scope, struct site *site, const struct command *c,
		struct args *args);

#endif
