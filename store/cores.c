/* SPDX-License-Identifier: MIT */
#include "cores.h"

#include <sched.h>

unsigned cores_count(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) == 0
			    ? CPU_COUNT(&set)
			    : 1;

	return count < CORES_MAX ? (unsigned)count : CORES_MAX;
}
