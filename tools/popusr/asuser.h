/* SPDX-License-Identifier: MIT */
/* asuser.h: a child that is popusr and does what has to be done below the mail
 * root, because root never creates, changes, follows or reads anything there.
 *
 * It is started before the store is opened and before any password is known,
 * so it holds neither. One request at a time; it ends when its pipe does.
 */
#ifndef POPBOX_ASUSER_H
#define POPBOX_ASUSER_H

#include "mailroot.h"
#include "mailroot_audit.h"
#include "mailroot_count.h"
#include "mailroot_move.h"
#include "store/config.h"
#include "store/store.h"

struct asuser;

/* NULL and a message through say when it cannot be had. */
struct asuser *asuser_start(const struct config *config);
/* Ends the child. Accepts NULL; leaves NULL. */
void asuser_stop(struct asuser **asuser);

/* As the calls of mailroot.h. EPIPE: the child is gone. */
int asuser_box(struct asuser *asuser, const struct name_box *box,
	       char ret_path[PATH_MAX]);
int asuser_quota(struct asuser *asuser, const struct name_box *box,
		 const char *limit, char ret_path[PATH_MAX]);
int asuser_vacation(struct asuser *asuser, const struct name_box *box,
		    const char *text, size_t len, char ret_path[PATH_MAX]);
int asuser_usage(struct asuser *asuser, const struct name_box *box, bool count,
		 struct maildirsize *ret_used, char ret_path[PATH_MAX]);
int asuser_domain(struct asuser *asuser, const struct name_handle *handle,
		  const struct name_domain *domain, char ret_path[PATH_MAX]);
int asuser_qmail(struct asuser *asuser, const struct name_handle *handle,
		 const struct name_address *address, const char *text,
		 size_t len, mode_t mode, char ret_path[PATH_MAX]);
int asuser_adopt(struct asuser *asuser, const struct name_handle *handle,
		 const struct name_address *address, char ret_path[PATH_MAX]);
int asuser_remove_qmail(struct asuser *asuser, const struct name_handle *handle,
			const struct name_address *address,
			char ret_path[PATH_MAX]);
int asuser_remove_domain(struct asuser *asuser,
			 const struct name_handle *handle,
			 const struct name_domain *domain,
			 char ret_path[PATH_MAX]);
int asuser_remove_box(struct asuser *asuser, const struct name_box *box,
		      char ret_path[PATH_MAX]);
int asuser_dialup(struct asuser *asuser, const struct name_domain *domain,
		  const struct mailroot_dialup *files, char ret_path[PATH_MAX]);
int asuser_dialup_peek(struct asuser *asuser, const struct name_domain *domain,
		       struct mailroot_dialup *ret_files,
		       char ret_path[PATH_MAX]);
int asuser_remove_dialup(struct asuser *asuser,
			 const struct name_domain *domain,
			 char ret_path[PATH_MAX]);
int asuser_list(struct asuser *asuser, const struct name_handle *handle,
		const struct name_domain *domain, bool start,
		char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len,
		char ret_path[PATH_MAX]);
int asuser_lastlogin(struct asuser *asuser, const struct name_box *box,
		     int64_t *ret_time, char ret_ip[MAILROOT_IP_MAX + 1],
		     char ret_path[PATH_MAX]);
/* When each of the box's app passwords was last used, by its number less 1; 0: never,
 * or before it was made. */
struct asuser_use {
	int64_t time;
	char ip[MAILROOT_IP_MAX + 1];
};
int asuser_lastapps(struct asuser *asuser, const struct name_box *box,
		    struct asuser_use ret_use[STORE_APPS_MAX],
		    char ret_path[PATH_MAX]);
/* path is below PATH_MAX. */
int asuser_look(struct asuser *asuser, const char *path,
		struct mailroot_look *ret_look,
		char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len);
/* As the calls of mailroot_audit.h; 0, EPIPE, or why it could not be looked at;
 * then there is no report. */
int asuser_audit_box(struct asuser *asuser, const struct name_box *box,
		     const char *limit, const char *text, size_t len, bool fix,
		     struct mailroot_report *ret_report);
int asuser_audit_domain(struct asuser *asuser, const struct name_handle *handle,
			const struct name_domain *domain, bool fix,
			struct mailroot_report *ret_report);
int asuser_audit_qmail(struct asuser *asuser, const struct name_handle *handle,
		       const struct name_address *address, const char *text,
		       size_t len, mode_t mode,
		       struct mailroot_report *ret_report);
int asuser_audit_dialup(struct asuser *asuser, const struct name_domain *domain,
			const struct mailroot_dialup *files, bool fix,
			struct mailroot_report *ret_report);
int asuser_audit_root(struct asuser *asuser, const char *path, bool fix,
		      struct mailroot_report *ret_report);
int asuser_names(struct asuser *asuser, const char *path, size_t skip,
		 char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len);
int asuser_peek(struct asuser *asuser, const struct name_handle *handle,
		const struct name_address *address,
		char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len,
		char ret_path[PATH_MAX]);

/* As the calls of mailroot_move.h. */
int asuser_move_box(struct asuser *asuser, const struct name_box *from,
		    const struct name_box *to, enum mailroot_move how,
		    char ret_path[PATH_MAX]);
int asuser_move_domain(struct asuser *asuser, const struct name_handle *from,
		       const struct name_handle *to,
		       const struct name_domain *domain, enum mailroot_move how,
		       char ret_path[PATH_MAX]);

/* As the calls of mailroot_count.h. */
int asuser_free(struct asuser *asuser, const struct name_box *from, size_t most,
		uint32_t *ret_number, size_t *ret_count,
		char ret_path[PATH_MAX]);
int asuser_bytes(struct asuser *asuser, const struct name_box *box,
		 int64_t *ret_bytes, char ret_path[PATH_MAX]);

#endif
