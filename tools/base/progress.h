/* SPDX-License-Identifier: MIT */
/* progress.h: a bar with rate and remaining time on stderr, for work that
 * takes over a second, on a terminal only; it clears itself, before any message too.
 */
#ifndef POPBOX_PROGRESS_H
#define POPBOX_PROGRESS_H

#include <stdbool.h>
#include <time.h>

struct progress {
	const char *label; /* must outlive it */
	unsigned long total;
	unsigned long done;
	struct timespec start;
	long shown_ms; /* when it was last drawn, since start */
	bool terminal;
};

struct progress progress_start(const char *label, unsigned long total);
void progress_step(struct progress *progress, unsigned long steps);
void progress_end(struct progress *progress);

#endif
