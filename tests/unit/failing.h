/* SPDX-License-Identifier: MIT */
/* failing.h: calls of the system that fail once, or are cut short once. What stands
 * here stands before the C library's own, which the objects under test would call.
 */
#ifndef POPBOX_FAILING_H
#define POPBOX_FAILING_H

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static const char *failing_call; /* NULL: none */
static int failing_in;		 /* so many of it are still to come */
static int failing_errno;
static char failing_made[2000]; /* the names of all calls, in their order */

static inline void failing_start(const char *call, int number, int error)
{
	failing_call = call;
	failing_in = number;
	failing_errno = error;
	failing_made[0] = 0;
}

/* Did it come so far? */
static inline bool failing_end(void)
{
	const bool came = failing_call && failing_in <= 0;

	failing_call = NULL;
	return came;
}

static inline bool failing_now(const char *call)
{
	const size_t len = strlen(failing_made);

	(void)snprintf(failing_made + len, sizeof failing_made - len, "%s ", call);
	if (!failing_call || strcmp(failing_call, call) != 0 || --failing_in != 0)
		return false;
	errno = failing_errno;
	return true;
}

#define FAILING_REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAILING(type, name, declared, given)                                   \
	type name declared                                                     \
	{                                                                      \
		return failing_now(#name) ? (type)-1                           \
					  : FAILING_REAL(name) given;          \
	}

#endif
