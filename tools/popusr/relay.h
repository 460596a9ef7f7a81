/* SPDX-License-Identifier: MIT */
/* relay.h: what a child of another user says, on its way to our terminal or log:
 * line by line, each as say_clean leaves it.
 */
#ifndef POPBOX_RELAY_H
#define POPBOX_RELAY_H

#include <stdio.h>

/* One stream of the child's. */
struct relay {
	FILE *to;
	size_t len;
	char line[4096]; /* a longer one is cut into several */
};

/* NUL bytes are signs of life and no part of a line. */
void relay_put(struct relay *relay, const char *bytes, size_t len);
/* What is left of a line without an end. */
void relay_end(struct relay *relay);

/* A file in memory for all that a child says, RELAY_MAX bytes at most: whoever
 * writes more is told that there is no room. -1: errno. */
enum { RELAY_MAX = 65536 };
int relay_file(void);
/* What it has: a text, len without its NUL. */
void relay_text(int fd, char ret_text[RELAY_MAX + 1], size_t *ret_len);
/* All of it, to standard error. */
void relay_all(int fd);

#endif
