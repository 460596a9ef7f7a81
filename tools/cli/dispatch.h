/* SPDX-License-Identifier: MIT */
/* dispatch.h: from words to the command of the table that they name.
 */
#ifndef POPBOX_DISPATCH_H
#define POPBOX_DISPATCH_H

#include "accounts/site.h"
#include "batch_line.h"
#include "scope.h"

/* A command line with its program's name, from a shell. Returns the exit code. */
int dispatch(struct site *site, int argc, char **argv);

/* A line of a batch, in an open site; scope may be NULL. */
int dispatch_line(struct site *site, struct scope *scope,
		  const struct batch_parts *parts);

#endif
