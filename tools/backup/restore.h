/* restore.h: a store out of a backup, in the place of what is there.
 *
 * The rows come from inspect.h, so that no page of a strange file is ever mapped
 * by root; the store is built of them, with an id of its own, numbers of boxes
 * above those whose directories are there, and nothing published.
 */
#ifndef POPBOX_RESTORE_H
#define POPBOX_RESTORE_H

#include "accounts/site.h"
#include "cli/args.h"

/* fd: the file, open for reading. Says what is wrong and what was done; returns
 * the exit code. */
int restore_store(struct site *site, const struct args *args, int fd,
		  const char *path);

#endif
