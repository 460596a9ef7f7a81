/* SPDX-License-Identifier: MIT */
/* breached.h: is this password one of those that were breached? A filter on this
 * machine knows, popbox-breached(5); no network is asked, and nothing remembers the
 * answer.
 *
 * The file is read, not mapped: one that shrinks or lies on a bad disk is an error
 * then, and no signal that ends the process.
 */
#ifndef POPBOX_BREACHED_H
#define POPBOX_BREACHED_H

#include "breached_form.h"

struct breached {
	bool open;
	int fd;
	struct breached_head head;
};

/* Opens it and reads its header. It belongs to root or the caller, and neither it
 * nor its directory is writable by others. NULL; or why not, with *ret_missing if
 * there is no such file. secret_start was called. */
MUST_USE const char *breached_open(const char *path, struct breached *ret_filter,
				   bool *ret_missing);
void breached_close(struct breached *filter);

/* Asks the filter. Wipes what it made of the password. */
MUST_USE enum breached_answer breached_ask(const struct breached *filter,
					   const void *password, size_t len);

/* Reads all of it: does each bucket have its checksum, and are there as many entries
 * as the header says? step is called for each bucket. NULL, or what is wrong. */
MUST_USE const char *breached_verify(const struct breached *filter,
				     void (*step)(void *arg), void *arg);

/* The filter of the setting 'breached', if there is one. Each says what is wrong and
 * returns the exit code: CODE_LATER, since it cannot be told then. open: for a
 * process that is about to lose its rights; else the first question does it. */
struct site;
int breached_site_open(struct site *site);
int breached_site_ask(struct site *site, const void *password, size_t len,
		      bool *ret_is);
void breached_site_close(struct site *site);

#endif
