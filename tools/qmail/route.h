/* SPDX-License-Identifier: MIT */
/* route.h: the look-ups of qmail's programs in their files, as
 * doc/FLOW.md says they go. Pure: the text of a file and a name in, the line
 * that wins out.
 *
 * Lines end at a newline, blanks and tabs at their end are none, blank lines
 * and those that begin with '#' are passed over. A carriage return is part of
 * its line. Letter case does not count.
 */
#ifndef POPBOX_ROUTE_H
#define POPBOX_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

/* A file; bytes NULL: it is not there. */
struct route_text {
	const char *bytes;
	size_t len;
};

/* A line of it, without its newline and the blanks before that. */
struct route_line {
	unsigned long number; /* from 1; 0: none */
	const char *at;	      /* into the text */
	size_t len;
	const char *value; /* behind the colon, up to the line's end */
	size_t value_len;
};

/* rcpthosts, qmail-smtpd(8): the domain, then each of its ends from a dot on.
 * The first line of the one that matches. */
struct route_line route_rcpthosts(struct route_text text, const char *domain);

/* The names that are looked up for a domain in this order: itself, then its
 * ends. at NULL: the first; NULL: no more. */
const char *route_next_name(const char *domain, const char *at);

/* The first line, as of control/me: a comment or a blank line counts too. */
struct route_line route_first(struct route_text text);

/* percenthack, qmail-send(8): of a domain in it, user%host@domain becomes
 * user@host, again and again. Rewrites the address in place. */
void route_percenthack(struct route_text text, char *address);

/* locals, qmail-send(8): the domain itself. Where there is no such file, the
 * first line of control/me is all of it. */
struct route_line route_locals(struct route_text locals, struct route_text me,
			       const char *domain);

/* virtualdomains, qmail-send(8): local@domain, the domain, its ends, the empty
 * key; of the same key the last line. An empty value means: not virtual. */
struct route_line route_virtualdomains(struct route_text text,
				       const char *local, const char *domain);

/* smtproutes, qmail-remote(8): the domain, its ends, the empty key. */
struct route_line route_smtproutes(struct route_text text, const char *domain);

/* users/assign, qmail-users(5): the exact line, else the longest prefix; of the
 * same key the first line, and none behind the one that begins with a dot.
 * Fields end at colons; value is what stands behind the first. */
struct route_line route_assign(struct route_text text, const char *local);

/* The six fields of an assignment: user, uid, gid, home, dash, ext. */
enum { ROUTE_FIELD_MAX = 4096 };
struct route_user {
	char field[6][ROUTE_FIELD_MAX];
	char rest[1024]; /* of the local part, behind a prefix */
};
enum { ROUTE_USER, ROUTE_UID, ROUTE_GID, ROUTE_HOME, ROUTE_DASH, ROUTE_EXT };

/* From the value of a line of users/assign (colons between, NUL) or of an entry
 * of users/cdb (NULs between). False: too few fields, or too long ones. */
bool route_fields(const char *value, size_t len, char between,
		  struct route_user *ret_user);

/* The names of .qmail files that qmail-local(8) looks for, one after the other:
 * dash and ext, then default for each part that ends in a hyphen. n from 0;
 * false: no more. "" for one that is too long for any file. */
enum { ROUTE_QMAIL_MAX = 256 };
bool route_qmail_name(const char *dash, const char *ext, unsigned n,
		      char ret_name[ROUTE_QMAIL_MAX]);

#endif
