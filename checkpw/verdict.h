/* SPDX-License-Identifier: MIT */
/* verdict.h: the answer of `popbox-checkpw --verdict`, which runs nothing: a
 * line on descriptor 1, for a program that asks over a connection.
 *
 *	accept TAB address TAB box TAB Maildir LF
 *	refuse LF
 *	error LF
 *
 * The address is canonical; it is the box's name where no address leads to the
 * box. A line that does not come, or not whole, means error.
 */
#ifndef POPBOX_VERDICT_H
#define POPBOX_VERDICT_H

#include <stdbool.h>

#include "store/config.h"
#include "store/login.h"

/* " service=smtp peer=7791" for the log: what the service is called, and the
 * user at the other end of the Unix socket that is descriptor 0; either may be
 * missing. Static, overwritten by the next call. service NULL: no name. */
const char *verdict_asker(const char *service);

/* Writes the line. login is looked at for VERDICT_ACCEPT alone. False: errno. */
MUST_USE bool verdict_answer(enum verdict verdict, const struct config *config,
			     const struct login *login);

#endif
