/* SPDX-License-Identifier: MIT */
/* asuser_wire.h: what goes over the pipe between the tool and its helper that
 * is popusr; for asuser*.c alone.
 *
 * A message is long only as its parts are: of path and bodies just what the
 * operation uses in that direction is sent.
 */
#ifndef POPBOX_ASUSER_WIRE_H
#define POPBOX_ASUSER_WIRE_H

#include <limits.h>

#include "child.h"
#include "mailroot.h"
#include "mailroot_audit.h"
#include "mailroot_bulk.h"
#include "mailroot_count.h"
#include "mailroot_move.h"
#include "store/config.h"

enum wire_op {
	WIRE_READY,
	WIRE_BOX,
	WIRE_QUOTA,
	WIRE_VACATION,
	WIRE_USAGE,
	WIRE_DOMAIN,
	WIRE_QMAIL,
	WIRE_PEEK,
	WIRE_ADOPT,
	WIRE_REMOVE_BOX,
	WIRE_REMOVE_DOMAIN,
	WIRE_REMOVE_QMAIL,
	WIRE_LIST,
	WIRE_LASTLOGIN,
	WIRE_LASTAPPS,
	WIRE_MAKE_DIALUP,
	WIRE_PEEK_DIALUP,
	WIRE_REMOVE_DIALUP,
	WIRE_LOOK,
	WIRE_AUDIT_BOX,
	WIRE_AUDIT_DOMAIN,
	WIRE_AUDIT_QMAIL,
	WIRE_AUDIT_DIALUP,
	WIRE_AUDIT_ROOT,
	WIRE_NAMES,
	WIRE_FREE,
	WIRE_BYTES,
	WIRE_MOVE_BOX,
	WIRE_MOVE_DOMAIN,
	WIRE_BULK,
	WIRE_BULK_SYNC,
	WIRE_BULK_END,
	WIRE_OPS,
};

/* What is sent whole. */
struct wire_head {
	enum wire_op op;
	int rc;
	struct name_handle handle;
	uint32_t number;
	struct name_box from; /* of a move; of a domain's the handle alone */
	enum mailroot_move move;
	struct name_address address;
	mode_t mode;
	bool start;
	bool fix;
	bool full; /* the report is */
	size_t skip;
	int64_t time;
	struct mailroot_look look;
	struct maildirsize used;
	size_t path_len; /* with its NUL */
	size_t body_len;
};

/* Many jobs, each with its file's bytes behind it, and their answers in the
 * same order. */
enum {
	WIRE_JOBS_MAX = 65536, /* bytes */
	WIRE_ANSWERS_MAX = WIRE_JOBS_MAX / sizeof(struct mailroot_job),
};

/* One request and, in the same form, its reply. The names in it were made by
 * their validators; the child trusts its parent, never the reverse. */
struct wire {
	struct wire_head head;
	char path[PATH_MAX];
	size_t len;
	char text[MAILROOT_QMAIL_MAX];
	struct mailroot_dialup dialup;
	struct mailroot_report report;
	size_t jobs_len;
	char jobs[WIRE_JOBS_MAX];
	size_t answers_len; /* in bytes */
	int answers[WIRE_ANSWERS_MAX];
};

/* Last logins of boxes whose numbers follow one another, from head.number on, as
 * many as head.skip says; in text. Of app passwords those of the numbers from 1 to
 * STORE_APPS_MAX of one box. */
struct wire_last {
	int rc;
	int64_t time;
	char ip[MAILROOT_IP_MAX + 1];
};

enum { WIRE_LAST_MAX = MAILROOT_QMAIL_MAX / sizeof(struct wire_last) };

/* The tool's end. */
struct asuser {
	int fd;
	struct child_watch watch;
	struct wire message;
	/* A walk over all boxes gets their last logins many at a time. */
	struct {
		struct name_box asked; /* last */
		struct name_box from;
		uint32_t count;
		struct wire_last last[WIRE_LAST_MAX];
	} ahead;
};

enum wire_way { WIRE_REQUEST, WIRE_REPLY };

/* False: the other end is gone, or sent what is none; or the system refused; or
 * the child that is watched does not go on. Then nothing more comes through
 * either way. Nobody watches the tool: NULL. */
bool wire_send(int fd, struct wire *wire, enum wire_way way,
	       struct child_watch *watch);
bool wire_recv(int fd, struct wire *wire, enum wire_way way,
	       struct child_watch *watch);
/* So that both look at the child while they wait. False: errno. */
bool wire_watch(int fd);

/* The tool's end: they say why a child was ended. */
bool asuser_send(struct asuser *asuser);
bool asuser_recv(struct asuser *asuser);

static inline size_t wire_job_size(size_t text_len)
{
	return sizeof(struct mailroot_job) + text_len;
}

/* The child that is popusr, to its end. */
_Noreturn void wire_serve(const struct config *config, int fd);

#endif
