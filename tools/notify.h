/* notify.h: telling qmail that its files changed: qmail-newu for users/assign,
 * HUP for qmail-send, which reads virtualdomains at no other time.
 */
#ifndef POPBOX_NOTIFY_H
#define POPBOX_NOTIFY_H

#include <stdbool.h>

#include "config.h"

/* Runs QMAIL/bin/qmail-newu; users/cdb is on the disk then. Says what went wrong
 * and returns false. */
bool notify_newu(const struct config *config);

/* Runs QMAIL/bin/qmail-newmrh, which makes morercpthosts.cdb. The same. */
bool notify_newmrh(const struct config *config);

/* Sends HUP by the configured command, or to the process whose program is
 * QMAIL/bin/qmail-send. That none runs is said and is no failure: it will read
 * the files when it starts. */
bool notify_hup(const struct config *config);

/* Is there a process whose program is QMAIL/bin/qmail-send? */
bool notify_running(const struct config *config);

#endif
