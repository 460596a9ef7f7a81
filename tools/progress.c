#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

	(void)fprintf(stderr, "\r%s [%-*.*s] %lu/%lu  %.0f/s  %.0f s left\033[K",
		      progress->label, BAR, bar, hashes, progress->done,
		      progress->total, rate, left);
	(void)fflush(stderr); /* a bar only */
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
	progress->drawn = true;
}

void progress_end(struct progress *progress)
{
	if (progress->drawn)
		(void)fputs("\r\033[K", stderr); /* a bar only */
	progress->drawn = false;
}
