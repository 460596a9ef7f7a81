/* SPDX-License-Identifier: MIT */
/* confine.h: popbox-central writes no file and runs no program, whatever a server
 * makes of it. It reads what its user may: certificates, settings of libraries.
 */
#ifndef POPBOX_CENTRAL_CONFINE_H
#define POPBOX_CENTRAL_CONFINE_H

#include <stdbool.h>

/* By Landlock, where the kernel has it; for good. False: errno. */
bool confine_writes(void);

#endif
