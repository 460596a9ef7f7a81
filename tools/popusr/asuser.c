/* SPDX-License-Identifier: MIT */
#include "asuser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "asuser_wire.h"
#include "base/say.h"
#include "maildir/vacation_file.h"

struct asuser *asuser_start(const struct config *config)
{
	struct asuser *asuser = calloc(1, sizeof *asuser);
	int pair[2];

	if (!asuser ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		say_error(0, "cannot start the helper for popusr: %s",
			  strerror(errno));
		free(asuser);
		return NULL;
	}
	asuser->fd = pair[0];
	child_watch(&asuser->watch,
		    child_fork(&(struct child_keep){-1, -1, {pair[1], -1, -1}}),
		    0);
	if (asuser->watch.pid == 0)
		wire_serve(config, pair[1]);
	(void)close(pair[1]); /* the child's end */
	if (asuser->watch.pid > 0 && wire_watch(asuser->fd) &&
	    asuser_recv(asuser) && asuser->message.head.rc == 0)
		return asuser;
	say_error(0,
		  "cannot become popusr (uid %u, gid %u): %s (run popbox as "
		  "root)",
		  config->uid, config->gid,
		  strerror(asuser->message.head.rc ? asuser->message.head.rc
						   : errno));
	asuser_stop(&asuser);
	return NULL;
}

void asuser_stop(struct asuser **asuser)
{
	if (!*asuser)
		return;
	(void)close((*asuser)->fd); /* its end is the sign to leave */
	if ((*asuser)->watch.pid > 0)
		(void)child_end(&(*asuser)->watch); /* however it ends */
	free(*asuser);
	*asuser = NULL;
}

static bool went(struct asuser *asuser, bool before, bool good)
{
	if (!good && before && asuser->watch.why)
		say_error(0, "the helper that is popusr %s: it was ended",
			  asuser->watch.why);
	return good;
}

bool asuser_send(struct asuser *asuser)
{
	const bool before = !asuser->watch.why;

	child_heard(&asuser->watch);
	return went(asuser, before,
		    wire_send(asuser->fd, &asuser->message, WIRE_REQUEST,
			      &asuser->watch));
}

bool asuser_recv(struct asuser *asuser)
{
	const bool before = !asuser->watch.why;

	child_heard(&asuser->watch);
	return went(asuser, before,
		    wire_recv(asuser->fd, &asuser->message, WIRE_REPLY,
			      &asuser->watch));
}

static int call(struct asuser *asuser, enum wire_op op, char ret_path[PATH_MAX])
{
	struct wire *m = &asuser->message;

	m->head.op = op;
	ret_path[0] = 0; /* without an answer no object is named */
	if (op != WIRE_LOOK && op != WIRE_NAMES && op != WIRE_AUDIT_ROOT)
		m->path[0] = 0;
	if (!asuser_send(asuser) || !asuser_recv(asuser) || m->head.op != op)
		return EPIPE;
	memcpy(ret_path, m->path, m->head.path_len);
	return m->head.rc;
}

static int call_box(struct asuser *asuser, enum wire_op op,
		    const struct name_box *box, char ret_path[PATH_MAX])
{
	asuser->message.head.handle = box->handle;
	asuser->message.head.number = box->number;
	return call(asuser, op, ret_path);
}

static int call_domain(struct asuser *asuser, enum wire_op op,
		       const struct name_handle *handle,
		       const struct name_domain *domain,
		       char ret_path[PATH_MAX])
{
	asuser->message.head.handle = *handle;
	asuser->message.head.address.domain = *domain;
	return call(asuser, op, ret_path);
}

static int call_address(struct asuser *asuser, enum wire_op op,
			const struct name_handle *handle,
			const struct name_address *address,
			char ret_path[PATH_MAX])
{
	asuser->message.head.handle = *handle;
	asuser->message.head.address = *address;
	return call(asuser, op, ret_path);
}

/* After a call that answered with bytes. A child that answers with more than
 * there can be is not ours. */
static int take_text(const struct asuser *asuser,
		     char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len)
{
	if (asuser->message.len > MAILROOT_QMAIL_MAX)
		return EPIPE;
	memcpy(ret_text, asuser->message.text, asuser->message.len);
	*ret_len = asuser->message.len;
	return 0;
}

int asuser_box(struct asuser *asuser, const struct name_box *box,
	       char ret_path[PATH_MAX])
{
	return call_box(asuser, WIRE_BOX, box, ret_path);
}

/* A limit, as a body of its own with its NUL. */
static void put_limit(struct asuser *asuser, const char *limit)
{
	const size_t len = strnlen(limit, MAILDIRSIZE_LINE - 1);

	memcpy(asuser->message.text, limit, len);
	asuser->message.text[len] = 0;
	asuser->message.len = len + 1;
}

