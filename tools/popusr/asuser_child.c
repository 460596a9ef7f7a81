/* SPDX-License-Identifier: MIT */
/* asuser_child.c: the helper's own side: what it does once it is popusr. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asuser_wire.h"
#include "store/store.h"

static int audit(const struct config *config, struct wire *m)
{
	const struct mailroot_audit how = {config->uid, m->head.fix};
	struct name_box box = {m->head.handle, m->head.number};

	m->report.len = 0;
	m->report.full = false;
	m->report.unsure = 0;
	if (m->head.op == WIRE_AUDIT_BOX)
		mailroot_audit_box(config->home, &box, m->text,
				   m->text + m->head.skip,
				   m->len - m->head.skip, how, &m->report);
	else if (m->head.op == WIRE_AUDIT_DOMAIN)
		mailroot_audit_domain(config->home, &m->head.handle,
				      &m->head.address.domain, how, &m->report);
	else if (m->head.op == WIRE_AUDIT_QMAIL)
		mailroot_audit_qmail(config->home, &m->head.handle,
				     &m->head.address, m->text, m->len,
				     m->head.mode, how, &m->report);
	else if (m->head.op == WIRE_AUDIT_DIALUP)
		mailroot_audit_dialup(config->serialmail,
				      &m->head.address.domain, &m->dialup, how,
				      &m->report);
	else
		mailroot_audit_root(m->path, how, &m->report);
	return m->report.unsure;
}

/* One job, a second time where popusr's own directories refused it. */
static int one_job(const struct config *config, const struct mailroot_job *job,
		   const char *text)
{
	const struct name_box box = {job->handle, job->number};
	int rc = mailroot_bulk(config->home, job, text);

	if (rc != EACCES || job->step >= MAILROOT_LOOK_BOX)
		return rc;
	mailroot_regain(config->home, &job->handle,
			job->step == MAILROOT_BOX ? &box : NULL,
			&job->address.domain);
	return mailroot_bulk(config->home, job, text);
}

/* The jobs of one message, from the tool, which is trusted. */
static int bulk(const struct config *config, struct wire *m)
{
	size_t at = 0, count = 0;

	while (at < m->jobs_len) {
		struct mailroot_job job;

		memcpy(&job, m->jobs + at, sizeof job);
		m->answers[count++] =
			one_job(config, &job, m->jobs + at + sizeof job);
		at += wire_job_size(job.len);
	}
	m->answers_len = count * sizeof *m->answers;
	return 0;
}

static int last_logins(const char *home, const struct name_box *first,
		       struct wire *m)
{
	struct name_box box = *first;
	struct wire_last last;

	if (m->head.skip > WIRE_LAST_MAX)
		return EINVAL;
	for (size_t i = 0; i < m->head.skip; i++, box.number++) {
		memset(&last, 0, sizeof last); /* its gaps as well */
		last.rc = mailroot_lastlogin(home, &box, 0, &last.time, last.ip,
					     m->path);
		memcpy(m->text + i * sizeof last, &last, sizeof last);
	}
	m->len = m->head.skip * sizeof last;
	return 0;
}

static int last_uses(const char *home, const struct name_box *box,
		     struct wire *m)
{
	struct wire_last last;

	for (unsigned i = 0; i < STORE_APPS_MAX; i++) {
		memset(&last, 0, sizeof last); /* its gaps as well */
		last.rc = mailroot_lastlogin(home, box, i + 1, &last.time,
					     last.ip, m->path);
		memcpy(m->text + i * sizeof last, &last, sizeof last);
	}
	m->len = STORE_APPS_MAX * sizeof last;
	return 0;
}

