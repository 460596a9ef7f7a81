/* SPDX-License-Identifier: MIT */
/* watched.h: the files that qmail's programs read, as they are at an instant:
 * control, users, .qmail files and RELAYHOST.
 */
#ifndef DEEP_WATCHED_H
#define DEEP_WATCHED_H

#include "qmailview.h"

/* Prints what is different from the time before:
 *
 *	file PATH MODE UID GID HEX
 *	gone PATH
 *
 * Temporaries and locks are passed over. */
void watched_print(const struct qmailview *view, FILE *out);

#endif
