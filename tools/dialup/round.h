/* SPDX-License-Identifier: MIT */
/* round.h: one round of deliveries to the hosts that dial in, by a process that
 * becomes popusr for it, since nothing of it needs root.
 *
 * Its locks are inherited by the senders, so that they last as long as one does.
 */
#ifndef POPBOX_ROUND_H
#define POPBOX_ROUND_H

#include "serialmail.h"

/* In a child (child.h). own: our sender, opened while it could be reached, or -1.
 * Says what failed, and NUL bytes on standard error while it goes on. With
 * SIGTERM it ends its senders. Returns the exit code. */
int round_run(const struct site *site, const struct serialmail *how, int own);

#endif
