/* SPDX-License-Identifier: MIT */
/* notify.h: telling qmail that its files changed: qmail-newu for users/assign,
 * HUP for qmail-send, which reads virtualdomains at no other time.
 */
#ifndef POPBOX_NOTIFY_H
#define POPBOX_NOTIFY_H

#include <stdbool.h>
#include <sys/types.h>

#include "store/config.h"

/* Runs QMAIL/bin/qmail-newu; users/cdb is on the disk then. Says what went wrong
 * and returns false. */
bool notify_newu(const struct config *config);

/* Runs QMAIL/bin/qmail-newmrh, which makes morercpthosts.cdb. The same. */
bool notify_newmrh(const struct config *config);

/* Sends HUP by the configured command, or to the process that is the qmail-send
 * of this qmail, whatever became of its program's file since it was started.
 * If none is running, a note says so and the call succeeds: qmail-send will read
 * the files when it starts. If one is running that cannot be told, or if that is
 * unknown, an error says so and the call fails. */
bool notify_hup(const struct config *config);

enum notify_state {
	NOTIFY_RUNS,	/* the process was found */
	NOTIFY_STOPPED, /* none is running */
	NOTIFY_HIDDEN,	/* one is running whose process was not found */
	NOTIFY_UNKNOWN, /* neither could be found out */
};

enum notify_state notify_state(const struct config *config);
/* The same; with NOTIFY_RUNS also one of its processes. */
enum notify_state notify_find(const struct config *config, pid_t *ret_pid);

#endif
