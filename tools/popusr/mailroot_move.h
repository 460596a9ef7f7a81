/* SPDX-License-Identifier: MIT */
/* mailroot_move.h: the Maildirs and the directory of a domain that moves to
 * another handle, renamed by popusr. A link at either end is refused, and
 * nothing is replaced but an empty directory.
 *
 * 0, or an errno with *ret_path naming what it is about.
 */
#ifndef POPBOX_MAILROOT_MOVE_H
#define POPBOX_MAILROOT_MOVE_H

#include "mailroot.h"

enum mailroot_move {
	/* Changes nothing. ENOENT: there is nothing to move. EXDEV: the two
	 * places are on different file systems. */
	MAILROOT_MOVE_LOOK,
	/* What is not there (any more) is moved already: 0. */
	MAILROOT_MOVE_RENAME,
	/* The same, and it is durable, as is whatever was renamed between the
	 * same handles before. */
	MAILROOT_MOVE_SYNC,
};

int mailroot_move_box(const char *home, const struct name_box *from,
		      const struct name_box *to, enum mailroot_move how,
		      char ret_path[PATH_MAX]);
int mailroot_move_domain(const char *home, const struct name_handle *from,
			 const struct name_handle *to,
			 const struct name_domain *domain,
			 enum mailroot_move how, char ret_path[PATH_MAX]);

#endif
