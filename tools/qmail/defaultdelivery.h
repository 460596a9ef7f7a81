/* SPDX-License-Identifier: MIT */
/* defaultdelivery.h: what the running qmail does with mail for an empty .qmail
 * file: the argument that qmail-start gave to qmail-lspawn.
 */
#ifndef POPBOX_DEFAULTDELIVERY_H
#define POPBOX_DEFAULTDELIVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "store/config.h"

/* Its lines, NUL-ended. False: no qmail-lspawn of this qmail runs, or its
 * argument cannot be read. */
bool defaultdelivery(const struct config *config, char *ret_text, size_t room);

#endif
