/* SPDX-License-Identifier: MIT */
/* batch_line.h: one line of `popbox batch`, popbox-batch(8): JSON from who may be a
 * stranger, parsed by a process that can do nothing else, and handed to root's as
 * lengths and bytes, which root's judges again.
 */
#ifndef POPBOX_BATCH_LINE_H
#define POPBOX_BATCH_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "args.h"

enum {
	BATCH_LINE_MAX = 65536, /* bytes, without the line's end */
	BATCH_ID_MAX = 256,	/* bytes of an id that is a string */
	BATCH_TEXT_MAX = BATCH_LINE_MAX + 4096,
	BATCH_WORDS_MAX = ARGS_OPERANDS_MAX + 2, /* noun, verb, operands */
	BATCH_NAME_MAX = 40,			 /* bytes of an option's name */
};

enum batch_fault {
	BATCH_GOOD,
	BATCH_TOO_LONG,
	BATCH_NOT_JSON, /* at the byte `at` */
	BATCH_NOT_OBJECT,
	BATCH_MEMBER, /* one that is not known */
	BATCH_ID,
	BATCH_COMMAND,
	BATCH_OPTIONS,
	BATCH_PASSWORD,
	BATCH_TWO, /* password and hash */
	BATCH_MEMORY,
	BATCH_FAULTS,
};

#define BATCH_NONE UINT32_MAX

/* Plain bytes, as they go through the pipe: of text only the first `len`. In it
 * one behind the other: the id as JSON, the words, and the options as `--name` or
 * `--name=value`, a NUL after each; then a password and a hash. Wipe it. */
struct batch_line {
	uint32_t fault; /* enum batch_fault; with one only the id is there */
	uint32_t at;
	uint32_t words, options;
	uint32_t password_len, hash_len; /* BATCH_NONE: none */
	uint32_t len;
	char text[BATCH_TEXT_MAX];
};

/* Pointers into a line. */
struct batch_parts {
	const char *id;
	size_t words, options;
	char *word[BATCH_WORDS_MAX];
	char *option[ARGS_OPTIONS_MAX];
	const char *password, *hash; /* NULL: none */
};

/* The line without its end. */
void batch_line_parse(const char *bytes, size_t len, struct batch_line *ret_line);

/* A line without anything but a fault. */
void batch_line_fault(enum batch_fault fault, struct batch_line *ret_line);

/* False: these are not the bytes that batch_line_parse makes. */
bool batch_line_split(struct batch_line *line, struct batch_parts *ret_parts);

/* What is wrong, for people. */
const char *batch_line_text(enum batch_fault fault);

#endif
