/* SPDX-License-Identifier: MIT */
/* resource_error.h: errors that say nothing of what was looked at.
 */
#ifndef POPBOX_RESOURCE_ERROR_H
#define POPBOX_RESOURCE_ERROR_H

#include <errno.h>
#include <stdbool.h>

/* Have we too little memory, or too few descriptors? Another look would tell. */
static inline bool resource_error(int rc)
{
	return rc == ENOMEM || rc == EMFILE || rc == ENFILE;
}

#endif
