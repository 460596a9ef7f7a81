/* SPDX-License-Identifier: MIT */
/* outfile.h: a new file that appears whole, on the disk, or not at all, mode
 * 0600, under a name that nothing has, or in the place of an older one. What a killed
 * run left beside it goes with the next one of that name.
 */
#ifndef POPBOX_OUTFILE_H
#define POPBOX_OUTFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct outfile {
	const char *path; /* as it was given; must outlive it */
	int dir;
	int fd;	   /* of the temporary; for reading, too */
	bool over; /* in the place of a file that is there */
	char name[NAME_MAX + 1];      /* in dir */
	char temporary[NAME_MAX + 1]; /* in dir, until it is whole */
};

/* Each says what is wrong and returns the exit code. Refused: a name that is
 * taken, a directory where others could put something in the file's place. */
int outfile_open(const char *path, struct outfile *ret_file);
/* The same, but it takes the place of a file that is there. */
int outfile_open_over(const char *path, struct outfile *ret_file);
int outfile_write(const struct outfile *file, const char *bytes, size_t len);
int outfile_keep(struct outfile *file);

/* Closes it; what was not kept is gone. */
void outfile_close(struct outfile *file);

#endif
