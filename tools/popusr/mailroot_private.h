/* SPDX-License-Identifier: MIT */
/* mailroot_private.h: what the rooms that work below the mail root have in
 * common; for mailroot*.c alone.
 */
#ifndef POPBOX_MAILROOT_PRIVATE_H
#define POPBOX_MAILROOT_PRIVATE_H

#include "mailroot.h"
#include "mailroot_bulk.h"

enum mailroot_part { MAILROOT_POP, MAILROOT_DOMAINS };

/* What name is below the path of a directory. */
void mailroot_add_name(char path[PATH_MAX], const char *name);

/* Opens the directory name below *fd, which it takes the place of, making it
 * where it is missing. Intermediate directories may be symbolic links of the
 * administrator's, to another disk; the last one may not. Its name is on the
 * disk afterwards, also where a run made it that was killed before this. */
int mailroot_step(int *fd, const char *name, mode_t mode, bool last);

/* cur, new and tmp below a directory. */
int mailroot_maildir(int fd);

/* Removes what name is below dir: a file, a link itself, or a directory with
 * what is in it, at any depth and with any mode. ETIMEDOUT: much of it is gone,
 * and the next call goes on. */
int mailroot_remove_tree(int dir, const char *name);

/* Nothing is owed of what was removed, so it must not come back after a power
 * cut; nor what a run removed that was killed before this. */
int mailroot_sync_parent(const char *path);

/* Opens HOME/e/ex1/POP or its neighbour, made and made durable where it is
 * missing; the way there may lead over symbolic links of the administrator's. */
int mailroot_part(const char *home, const struct name_handle *handle,
		  enum mailroot_part part, int *ret_fd);

/* Opens the directory of an address; *ret_path becomes that of its file. */
int mailroot_open_domain(const char *home, const struct name_handle *handle,
			 const struct name_address *address, int *ret_fd,
			 char ret_name[MAILROOT_QMAIL_NAME],
			 char ret_path[PATH_MAX]);

/* Does the file say this already? Then nothing is written. */
bool mailroot_is_same(int dir, const char *name, const char *text, size_t len,
		      mode_t mode);

/* The looks of mailroot_bulk. */
int mailroot_is_there(const char *home, const struct mailroot_job *job);

/* ".popbox-tmp.qmail-joe": begins like no file that qmail-local looks for. Where
 * several hosts may write, ".popbox-tmp.1a2b3c4d.qmail-joe" (mailroot_sign). */
#define MAILROOT_TEMPORARY_PREFIX ".popbox-tmp"
enum {
	MAILROOT_SIGN = sizeof ".1a2b3c4d",
	MAILROOT_TEMPORARY = MAILROOT_QMAIL_NAME + MAILROOT_SIGN +
			     sizeof MAILROOT_TEMPORARY_PREFIX
};
void mailroot_temporary(const char *name, char ret_name[MAILROOT_TEMPORARY]);

#endif
