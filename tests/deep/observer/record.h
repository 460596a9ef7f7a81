/* SPDX-License-Identifier: MIT */
/* record.h: the system calls of a change that reach the disk, one line each, as
 * operations on inodes:
 *
 *	link DIR NAME INODE KIND MODE UID GID	a new name; KIND file or dir
 *	unlink DIR NAME
 *	rename DIR NAME DIR NAME INODE
 *	swap DIR NAME DIR NAME
 *	write INODE OFFSET now|later HEX	now: O_DSYNC
 *	trunc INODE SIZE
 *	attr INODE MODE UID GID
 *	fsync INODE
 *	syncfs
 *	said					the command wrote to its output
 *	hup					qmail-send was told to read
 *	unknown WHAT				a call that this room cannot replay
 *
 * A write through a mapping is invisible here; LMDB makes none to its data, and
 * its lock file counts for nothing after a power cut.
 */
#ifndef DEEP_RECORD_H
#define DEEP_RECORD_H

#include <stdio.h>

#include "step.h"

struct record {
	FILE *out;
	const char *top; /* what lies elsewhere is not recorded */
	pid_t command;	 /* its descriptor 1 is what `said` means */
};

/* As a step_stop is called, before each call and behind it. */
void record_before(struct record *record, struct step_call *call);
void record_behind(struct record *record, struct step_call *call);

#endif
