/* SPDX-License-Identifier: MIT */
/* asuser_bulk.h: a stream of jobs for the helper that is popusr (asuser.h),
 * many in a message, the next message being filled while one is worked on.
 *
 * While a stream is not drained no other call of asuser.h is to be made.
 */
#ifndef POPBOX_ASUSER_BULK_H
#define POPBOX_ASUSER_BULK_H

#include "asuser.h"
#include "mailroot_bulk.h"

/* Told for each job, in their order: what mailroot_bulk answered. */
typedef void asuser_bulk_done(void *arg, size_t id, int rc);

struct asuser_bulk;

/* NULL: no memory. */
struct asuser_bulk *asuser_bulk_start(struct asuser *asuser,
				      asuser_bulk_done *done, void *arg);
/* Ends it, drained or not. Accepts NULL; leaves NULL. */
void asuser_bulk_stop(struct asuser_bulk **bulk);

/* 0, EFBIG for a file beyond MAILROOT_QMAIL_MAX, or EPIPE: the child is gone,
 * and some jobs are never told of. */
int asuser_bulk_add(struct asuser_bulk *bulk, size_t id,
		    const struct mailroot_job *job, const char *text);
/* Everything was told of. 0, EPIPE. */
int asuser_bulk_drain(struct asuser_bulk *bulk);
/* Drains, then mailroot_bulk_sync. */
int asuser_bulk_sync(struct asuser_bulk *bulk);

#endif
