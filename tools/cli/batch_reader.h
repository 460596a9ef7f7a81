/* SPDX-License-Identifier: MIT */
/* batch_reader.h: a child that reads lines of JSON from standard input and hands
 * them on as batch_line. It is nobody, and may only read and write the two
 * descriptors that it has: whoever breaks its parser has gained nothing but to say
 * other lines than he could have said.
 */
#ifndef POPBOX_BATCH_READER_H
#define POPBOX_BATCH_READER_H

#include "batch_line.h"
#include "popusr/child.h"

struct batch_reader {
	struct child_watch watch;
	int fd;
};

/* Before the store is opened. Standard input is /dev/null afterwards: no command
 * reads a line. Says what is wrong; returns the exit code. */
int batch_reader_start(struct batch_reader *reader);

enum batch_came {
	BATCH_CAME,
	BATCH_END,
	BATCH_BROKEN, /* it did not end as it should; said */
};

/* Waits until there is a line, or the end. */
void batch_reader_wait(const struct batch_reader *reader);
enum batch_came batch_reader_next(struct batch_reader *reader,
				  struct batch_line *line);

void batch_reader_stop(struct batch_reader *reader);

#endif
