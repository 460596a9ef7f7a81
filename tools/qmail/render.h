/* SPDX-License-Identifier: MIT */
/* render.h: what one of qmail's files says once the wanted lines are in it and
 * the unwanted ones are not. Pure: bytes in, bytes out.
 *
 * A line that is ours (lines.h) is replaced in place, further ones of its key
 * go, missing ones come at the end: in users/assign before the line that ends
 * it, in virtualdomains a host before the domain it lies in. Every other line
 * stays byte for byte, where it is.
 */
#ifndef POPBOX_RENDER_H
#define POPBOX_RENDER_H

#include "lines.h"

/* A line of ours that says something else than is wanted; number counts from
 * 1; wanted is NULL where there shall be none. */
typedef void render_conflict(void *arg, unsigned long number, const char *line,
			     size_t len, const char *wanted);

/* The text of the file, a malloc'ed (*ret_text)[0..*ret_len). report may be
 * NULL. False: no memory. */
bool render_file(enum lines_file file, const char *text, size_t len,
		 struct lines *lines, render_conflict *report, void *arg,
		 char **ret_text, size_t *ret_len);

/* Does users/assign have the line that ends it, without which qmail-newu
 * refuses the file? */
bool render_assign_ends(const char *text, size_t len);

/* Why qmail-newu refuses the file for this line of users/assign; NULL: it takes
 * it. */
const char *render_assign_line(const char *line, size_t len);
/* The same of the first such line, whose number counts from 1. */
const char *render_assign_fault(const char *text, size_t len,
				unsigned long *ret_number);

/* Which of the wanted lines belong into rcpthosts and which into morercpthosts:
 * those that are in one of them stay there; others go into rcpthosts as long
 * as it has fewer than max lines. With anew, which wants all lines that there
 * are, only those in rcpthosts stay there, as long as it has no more than max;
 * others fill it up to that. Fills ret_more[i] for every line. False: no
 * memory. */
bool render_split(const char *rcpthosts, size_t len, const char *more,
		  size_t more_len, struct lines *lines, size_t max, bool anew,
		  bool *ret_more);

#endif
