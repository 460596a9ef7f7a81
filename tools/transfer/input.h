/* SPDX-License-Identifier: MIT */
/* input.h: the lines of a file of somebody's, of any size, in bounded memory.
 *
 * Refused, each by its line: more than INPUT_LINE_MAX bytes, a NUL, a carriage
 * return that no newline follows, and bytes that are not of the file's encoding
 * (encoding.h): what is handed out is UTF-8. A byte order mark tells which it is,
 * and is passed over.
 */
#ifndef POPBOX_INPUT_H
#define POPBOX_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/encoding.h"

enum { INPUT_LINE_MAX = 65536 };

struct input {
	int fd;
	bool ours; /* to be closed */
	const char *name; /* for messages; must outlive it */
	uint64_t size;	  /* of the file; 0 = not known */
	uint64_t read;	  /* bytes so far */
	unsigned long line; /* the number of the last one, from 1 */
	const char *why;  /* what is wrong with it, or NULL */
	bool crlf;	  /* it ended in CR LF */
	char *buffer;	  /* malloc'ed; wiped at the end */
	size_t at, len;
	bool end;
	bool begun; /* the first bytes are read, and no byte order mark */
	struct encoding encoding; /* to be set before the first line */
	struct text changed;	  /* what was in another; wiped at the end */
	char kept; /* the byte behind the last line, where its NUL is */
};

enum input_got { INPUT_LINE, INPUT_END, INPUT_FAILED /* errno */ };

/* A path, or "-" for standard input. False: errno. */
bool input_open(struct input *input, const char *path);
/* A regular file in a tree of somebody else's (safe_open.h). */
bool input_open_below(struct input *input, const char *top, const char *path);
void input_close(struct input *input);

/* The first bytes, UTF-16 as UTF-8, as far as they come; nothing is consumed. */
enum { INPUT_PEEK = 4096 };
bool input_peek(struct input *input, const char **ret_bytes, size_t *ret_len);

/* Instead of lines: the next bytes, some, as they are but for UTF-16. */
enum input_got input_bytes(struct input *input, const char **ret_bytes,
			   size_t *ret_len);

/* The next line with its newline, good until the next call; NUL-ended. What is
 * wrong with it, or what else was refused of it, is in input->why; a line that is
 * too long is cut. */
enum input_got input_next(struct input *input, char **ret_line,
			  size_t *ret_len);

#endif
