/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "say.h"

enum { QUIET_MS = 1000, REDRAW_MS = 100, BAR = 30 };

struct progress progress_start(const char *label, unsigned long total)
{
	const char *term = getenv("TERM");
	struct progress progress = {.label = label, .total = total};

	(void)clock_gettime(CLOCK_MONOTONIC, &progress.start); /* cannot fail */
	progress.terminal = isatty(STDERR_FILENO) && term &&
			    strcmp(term, "dumb") != 0;
	return progress;
}

static long elapsed_ms(const struct progress *progress)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (long)(now.tv_sec - progress->start.tv_sec) * 1000 +
	       (now.tv_nsec - progress->start.tv_nsec) / 1000000;
}

static void draw(const struct progress *progress, long ms)
{
	static const char hashes[] = "##############################";
	double rate = (double)progress->done * 1000 / (double)ms;
	double left = (double)(progress->total - progress->done) / rate;
	int bar = (int)(progress->done * BAR / progress->total);

	char line[256];
	struct winsize size;
	int room = sizeof line - 1;

	/* In a line that is too long the last part alone could be cleared. */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
	    size.ws_col < room)
		room = size.ws_col - 1;
	(void)snprintf(line, sizeof line,
		       "%.40s [%-*.*s] %lu/%lu  %.0f/s  %.0f s left",
		       progress->label, BAR, bar, hashes, progress->done,
		       progress->total, rate, left);
	(void)fprintf(stderr, "\r%.*s\033[K", room, line);
	(void)fflush(stderr); /* a bar only */
	say_bar(true);
}

void progress_step(struct progress *progress, unsigned long steps)
{
	long ms;

	progress->done += steps;
	if (!progress->terminal)
		return;
	ms = elapsed_ms(progress);
	if (ms < QUIET_MS || ms - progress->shown_ms < REDRAW_MS)
		return;
	draw(progress, ms);
	progress->shown_ms = ms;
}

void progress_end(struct progress *progress)
{
	if (progress->terminal)
		say_bar(false);
}
