/* SPDX-License-Identifier: MIT */
/* cores.h: how many threads can run at once. */
#ifndef POPBOX_CORES_H
#define POPBOX_CORES_H

enum { CORES_MAX = 256 };

/* The processors that this process may run on: 1 to CORES_MAX. */
unsigned cores_count(void);

#endif
