/* SPDX-License-Identifier: MIT */
/* account.h: who gets the mail of a local part that users/assign does not
 * assign: the user of that name, of a part of it up to a hyphen, or alias; as
 * qmail-getpw(8) finds out.
 */
#ifndef POPBOX_ACCOUNT_H
#define POPBOX_ACCOUNT_H

#include "route.h"

enum account {
	ACCOUNT_USER,
	ACCOUNT_ALIAS,
	ACCOUNT_NONE,  /* there is no user alias either: mail waits */
	ACCOUNT_WAITS, /* the user's home cannot be looked at now: mail waits */
	ACCOUNT_LATER, /* we lack memory or descriptors: errno */
};

/* Fills ret_user for the first two. */
enum account account_find(const char *local, struct route_user *ret_user);

#endif