int asuser_quota(struct asuser *asuser, const struct name_box *box,
		 const char *limit, char ret_path[PATH_MAX])
{
	put_limit(asuser, limit);
	return call_box(asuser, WIRE_QUOTA, box, ret_path);
}

/* Nothing: there is to be none. */
static void put_reply(struct asuser *asuser, const char *text, size_t len)
{
	if (len)
		memcpy(asuser->message.text + asuser->message.len, text, len);
	asuser->message.len += len;
}

int asuser_vacation(struct asuser *asuser, const struct name_box *box,
		    const char *text, size_t len, char ret_path[PATH_MAX])
{
	if (len > VACATION_FILE_MAX)
		return EFBIG;
	asuser->message.len = 0;
	put_reply(asuser, text, len);
	return call_box(asuser, WIRE_VACATION, box, ret_path);
}

int asuser_usage(struct asuser *asuser, const struct name_box *box, bool count,
		 struct maildirsize *ret_used, char ret_path[PATH_MAX])
{
	int rc;

	asuser->message.head.fix = count;
	rc = call_box(asuser, WIRE_USAGE, box, ret_path);
	if (rc == 0)
		*ret_used = asuser->message.head.used;
	return rc;
}

int asuser_domain(struct asuser *asuser, const struct name_handle *handle,
		  const struct name_domain *domain, char ret_path[PATH_MAX])
{
	return call_domain(asuser, WIRE_DOMAIN, handle, domain, ret_path);
}

int asuser_adopt(struct asuser *asuser, const struct name_handle *handle,
		 const struct name_address *address, char ret_path[PATH_MAX])
{
	return call_address(asuser, WIRE_ADOPT, handle, address, ret_path);
}

int asuser_remove_qmail(struct asuser *asuser, const struct name_handle *handle,
			const struct name_address *address,
			char ret_path[PATH_MAX])
{
	return call_address(asuser, WIRE_REMOVE_QMAIL, handle, address,
			    ret_path);
}

int asuser_remove_domain(struct asuser *asuser,
			 const struct name_handle *handle,
			 const struct name_domain *domain,
			 char ret_path[PATH_MAX])
{
	return call_domain(asuser, WIRE_REMOVE_DOMAIN, handle, domain,
			   ret_path);
}

int asuser_remove_box(struct asuser *asuser, const struct name_box *box,
		      char ret_path[PATH_MAX])
{
	return call_box(asuser, WIRE_REMOVE_BOX, box, ret_path);
}

int asuser_move_box(struct asuser *asuser, const struct name_box *from,
		    const struct name_box *to, enum mailroot_move how,
		    char ret_path[PATH_MAX])
{
	asuser->message.head.from = *from;
	asuser->message.head.move = how;
	return call_box(asuser, WIRE_MOVE_BOX, to, ret_path);
}

int asuser_move_domain(struct asuser *asuser, const struct name_handle *from,
		       const struct name_handle *to,
		       const struct name_domain *domain, enum mailroot_move how,
		       char ret_path[PATH_MAX])
{
	asuser->message.head.from.handle = *from;
	asuser->message.head.move = how;
	return call_domain(asuser, WIRE_MOVE_DOMAIN, to, domain, ret_path);
}

static int call_dialup(struct asuser *asuser, enum wire_op op,
		       const struct name_domain *domain,
		       char ret_path[PATH_MAX])
{
	asuser->message.head.address.domain = *domain;
	return call(asuser, op, ret_path);
}

int asuser_dialup(struct asuser *asuser, const struct name_domain *domain,
		  const struct mailroot_dialup *files, char ret_path[PATH_MAX])
{
	asuser->message.dialup = *files;
	return call_dialup(asuser, WIRE_MAKE_DIALUP, domain, ret_path);
}

int asuser_dialup_peek(struct asuser *asuser, const struct name_domain *domain,
		       struct mailroot_dialup *ret_files,
		       char ret_path[PATH_MAX])
{
	int rc = call_dialup(asuser, WIRE_PEEK_DIALUP, domain, ret_path);

	if (rc == 0)
		*ret_files = asuser->message.dialup;
	/* Whatever stood there, it ends. */
	ret_files->relayhost[sizeof ret_files->relayhost - 1] = 0;
	ret_files->qmail[sizeof ret_files->qmail - 1] = 0;
	return rc;
}

int asuser_remove_dialup(struct asuser *asuser,
			 const struct name_domain *domain,
			 char ret_path[PATH_MAX])
{
	return call_dialup(asuser, WIRE_REMOVE_DIALUP, domain, ret_path);
}

int asuser_list(struct asuser *asuser, const struct name_handle *handle,
		const struct name_domain *domain, bool start,
		char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len,
		char ret_path[PATH_MAX])
{
	int rc;

	asuser->message.head.start = start;
	rc = call_domain(asuser, WIRE_LIST, handle, domain, ret_path);
	return rc == 0 ? take_text(asuser, ret_text, ret_len) : rc;
}