static int serve(const struct config *config, struct wire *m)
{
	const char *home = config->home, *serial = config->serialmail;
	struct name_box box = {m->head.handle, m->head.number};

	switch (m->head.op) {
	case WIRE_READY:
		return 0;
	case WIRE_BOX:
		return mailroot_box(home, &box, m->path);
	case WIRE_QUOTA:
		return mailroot_quota(home, &box, m->text, true, m->path);
	case WIRE_VACATION:
		return mailroot_vacation(home, &box, m->text, m->len, true,
					 m->path);
	case WIRE_USAGE:
		return mailroot_usage(home, &box, m->head.fix, &m->head.used,
				      m->path);
	case WIRE_DOMAIN:
		return mailroot_domain(home, &m->head.handle,
				       &m->head.address.domain, m->path);
	case WIRE_QMAIL:
		return mailroot_qmail(home, &m->head.handle, &m->head.address,
				      m->text, m->len, m->head.mode, m->path);
	case WIRE_PEEK:
		return mailroot_peek(home, &m->head.handle, &m->head.address,
				     m->text, &m->len, m->path);
	case WIRE_ADOPT:
		return mailroot_adopt(home, &m->head.handle, &m->head.address,
				      m->path);
	case WIRE_REMOVE_BOX:
		return mailroot_remove_box(home, &box, m->path);
	case WIRE_REMOVE_DOMAIN:
		return mailroot_remove_domain(home, &m->head.handle,
					      &m->head.address.domain, m->path);
	case WIRE_REMOVE_QMAIL:
		return mailroot_remove_qmail(home, &m->head.handle,
					     &m->head.address, m->path);
	case WIRE_LIST:
		return mailroot_list(home, &m->head.handle,
				     &m->head.address.domain, m->head.start,
				     m->text, &m->len, m->path);
	case WIRE_LASTLOGIN:
		return last_logins(home, &box, m);
	case WIRE_LASTAPPS:
		return last_uses(home, &box, m);
	case WIRE_MAKE_DIALUP:
		return mailroot_dialup(serial, &m->head.address.domain,
				       &m->dialup, m->path);
	case WIRE_PEEK_DIALUP:
		return mailroot_dialup_peek(serial, &m->head.address.domain,
					    &m->dialup, m->path);
	case WIRE_REMOVE_DIALUP:
		return mailroot_remove_dialup(serial, &m->head.address.domain,
					      m->path);
	case WIRE_LOOK:
		return mailroot_look(m->path, &m->head.look, m->text, &m->len);
	case WIRE_AUDIT_BOX:
	case WIRE_AUDIT_DOMAIN:
	case WIRE_AUDIT_QMAIL:
	case WIRE_AUDIT_DIALUP:
	case WIRE_AUDIT_ROOT:
		return audit(config, m);
	case WIRE_NAMES:
		return mailroot_names(m->path, m->head.skip, m->text, &m->len);
	case WIRE_FREE:
		return mailroot_free(home, &box, m->head.skip, &m->head.number,
				     &m->head.skip, m->path);
	case WIRE_BYTES:
		return mailroot_bytes(home, &box, &m->head.time, m->path);
	case WIRE_MOVE_BOX:
		return mailroot_move_box(home, &m->head.from, &box,
					 m->head.move, m->path);
	case WIRE_MOVE_DOMAIN:
		return mailroot_move_domain(home, &m->head.from.handle,
					    &m->head.handle,
					    &m->head.address.domain,
					    m->head.move, m->path);
	case WIRE_BULK:
		return bulk(config, m);
	case WIRE_BULK_SYNC:
		return mailroot_bulk_sync();
	case WIRE_BULK_END:
		mailroot_bulk_end();
		return 0;
	case WIRE_OPS:
		break;
	}
	return EINVAL;
}

/* Is it done below the directories of a handle, for a change? */
static bool changes(enum wire_op op, bool *ret_box)
{
	*ret_box = op == WIRE_BOX || op == WIRE_QUOTA ||
		   op == WIRE_VACATION || op == WIRE_REMOVE_BOX ||
		   op == WIRE_FREE || op == WIRE_MOVE_BOX;
	return *ret_box || op == WIRE_DOMAIN || op == WIRE_QMAIL ||
	       op == WIRE_PEEK || op == WIRE_LIST ||
	       op == WIRE_ADOPT || op == WIRE_REMOVE_QMAIL ||
	       op == WIRE_REMOVE_DOMAIN || op == WIRE_MOVE_DOMAIN;
}

static bool moves(enum wire_op op)
{
	return op == WIRE_MOVE_BOX || op == WIRE_MOVE_DOMAIN;
}

static int serve_again(const struct config *config, struct wire *m)
{
	const struct name_box box = {m->head.handle, m->head.number};
	bool is_box;
	int rc = serve(config, m);

	if (rc != EACCES || !changes(m->head.op, &is_box))
		return rc;
	mailroot_regain(config->home, &m->head.handle, is_box ? &box : NULL,
			&m->head.address.domain);
	if (moves(m->head.op))
		mailroot_regain(config->home, &m->head.from.handle,
				is_box ? &m->head.from : NULL,
				&m->head.address.domain);
	return serve(config, m);
}

void wire_serve(const struct config *config, int fd)
{
	static struct wire message;
	const char *why;

	(void)umask(0); /* modes are said in full */
	if (config->central[0])
		mailroot_sign(config->host);
	why = child_drop(config->uid, config->gid);
	message.head.rc = why ? (errno ? errno : EPERM) : 0;
	if (!wire_send(fd, &message, WIRE_REPLY, NULL) || why)
		_exit(1);
	while (wire_recv(fd, &message, WIRE_REQUEST, NULL)) {
		message.head.rc = serve_again(config, &message);
		if (!wire_send(fd, &message, WIRE_REPLY, NULL))
			break;
	}
	_exit(0);
}
