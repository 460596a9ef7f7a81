/* SPDX-License-Identifier: MIT */
/* confined.h: a child that parses what strangers send may ask the kernel for nothing
 * but reading, writing, memory and its end.
 */
#ifndef POPBOX_CONFINED_H
#define POPBOX_CONFINED_H

#include <stdbool.h>
#include <sys/types.h>

#include "store/err.h"

/* In a child of child_fork: it becomes nobody (who it is where it was not root), and
 * is confined for good; all other system calls are refused with EPERM. alarm(2) goes
 * on. False: it could not be done, and the child must end. */
MUST_USE bool confined(void);

/* For the child and who talks to it; EINTR is handled. read: as read(2). write: false
 * if not all went. */
ssize_t confined_read(int fd, void *bytes, size_t room);
MUST_USE bool confined_read_all(int fd, void *bytes, size_t len);
MUST_USE bool confined_write(int fd, const void *bytes, size_t len);

#endif