/* Gets those of so many boxes. */
static int fetch_last(struct asuser *asuser, const struct name_box *from,
		      uint32_t count, char ret_path[PATH_MAX])
{
	int rc;

	asuser->ahead.count = 0;
	asuser->message.head.skip = count;
	rc = call_box(asuser, WIRE_LASTLOGIN, from, ret_path);
	if (rc != 0)
		return rc;
	if (asuser->message.len != count * sizeof *asuser->ahead.last)
		return EPIPE;
	memcpy(asuser->ahead.last, asuser->message.text, asuser->message.len);
	asuser->ahead.from = *from;
	asuser->ahead.count = count;
	return 0;
}

/* The one that was got, or NULL. */
static const struct wire_last *find_last(const struct asuser *asuser,
					 const struct name_box *box)
{
	const struct name_box *from = &asuser->ahead.from;

	return asuser->ahead.count && box->number >= from->number &&
			       box->number - from->number <
				       asuser->ahead.count &&
			       strcmp(box->handle.s, from->handle.s) == 0
		       ? &asuser->ahead.last[box->number - from->number]
		       : NULL;
}

/* How many to get: a second question of one handle is mostly one of many. */
static uint32_t how_many(const struct asuser *asuser, const struct name_box *box)
{
	const struct name_box *asked = &asuser->ahead.asked;

	return strcmp(asked->handle.s, box->handle.s) == 0 &&
			       box->number > asked->number &&
			       box->number - asked->number < WIRE_LAST_MAX &&
			       box->number < UINT32_MAX - WIRE_LAST_MAX
		       ? WIRE_LAST_MAX
		       : 1;
}

int asuser_lastlogin(struct asuser *asuser, const struct name_box *box,
		     int64_t *ret_time, char ret_ip[MAILROOT_IP_MAX + 1],
		     char ret_path[PATH_MAX])
{
	const struct wire_last *last = find_last(asuser, box);
	int rc = 0;

	ret_path[0] = 0;
	if (!last) {
		rc = fetch_last(asuser, box, how_many(asuser, box), ret_path);
		last = asuser->ahead.last;
	}
	/* What failed is said with its path. */
	if (rc == 0 && last->rc != 0 && last->rc != ENOENT) {
		rc = fetch_last(asuser, box, 1, ret_path);
		last = asuser->ahead.last;
	}
	asuser->ahead.asked = *box;
	if (rc != 0 || last->rc != 0)
		return rc ? rc : last->rc;
	*ret_time = last->time;
	memcpy(ret_ip, last->ip, MAILROOT_IP_MAX);
	ret_ip[MAILROOT_IP_MAX] = 0;
	return 0;
}

int asuser_lastapps(struct asuser *asuser, const struct name_box *box,
		    struct asuser_use ret_use[STORE_APPS_MAX],
		    char ret_path[PATH_MAX])
{
	const struct wire *m = &asuser->message;
	struct wire_last last;
	int rc = call_box(asuser, WIRE_LASTAPPS, box, ret_path);

	if (rc != 0)
		return rc;
	if (m->len != STORE_APPS_MAX * sizeof last)
		return EPIPE;
	for (size_t i = 0; i < STORE_APPS_MAX; i++) {
		memcpy(&last, m->text + i * sizeof last, sizeof last);
		ret_use[i] = (struct asuser_use){.time = 0};
		if (last.rc != 0 && last.rc != ENOENT)
			return last.rc;
		if (last.rc == 0) {
			ret_use[i].time = last.time;
			memcpy(ret_use[i].ip, last.ip, MAILROOT_IP_MAX);
		}
	}
	return 0;
}

int asuser_free(struct asuser *asuser, const struct name_box *from, size_t most,
		uint32_t *ret_number, size_t *ret_count,
		char ret_path[PATH_MAX])
{
	int rc;

	asuser->message.head.skip = most;
	rc = call_box(asuser, WIRE_FREE, from, ret_path);
	if (rc != 0)
		return rc;
	/* Never below what was asked for, whoever answers. */
	if (asuser->message.head.number < from->number ||
	    asuser->message.head.skip == 0 || asuser->message.head.skip > most)
		return EPIPE;
	*ret_number = asuser->message.head.number;
	*ret_count = asuser->message.head.skip;
	return 0;
}

int asuser_bytes(struct asuser *asuser, const struct name_box *box,
		 int64_t *ret_bytes, char ret_path[PATH_MAX])
{
	int rc = call_box(asuser, WIRE_BYTES, box, ret_path);

	if (rc == 0)
		*ret_bytes = asuser->message.head.time;
	return rc;
}

