/* SPDX-License-Identifier: MIT */
/* mailroot_audit.h: what is wrong below the mail roots, found by the process
 * that is popusr (asuser.h), and mended where popusr can without loss.
 *
 * Findings are appended to a report, each as three texts with a NUL after them:
 * a word that names the check, "sync", "fix" or "" for how it is mended, and what
 * was found, with its path. With fix, what says "fix" is mended at once. A report
 * that is full ends in the finding "more".
 */
#ifndef POPBOX_MAILROOT_AUDIT_H
#define POPBOX_MAILROOT_AUDIT_H

#include "mailroot.h"

struct mailroot_report {
	bool full;
	int unsure; /* errno of what could not be looked at, or 0 */
	size_t len;
	char text[MAILROOT_QMAIL_MAX];
};

/* Who owns all of it, and whether to mend. */
struct mailroot_audit {
	uid_t uid;
	bool fix;
};

/* limit is that of its quota, or ""; text[0..len) its file vacation, or nothing. */
void mailroot_audit_box(const char *home, const struct name_box *box,
			const char *limit, const char *text, size_t len,
			struct mailroot_audit how,
			struct mailroot_report *report);

/* The directory of a pop domain and all that lies in it. */
void mailroot_audit_domain(const char *home, const struct name_handle *handle,
			   const struct name_domain *domain,
			   struct mailroot_audit how,
			   struct mailroot_report *report);

/* The file of an address against what it shall say. */
void mailroot_audit_qmail(const char *home, const struct name_handle *handle,
			  const struct name_address *address, const char *text,
			  size_t len, mode_t mode, struct mailroot_audit how,
			  struct mailroot_report *report);

void mailroot_audit_dialup(const char *serialmail,
			   const struct name_domain *domain,
			   const struct mailroot_dialup *files,
			   struct mailroot_audit how,
			   struct mailroot_report *report);

/* One of the two roots itself. */
void mailroot_audit_root(const char *path, struct mailroot_audit how,
			 struct mailroot_report *report);

/* The names in a directory, each with a NUL, from number skip on; none left:
 * *ret_len = 0. 0 or an errno. */
int mailroot_names(const char *path, size_t skip,
		   char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len);

#endif
