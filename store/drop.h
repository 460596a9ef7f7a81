/* SPDX-License-Identifier: MIT */
/* drop.h: becoming popusr, proved, for the login program and for every child
 * that works below the mail root.
 */
#ifndef POPBOX_DROP_H
#define POPBOX_DROP_H

#include <sys/types.h>

#include "err.h"

/* Gives up root for good: supplementary groups, then gid, then uid, real,
 * effective and saved; then proves that neither the old ids nor root come
 * back. After it the process cannot be traced by others of the same uid and
 * leaves no core file.
 *
 * Not root to begin with: accepted only where every id of the caller is the
 * wanted one already (a private installation).
 *
 * NULL when done, else what failed, as a static text with errno set (0 where
 * the system refused nothing). After a failure the process must end: its ids
 * may be mixed. uid 0 and gid 0 are refused. */
MUST_USE const char *drop_to(uid_t uid, gid_t gid);

#endif
