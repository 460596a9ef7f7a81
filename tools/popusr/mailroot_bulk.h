/* SPDX-License-Identifier: MIT */
/* mailroot_bulk.h: what mailroot.h makes, for thousands at a time. Nothing is
 * durable before mailroot_bulk_sync, and a .qmail file is replaced in two
 * halves with one of these between, so that a name never stands for less than
 * a whole file, whenever the power goes:
 *
 *	boxes, their quotas and replies, domains, temporaries of .qmail files;  sync;  renames;  sync
 *
 * Where a handle's directories lie on more file systems than are kept in mind,
 * each is made durable by itself, as by the calls of mailroot.h.
 */
#ifndef POPBOX_MAILROOT_BULK_H
#define POPBOX_MAILROOT_BULK_H

#include "mailroot.h"

enum mailroot_step {
	MAILROOT_BOX,
	MAILROOT_QUOTA, /* of a box that is there: the text is its limit */
	MAILROOT_VACATION, /* the same of its reply */
	MAILROOT_DOMAIN,
	MAILROOT_WRITE,	  /* the temporary, unless the file says it already */
	MAILROOT_RENAME,  /* to its name */
	MAILROOT_DISCARD, /* instead of that */
	/* Is what another host makes there? ENOENT: not yet; ENXIO: nor is the
	 * mail root. Each directory on the way is opened, so that NFS asks its
	 * server. */
	MAILROOT_LOOK_BOX,
	MAILROOT_LOOK_DOMAIN,
	MAILROOT_LOOK_FILE,
};

struct mailroot_job {
	enum mailroot_step step;
	struct name_handle handle;
	uint32_t number;
	struct name_address address;
	mode_t mode;
	size_t len; /* of the file */
};

/* The answer to MAILROOT_WRITE beside 0 and an errno: a temporary waits for its
 * rename. 0: nothing is left to do. */
enum { MAILROOT_WAITS = -1 };

/* Jobs of one handle and domain are cheapest in a row. */
int mailroot_bulk(const char *home, const struct mailroot_job *job,
		  const char *text);

/* All file systems that were touched since the last end. 0, or an errno: of
 * nothing is known that it is durable. */
int mailroot_bulk_sync(void);
void mailroot_bulk_end(void);

#endif
