/* SPDX-License-Identifier: MIT */
/* mailroot.h: everything below the mail root, made by a process that has
 * become popusr (asuser.h). store/path.h builds the paths:
 *
 *	HOME/e/ex1/POP/ex1-0001/{cur,new,tmp}		0700
 *	HOME/e/ex1/DOMAINS/example.com/.qmail-joe	0644 or 0744
 *	SERIALMAIL/host.example.com/{RELAYHOST,.qmail-default}	0644
 *	SERIALMAIL/host.example.com/Maildir/{cur,new,tmp}	0700
 *
 * Every call is idempotent and durable when it returns. 0, or an errno with
 * *ret_path naming what failed.
 */
#ifndef POPBOX_MAILROOT_H
#define POPBOX_MAILROOT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "maildir/maildirsize.h"
#include "store/name.h"

enum { MAILROOT_QMAIL_MAX = 16384 }; /* bytes of a .qmail file */

/* ".qmail-joe:doe" for joe.doe, ".qmail-default" for the catch-all. */
enum { MAILROOT_QMAIL_NAME = 8 + NAME_LOCAL_MAX };
void mailroot_qmail_name(const struct name_local *local,
			 char ret_name[MAILROOT_QMAIL_NAME]);

/* Temporaries have a mark of this host from now on, "": of the nodename. Two hosts
 * that write below one mail root never take each other's. */
void mailroot_sign(const char *host);

int mailroot_box(const char *home, const struct name_box *box,
		 char ret_path[PATH_MAX]);
int mailroot_domain(const char *home, const struct name_handle *handle,
		    const struct name_domain *domain, char ret_path[PATH_MAX]);
/* The domain's directory must be there. */
int mailroot_qmail(const char *home, const struct name_handle *handle,
		   const struct name_address *address, const char *text,
		   size_t len, mode_t mode, char ret_path[PATH_MAX]);
/* Keeps a copy of an unmanaged file beside it, under a name that qmail-local
 * never reads (it has a dot), before popbox takes the file over. *ret_path is the
 * copy then; copies that are there stay. ENOENT: there is no such file. */
int mailroot_adopt(const char *home, const struct name_handle *handle,
		   const struct name_address *address, char ret_path[PATH_MAX]);

/* The directory of a dial-up domain, with its two files: what RELAYHOST says,
 * and what .qmail-default does. */
struct mailroot_dialup {
	char relayhost[NAME_DOMAIN_MAX + 16]; /* with its newline */
	char qmail[1024];		      /* NUL-ended */
};
int mailroot_dialup(const char *serialmail, const struct name_domain *domain,
		    const struct mailroot_dialup *files,
		    char ret_path[PATH_MAX]);
/* What stands there now; "" for a file that is not there. ENOENT: there is no
 * such directory. */
int mailroot_dialup_peek(const char *serialmail,
			 const struct name_domain *domain,
			 struct mailroot_dialup *ret_files,
			 char ret_path[PATH_MAX]);
/* Goes with its files; with mail that waits in it, it stays: ENOTEMPTY, and
 * only .qmail-default is gone. */
int mailroot_remove_dialup(const char *serialmail,
			   const struct name_domain *domain,
			   char ret_path[PATH_MAX]);

/* The quota of a box, in its file maildirsize (maildirsize.h): with another limit in
 * it, or without it, what is there is counted anew. "": none, and the file goes.
 * Durable only if that is asked for. */
int mailroot_quota(const char *home, const struct name_box *box,
		   const char *limit, bool durable, char ret_path[PATH_MAX]);

/* Its reply, in its file vacation (vacation_file.h). No bytes: none, and the file goes,
 * with what says who was answered. */
int mailroot_vacation(const char *home, const struct name_box *box,
		      const char *text, size_t len, bool durable,
		      char ret_path[PATH_MAX]);

/* What a box holds, by that file; counted where the file cannot tell, and with count
 * also where it may be out of date. ENOENT: it has no Maildir. */
int mailroot_usage(const char *home, const struct name_box *box, bool count,
		   struct maildirsize *ret_used, char ret_path[PATH_MAX]);

/* Removals; what is not there is removed already. A domain's directory that
 * holds other files stays: ENOTEMPTY. A box goes with all its mail. */
int mailroot_remove_qmail(const char *home, const struct name_handle *handle,
			  const struct name_address *address,
			  char ret_path[PATH_MAX]);
int mailroot_remove_domain(const char *home, const struct name_handle *handle,
			   const struct name_domain *domain,
			   char ret_path[PATH_MAX]);
int mailroot_remove_box(const char *home, const struct name_box *box,
			char ret_path[PATH_MAX]);

/* The next names of files .qmail-* in a domain's directory, each with a NUL,
 * in no order; again from the first one with start. None left: *ret_len = 0. */
int mailroot_list(const char *home, const struct name_handle *handle,
		  const struct name_domain *domain, bool start,
		  char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len,
		  char ret_path[PATH_MAX]);

/* When the box was last logged into, or its app password of this number, if it is not
 * 0; and from where: the files that popbox-checkpw(8) keeps, path.h. ENOENT:
 * never. */
enum { MAILROOT_IP_MAX = 45 };
int mailroot_lastlogin(const char *home, const struct name_box *box,
		       unsigned app, int64_t *ret_time, char ret_ip[MAILROOT_IP_MAX + 1],
		       char ret_path[PATH_MAX]);

/* What popusr sees at a path that one of qmail's files names, symbolic links
 * followed as qmail-local does. A regular file's first bytes are in text, its
 * whole length in size. */
struct mailroot_look {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	dev_t device;
	int64_t size;
	int may;    /* what popusr may do: R_OK, W_OK, X_OK */
	int unread; /* errno of what kept popusr from reading the text, or 0 */
};
int mailroot_look(const char *path, struct mailroot_look *ret_look,
		  char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len);

/* What stands in it now; ENOENT, or EFBIG beyond MAILROOT_QMAIL_MAX. */
int mailroot_peek(const char *home, const struct name_handle *handle,
		  const struct name_address *address,
		  char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len,
		  char ret_path[PATH_MAX]);

/* After EACCES: popusr's own directories of a handle, and the one of these two
 * that is not NULL, get back the rights that their owner took from himself. They
 * may be the work of a POP server that was broken into. */
void mailroot_regain(const char *home, const struct name_handle *handle,
		     const struct name_box *box,
		     const struct name_domain *domain);

#endif
