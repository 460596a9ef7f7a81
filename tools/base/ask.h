/* SPDX-License-Identifier: MIT */
/* ask.h: one question to a service behind a Unix socket, and its answer, for
 * programs that are not root. */
#ifndef POPBOX_ASK_H
#define POPBOX_ASK_H

#include <stddef.h>
#include <sys/types.h>

#include "store/err.h"

/* Reads fd to its end, or until max bytes are there. -1: errno. */
MUST_USE ssize_t ask_read(int fd, char *bytes, size_t max);

/* Connects to the socket of that name, sends the question and its end, and reads
 * up to max bytes. *ret_len is 0 where the service ended without an answer, also
 * before it had read the question. 0 or an errno. */
MUST_USE int ask(const char *path, const char *question, size_t len,
		 char *answer, size_t max, size_t *ret_len);

#endif
