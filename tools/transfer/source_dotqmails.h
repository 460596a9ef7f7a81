/* SPDX-License-Identifier: MIT */
/* source_dotqmails.h: the .qmail files of a directory of an old site: read, never
 * run. What they say becomes addresses, or a part of the row of the user who has
 * the same address; the rest is named.
 */
#ifndef POPBOX_SOURCE_DOTQMAILS_H
#define POPBOX_SOURCE_DOTQMAILS_H

#include "base/strtab.h"
#include "fmt_vpopmail.h"
#include "source.h"

/* What is particular to a program. */
struct source_dotqmails_site {
	/* Whose Maildir is it? path has its final slash. False: no user's. */
	bool (*owner)(void *arg, const char *path,
		      char ret_address[NAME_ADDRESS_TEXT]);
	/* Is it a line of its delivery program, and where does that send what
	 * is for no user? */
	enum fmt_vpopmail_where (*agent)(void *arg, const char *line,
					 char ret_where[PATH_MAX]);
	void *arg;
};

struct source_dotqmails {
	const struct source_how *how;
	const struct source_dotqmails_site *site;
	const char *top; /* nothing above it is looked at (safe_open.h) */
	const char *dir; /* they lie in it */
	const char *domain;
	struct strtab files;
	bool *taken; /* of each: it is a part of a user's row */
	struct import_account account;
	struct text raw;
};

/* Lists them. Returns the exit code. */
int source_dotqmails_list(struct source_dotqmails *files);
void source_dotqmails_free(struct source_dotqmails *files);

/* A small regular file below top. False: errno. */
bool source_dotqmails_read(const char *top, const char *path,
			   char text[MAILROOT_QMAIL_MAX], size_t *ret_len);

/* What a file named path says of the mail of the user whose row it is, who has a
 * box: merged into it. NULL, or why not. *ret_on: the delivery program goes on
 * with it. */
const char *source_dotqmails_merge(const struct source_dotqmails *files,
				   const char *path, const char *text,
				   size_t len, struct import_account *account,
				   bool *ret_on);

/* The same for the file of his address; without one the delivery program has
 * it. */
const char *source_dotqmails_merge_own(struct source_dotqmails *files,
				       struct import_account *account,
				       bool *ret_on);

/* The rows of all others. Returns the exit code; *ret_enough: the sink has
 * enough. */
int source_dotqmails_rest(struct source_dotqmails *files, source_sink *sink,
			  void *arg, bool *ret_enough);

#endif
