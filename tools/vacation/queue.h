/* SPDX-License-Identifier: MIT */
/* queue.h: a message into qmail's queue, qmail-queue(8).
 */
#ifndef POPBOX_QUEUE_H
#define POPBOX_QUEUE_H

#include <stddef.h>

/* From nobody, <>, to one recipient; path is that of qmail-queue. 0, an errno, or,
 * below 0, the exit code that it ended with, -1000 for a signal. */
enum { QUEUE_KILLED = -1000 };
int queue_send(const char *path, const char *recipient, const char *text,
	       size_t len);

#endif
