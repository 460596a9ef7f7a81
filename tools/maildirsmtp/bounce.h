/* SPDX-License-Identifier: MIT */
/* bounce.h: tells the sender of a message that it was refused for good.
 */
#ifndef POPBOX_BOUNCE_H
#define POPBOX_BOUNCE_H

#include <stdbool.h>
#include <stdio.h>

#include "letter.h"

/* By qmail-inject, a path or NULL: as whom (helo), why, and the first 96 KiB of
 * the message, from its file. A bounce has no sender to tell. False: nobody was
 * told. */
bool bounce(const char *inject, const char *helo, const char *why,
	    FILE *message, const struct letter *letter);

#endif
