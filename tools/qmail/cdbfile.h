/* SPDX-License-Identifier: MIT */
/* cdbfile.h: users/cdb (s/qmail: users/assign.cdb) and morercpthosts.cdb, as qmail-lspawn and qmail-smtpd
 * read them. Over libcdb (tinycdb).
 */
#ifndef POPBOX_CDBFILE_H
#define POPBOX_CDBFILE_H

#include <stdbool.h>

#include "route.h"

/* What qmail-newu makes of users/assign, below qmail's home: "users/cdb", or
 * "users/assign.cdb" of s/qmail; of both, what was made last. */
const char *cdbfile_users(const char *qmail);

enum cdbfile {
	CDBFILE_FOUND,
	CDBFILE_NONE,	 /* no such key */
	CDBFILE_MISSING, /* no such file */
	CDBFILE_DAMAGED, /* or unreadable */
	CDBFILE_LATER,	 /* we have too little memory or descriptors: errno */
};

/* Who gets the mail of a local part: the exact entry, else the longest prefix
 * (of which users/cdb says in which characters they end; the empty one is for
 * everybody). */
enum cdbfile cdbfile_user(const char *path, const char *local,
			  struct route_user *ret_user);

/* Is it a key, in lower case? */
enum cdbfile cdbfile_has(const char *path, const char *key);

/* Writes a new one, of the pairs that fill puts into it, to an empty file. 0 or an
 * errno; EIO: fill said false. */
typedef bool cdbfile_put(void *to, const char *key, size_t key_len,
			 const char *value, size_t value_len);
typedef bool cdbfile_fill(void *arg, cdbfile_put *put, void *to);
int cdbfile_write(int fd, cdbfile_fill *fill, void *arg);

/* Calls each with every key; false ends it. FOUND: all were seen. */
typedef bool cdbfile_each(void *arg, const char *key, unsigned key_len,
			  const char *value, unsigned value_len);
enum cdbfile cdbfile_walk(const char *path, cdbfile_each *each, void *arg);

#endif
