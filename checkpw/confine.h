/* SPDX-License-Identifier: MIT */
/* confine.h: the walls around the program that a login becomes. All boxes
 * share one user, so without them a broken POP server could read every box.
 *
 * Landlock (landlock(7)): its own Maildir to read and write, the directories of
 * the setting confine_read to read and execute, nothing else; no TCP, no
 * signals to others, as far as the running kernel knows these. seccomp(2), with
 * `confine = strict`: none of the system calls that a POP server never needs,
 * so that the result is the same on older kernels. doc/SECURITY.md has the
 * table.
 */
#ifndef POPBOX_CONFINE_H
#define POPBOX_CONFINE_H

#include <linux/filter.h>

#include "store/config.h"

/* In the working directory, which is the Maildir; program is an absolute path.
 * NULL when done, or where there is nothing to do; else what failed, static,
 * with errno set (0 where the system refused nothing): then the login must
 * end. */
MUST_USE const char *confine_files(const struct config *config,
				   const char *program);

/* The system calls, right before the exec: syslog needs some of them. */
MUST_USE const char *confine_calls(const struct config *config);

/* The program of `strict` for seccomp, of a process with this number; static,
 * overwritten by the next call. Pure. */
enum { CONFINE_PROGRAM_MAX = 512 };
MUST_USE struct sock_fprog confine_program(unsigned pid);

#endif
