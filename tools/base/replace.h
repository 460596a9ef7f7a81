/* SPDX-License-Identifier: MIT */
/* replace.h: reading a file whole, and replacing it so that nobody ever sees
 * it missing, empty or half written: temporary in the same directory with
 * O_EXCL, same mode and owner, fsync, rename, fsync of the directory.
 *
 * Calls answer 0 or an errno. Two of them at once on one file are kept apart by
 * the caller's lock.
 */
#ifndef POPBOX_REPLACE_H
#define POPBOX_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct replace_text {
	char *bytes; /* with a NUL after the last, which len does not count */
	size_t len;
	mode_t mode;
	uid_t uid; /* (uid_t)-1: leave as made */
	gid_t gid;
};

/* The whole of a regular file below a directory. ENOENT; EINVAL: it is not a
 * regular file (a symbolic link, a directory, a pipe). */
int replace_read(int dir, const char *name, struct replace_text *ret_text);
/* The same of a file that somebody else may have made as long as he likes: EFBIG
 * beyond so many bytes. */
int replace_read_up_to(int dir, const char *name, size_t most,
		       struct replace_text *ret_text);
void replace_free(struct replace_text *text);

/* Puts bytes[0..len) in the place of name, with the mode and owner of like.
 * A temporary that a killed run left is removed. */
int replace_file(int dir, const char *name, const char *temporary,
		 const struct replace_text *like, const char *bytes,
		 size_t len);

/* The same in parts, for what is written bit by bit: the temporary; all of some
 * bytes into a descriptor; and the end, with rc, what became of the writing.
 * With an uid of -1 in like the owner stays who made it. */
int replace_begin(int dir, const char *temporary, int *ret_fd);
int replace_write(int fd, const char *bytes, size_t len);
int replace_end(int dir, const char *name, const char *temporary, int fd,
		const struct replace_text *like, int rc);

/* Its two halves, for many files at a time: the temporary, whole, on the disk
 * only if durable; and, when it is, its rename, which the caller makes
 * durable. */
int replace_prepare(int dir, const char *temporary,
		    const struct replace_text *like, const char *bytes,
		    size_t len, bool durable);
int replace_finish(int dir, const char *name, const char *temporary);

/* fsync of a directory: the names in it are on the disk. An errno. */
int replace_sync(const char *path);

/* The same of the directory in which path lies. */
int replace_sync_parent(const char *path);

#endif
