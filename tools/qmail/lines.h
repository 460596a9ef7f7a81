/* SPDX-License-Identifier: MIT */
/* lines.h: the lines that a domain has, or shall not have, in qmail's files.
 * Pure.
 *
 *	rcpthosts, morercpthosts   example.com  .example.com
 *	virtualdomains             example.com:example.com  .example.com:...
 *	smtproutes                 example.com:relay.example:25  .example.com:...
 *	users/assign               +example.com-:ex1:510:51:DIRECTORY:-::
 *	locals                     never
 *
 * A line is ours when its key is one of these: what stands before the colon,
 * or the whole line, in any letter case. Every other line is somebody else's.
 */
#ifndef POPBOX_LINES_H
#define POPBOX_LINES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/config.h"
#include "store/store.h"

enum lines_file {
	LINES_RCPTHOSTS,
	LINES_MORE, /* morercpthosts */
	LINES_VIRTUALDOMAINS,
	LINES_SMTPROUTES,
	LINES_ASSIGN,
	LINES_LOCALS,
};

/* Wide enough for a path, a domain, a handle and the punctuation. */
enum { LINES_LINE_MAX = PATH_MAX + 640 };

struct lines_line {
	char *key;
	char *line; /* without its newline; NULL: the file shall have none */
	bool seen;
};

/* Does whoever wrote this line of a file give it up? */
typedef bool lines_yield(void *arg, enum lines_file file, const char *line,
			 size_t len);

/* In the order in which they were added, and found by their keys. */
struct lines {
	struct lines_line *line;
	size_t count;
	size_t room;
	struct lines_line **by_key; /* made when it is needed */
	lines_yield *yields;	    /* NULL: nobody does */
	void *yields_arg;
};

/* Which of a domain's keys: those that it has a line for, by its kind and
 * whether hosts below it are meant too; those that it has none for; all, to be
 * gone. */
enum lines_what { LINES_COME = 1, LINES_GO = 2, LINES_ALL_GO = 4 };

/* Adds them, what is a sum. False: no memory, or a line too long. */
bool lines_add(struct lines *lines, enum lines_file file,
	       const struct config *config, const struct store_domain *domain,
	       unsigned what);
void lines_free(struct lines *lines);

/* Is the key the whole line in this file, not what stands before a colon? */
bool lines_whole(enum lines_file file);

/* Where a domain's mail goes: host, host:port, or [1.2.3.4]:port with brackets
 * for an address. False: cut. */
bool lines_host(const struct store_domain *domain, bool brackets, char *ret_text,
		size_t room);

/* The order of a key in a file, in any letter case, and a wanted one, which is
 * lower-case: < 0, 0, > 0. One with a NUL inside is no wanted one. */
int lines_order(const char *key, size_t len, const char *wanted);

/* Makes the index by key and clears every `seen`. False: no memory. */
bool lines_index(struct lines *lines);
/* The line whose key line[0..len) has, or NULL. Blanks and a carriage return
 * behind the key do not count: they are ours to mend. */
struct lines_line *lines_find(enum lines_file file, const struct lines *lines,
			      const char *line, size_t len);

#endif
