/* SPDX-License-Identifier: MIT */
/* breach_reader.h: the process that reads a list of breached passwords: it is nobody,
 * is confined, and hands out keys. Root sees no line of the list.
 */
#ifndef POPBOX_BREACH_READER_H
#define POPBOX_BREACH_READER_H

#include "breach_list.h"
#include "popusr/child.h"

enum { BREACH_BLOCK = 4096 };

/* What comes over the pipe: some keys, or none and how it ended. */
struct breach_block {
	uint64_t read; /* bytes of the list so far */
	uint64_t keys;
	uint64_t key[BREACH_BLOCK];
};

struct breach_report {
	uint64_t line, skipped;
	uint32_t form, fault;
};

struct breach_reader {
	int fd;
	struct child_watch watch;
	const char *name; /* of the list, for messages */
	struct breach_block block;
	struct breach_report report; /* at the end */
};

/* fd: the list, which the caller may close then. Each says what is wrong and returns
 * the exit code. */
int breach_reader_start(struct breach_reader *reader, int fd, const char *name,
			bool words);
/* The next block; none of its keys: the end, and report is there. */
int breach_reader_next(struct breach_reader *reader);
void breach_reader_stop(struct breach_reader *reader);

#endif
