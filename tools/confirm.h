/* confirm.h: asking before something is taken away.
 */
#ifndef POPBOX_CONFIRM_H
#define POPBOX_CONFIRM_H

#include "args.h"
#include "site.h"

/* The option of every command that takes something away. */
#define CONFIRM_OPTION {"--yes", NULL, "do not ask"}

/* Goes on with --yes or --dry-run; asks on a terminal; elsewhere refuses.
 * Returns the exit code. */
int confirm(const struct site *site, const struct args *args,
	    const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