int asuser_qmail(struct asuser *asuser, const struct name_handle *handle,
		 const struct name_address *address, const char *text,
		 size_t len, mode_t mode, char ret_path[PATH_MAX])
{
	if (len > MAILROOT_QMAIL_MAX)
		return EFBIG;
	asuser->message.head.handle = *handle;
	asuser->message.head.address = *address;
	memcpy(asuser->message.text, text, len);
	asuser->message.len = len;
	asuser->message.head.mode = mode;
	return call(asuser, WIRE_QMAIL, ret_path);
}

int asuser_peek(struct asuser *asuser, const struct name_handle *handle,
		const struct name_address *address,
		char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len,
		char ret_path[PATH_MAX])
{
	int rc = call_address(asuser, WIRE_PEEK, handle, address, ret_path);

	return rc == 0 ? take_text(asuser, ret_text, ret_len) : rc;
}

static int set_path(struct asuser *asuser, const char *path)
{
	size_t len = strlen(path);

	if (len >= PATH_MAX)
		return ENAMETOOLONG;
	memcpy(asuser->message.path, path, len + 1);
	return 0;
}

int asuser_look(struct asuser *asuser, const char *path,
		struct mailroot_look *ret_look,
		char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len)
{
	char echo[PATH_MAX];
	int rc = set_path(asuser, path);

	if (rc == 0)
		rc = call(asuser, WIRE_LOOK, echo);
	if (rc == 0)
		*ret_look = asuser->message.head.look;
	return rc == 0 ? take_text(asuser, ret_text, ret_len) : rc;
}

int asuser_names(struct asuser *asuser, const char *path, size_t skip,
		 char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len)
{
	char echo[PATH_MAX];
	int rc = set_path(asuser, path);

	asuser->message.head.skip = skip;
	if (rc == 0)
		rc = call(asuser, WIRE_NAMES, echo);
	return rc == 0 ? take_text(asuser, ret_text, ret_len) : rc;
}

/* After a call that made a report. One that does not end is not ours. */
static int take_report(const struct asuser *asuser, int rc,
		       struct mailroot_report *ret_report)
{
	const struct mailroot_report *report = &asuser->message.report;

	if (rc == 0 && (report->len > sizeof report->text ||
			(report->len && report->text[report->len - 1])))
		rc = EPIPE;
	if (rc == 0)
		*ret_report = *report;
	return rc;
}

int asuser_audit_box(struct asuser *asuser, const struct name_box *box,
		     const char *limit, const char *text, size_t len, bool fix,
		     struct mailroot_report *ret_report)
{
	char path[PATH_MAX];

	if (len > VACATION_FILE_MAX)
		return EFBIG;
	put_limit(asuser, limit);
	asuser->message.head.skip = asuser->message.len;
	put_reply(asuser, text, len);
	asuser->message.head.fix = fix;
	return take_report(asuser, call_box(asuser, WIRE_AUDIT_BOX, box, path),
			   ret_report);
}

int asuser_audit_domain(struct asuser *asuser, const struct name_handle *handle,
			const struct name_domain *domain, bool fix,
			struct mailroot_report *ret_report)
{
	char path[PATH_MAX];

	asuser->message.head.fix = fix;
	return take_report(
		asuser,
		call_domain(asuser, WIRE_AUDIT_DOMAIN, handle, domain, path),
		ret_report);
}

int asuser_audit_qmail(struct asuser *asuser, const struct name_handle *handle,
		       const struct name_address *address, const char *text,
		       size_t len, mode_t mode,
		       struct mailroot_report *ret_report)
{
	char path[PATH_MAX];

	if (len > MAILROOT_QMAIL_MAX)
		return EFBIG;
	memcpy(asuser->message.text, text, len);
	asuser->message.len = len;
	asuser->message.head.mode = mode;
	asuser->message.head.fix = false;
	return take_report(
		asuser,
		call_address(asuser, WIRE_AUDIT_QMAIL, handle, address, path),
		ret_report);
}

int asuser_audit_dialup(struct asuser *asuser, const struct name_domain *domain,
			const struct mailroot_dialup *files, bool fix,
			struct mailroot_report *ret_report)
{
	char path[PATH_MAX];

	asuser->message.dialup = *files;
	asuser->message.head.fix = fix;
	return take_report(asuser,
			   call_dialup(asuser, WIRE_AUDIT_DIALUP, domain, path),
			   ret_report);
}

int asuser_audit_root(struct asuser *asuser, const char *path, bool fix,
		      struct mailroot_report *ret_report)
{
	char echo[PATH_MAX];
	int rc = set_path(asuser, path);

	asuser->message.head.fix = fix;
	if (rc == 0)
		rc = call(asuser, WIRE_AUDIT_ROOT, echo);
	return take_report(asuser, rc, ret_report);
}
