/* render.h: the texts of qmail's files: which lines we want, and what a file
 * says once they are in it. Pure: bytes in, bytes out.
 *
 * A line is ours when its key is one of those wanted: the domain itself (and
 * with a leading dot) in rcpthosts, what stands before the colon in
 * virtualdomains and users/assign, in any letter case. Every other line stays
 * byte for byte, where it is.
 */
#ifndef POPBOX_RENDER_H
#define POPBOX_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "mailroot.h"
#include "store.h"

enum render_file { RENDER_RCPTHOSTS, RENDER_VIRTUALDOMAINS, RENDER_ASSIGN };

/* Wide enough for a path, a domain, a handle and the punctuation. */
enum { RENDER_LINE_MAX = PATH_MAX + 640 };

/* One line that a file shall have. */
struct render_line {
	char *key;
	char *line; /* without its newline; NULL: the file shall have none */
	bool seen;
};

/* In the order in which they were added, and found by their keys. */
struct render_lines {
	struct render_line *line;
	size_t count;
	size_t room;
	struct render_line **by_key; /* made when it is needed */
};

/* Adds the lines of one domain to those wanted. False: no memory. */
bool render_want(struct render_lines *lines, enum render_file file,
		 const struct config *config,
		 const struct store_domain *domain);
/* And the other way round: it shall have no line of this domain. */
bool render_unwant(struct render_lines *lines, enum render_file file,
		   const struct store_domain *domain);
void render_lines_free(struct render_lines *lines);

/* A line of ours that says something else than is wanted; number counts from
 * 1. */
typedef void render_conflict(void *arg, unsigned long number, const char *line,
			     size_t len, const char *wanted);

/* The text of the file with the wanted lines in it, a malloc'ed
 * (*ret_text)[0..*ret_len): ours replaced in place, missing ones at the end
 * (in users/assign before the line that ends it). report may be NULL. False:
 * no memory. */
bool render_file(enum render_file file, const char *text, size_t len,
		 struct render_lines *lines, render_conflict *report,
		 void *arg, char **ret_text, size_t *ret_len);

/* Does users/assign have the line that ends it, without which qmail-newu
 * refuses the file? */
bool render_assign_ends(const char *text, size_t len);

/* The .qmail file of an address: its Maildir's path, then its forwards.
 * *ret_mode is 0744 for forwards alone: qmail-local then refuses any program
 * or file line in it.
 *
 * all is the switch of the whole address (handle and domain), box that of its
 * box. Off: one line that makes the mail bounce, since without a file it would
 * fall to the catch-all; a box that is off leaves the forwards. Hold: a blank
 * line first, for which qmail-local defers the mail. False: cut, or no
 * memory. */
bool render_qmail(const struct config *config,
		  const struct store_address *address, enum store_delivery all,
		  enum store_delivery box, char **ret_text, size_t *ret_len,
		  mode_t *ret_mode);

#endif
