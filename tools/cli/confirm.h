/* SPDX-License-Identifier: MIT */
/* confirm.h: asking before something is taken away.
 */
#ifndef POPBOX_CONFIRM_H
#define POPBOX_CONFIRM_H

#include "accounts/site.h"
#include "args.h"

/* The option of every command that takes something away. */
#define CONFIRM_OPTION {"--yes", NULL, "do not ask"}

/* The same where --yes is not enough: with that option instead. */
int confirm_by(const struct site *site, const struct args *args,
	       const char *option, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Goes on with --yes or --dry-run; asks on a terminal; elsewhere refuses.
 * Returns the exit code. */
int confirm(const struct site *site, const struct args *args,
	    const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
