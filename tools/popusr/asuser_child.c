/* SPDX-License-Identifier: MIT */
/* asuser_child.c: the helper's own side: what it does once it is popusr. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asuser_wire.h"
#include "store/store.h"

static struct name_box box_of(const struct wire *m)
{
	return (struct name_box){m->head.handle, m->head.number};
}

static int audit(const struct config *config, struct wire *m)
{
	const struct mailroot_audit how = {config->uid, m->head.fix};
	const struct name_box box = box_of(m);

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

static int last_logins(const struct config *config, struct wire *m)
{
	struct name_box box = box_of(m);
	struct wire_last last;

	if (m->head.skip > WIRE_LAST_MAX)
		return EINVAL;
	for (size_t i = 0; i < m->head.skip; i++, box.number++) {
		memset(&last, 0, sizeof last); /* its gaps as well */
		last.rc = mailroot_lastlogin(config->home, &box, 0,
					     &last.time, last.ip, m->path);
		memcpy(m->text + i * sizeof last, &last, sizeof last);
	}
	m->len = m->head.skip * sizeof last;
	return 0;
}

static int last_uses(const struct config *config, struct wire *m)
{
	const struct name_box box = box_of(m);
	struct wire_last last;

	for (unsigned i = 0; i < STORE_APPS_MAX; i++) {
		memset(&last, 0, sizeof last); /* its gaps as well */
		last.rc = mailroot_lastlogin(config->home, &box, i + 1,
					     &last.time, last.ip, m->path);
		memcpy(m->text + i * sizeof last, &last, sizeof last);
	}
	m->len = STORE_APPS_MAX * sizeof last;
	return 0;
}

static int make_box(const struct config *config, struct wire *m)
{
	const struct name_box box = box_of(m);

	return mailroot_box(config->home, &box, m->path);
}

static int put_quota(const struct config *config, struct wire *m)
{
	const struct name_box box = box_of(m);

	return mailroot_quota(config->home, &box, m->text, true, m->path);
}

static int put_vacation(const struct config *config, struct wire *m)
{
	const struct name_box box = box_of(m);

	return mailroot_vacation(config->home, &box, m->text, m->len, true,
				 m->path);
}

static int usage(const struct config *config, struct wire *m)
{
	const struct name_box box = box_of(m);

	return mailroot_usage(config->home, &box, m->head.fix, &m->head.used,
			      m->path);
}

static int make_domain(const struct config *config, struct wire *m)
{
	return mailroot_domain(config->home, &m->head.handle,
			       &m->head.address.domain, m->path);
}

static int put_qmail(const struct config *config, struct wire *m)
{
	return mailroot_qmail(config->home, &m->head.handle, &m->head.address,
			      m->text, m->len, m->head.mode, m->path);
}

static int peek(const struct config *config, struct wire *m)
{
	return mailroot_peek(config->home, &m->head.handle, &m->head.address,
			     m->text, &m->len, m->path);
}

static int adopt(const struct config *config, struct wire *m)
{
	return mailroot_adopt(config->home, &m->head.handle, &m->head.address,
			      m->path);
}

static int remove_box(const struct config *config, struct wire *m)
{
	const struct name_box box = box_of(m);

	return mailroot_remove_box(config->home, &box, m->path);
}

static int remove_domain(const struct config *config, struct wire *m)
{
	return mailroot_remove_domain(config->home, &m->head.handle,
				      &m->head.address.domain, m->path);
}

static int remove_qmail(const struct config *config, struct wire *m)
{
	return mailroot_remove_qmail(config->home, &m->head.handle,
				     &m->head.address, m->path);
}

static int list(const struct config *config, struct wire *m)
{
	return mailroot_list(config->home, &m->head.handle,
			     &m->head.address.domain, m->head.start, m->text,
			     &m->len, m->path);
}

static int make_dialup(const struct config *config, struct wire *m)
{
	return mailroot_dialup(config->serialmail, &m->head.address.domain,
			       &m->dialup, m->path);
}

static int peek_dialup(const struct config *config, struct wire *m)
{
	return mailroot_dialup_peek(config->serialmail, &m->head.address.domain,
				    &m->dialup, m->path);
}

static int remove_dialup(const struct config *config, struct wire *m)
{
	return mailroot_remove_dialup(config->serialmail,
				      &m->head.address.domain, m->path);
}

static int look(const struct config *config, struct wire *m)
{
	(void)config;
	return mailroot_look(m->path, &m->head.look, m->text, &m->len);
}

static int names(const struct config *config, struct wire *m)
{
	(void)config;
	return mailroot_names(m->path, m->head.skip, m->text, &m->len);
}

static int free_number(const struct config *config, struct wire *m)
{
	const struct name_box box = box_of(m);

	return mailroot_free(config->home, &box, m->head.skip, &m->head.number,
			     &m->head.skip, m->path);
}

static int bytes(const struct config *config, struct wire *m)
{
	const struct name_box box = box_of(m);

	return mailroot_bytes(config->home, &box, &m->head.time, m->path);
}

static int move_box(const struct config *config, struct wire *m)
{
	const struct name_box box = box_of(m);

	return mailroot_move_box(config->home, &m->head.from, &box,
				 m->head.move, m->path);
}

static int move_domain(const struct config *config, struct wire *m)
{
	return mailroot_move_domain(config->home, &m->head.from.handle,
				    &m->head.handle, &m->head.address.domain,
				    m->head.move, m->path);
}

static int bulk_sync(const struct config *config, struct wire *m)
{
	(void)config;
	(void)m;
	return mailroot_bulk_sync();
}

static int bulk_end(const struct config *config, struct wire *m)
{
	(void)config;
	(void)m;
	mailroot_bulk_end();
	return 0;
}

static int ready(const struct config *config, struct wire *m)
{
	(void)config;
	(void)m;
	return 0;
}

/* What each operation does. Below the directories of a handle a change is made
 * within a box or a domain; a move is made from another handle. */
static const struct {
	int (*serve)(const struct config *config, struct wire *m);
	enum { IN_NONE, IN_BOX, IN_DOMAIN } changes;
	bool moves;
} operations[WIRE_OPS] = {
	[WIRE_READY] = {ready, IN_NONE, false},
	[WIRE_BOX] = {make_box, IN_BOX, false},
	[WIRE_QUOTA] = {put_quota, IN_BOX, false},
	[WIRE_VACATION] = {put_vacation, IN_BOX, false},
	[WIRE_USAGE] = {usage, IN_NONE, false},
	[WIRE_DOMAIN] = {make_domain, IN_DOMAIN, false},
	[WIRE_QMAIL] = {put_qmail, IN_DOMAIN, false},
	[WIRE_PEEK] = {peek, IN_DOMAIN, false},
	[WIRE_ADOPT] = {adopt, IN_DOMAIN, false},
	[WIRE_REMOVE_BOX] = {remove_box, IN_BOX, false},
	[WIRE_REMOVE_DOMAIN] = {remove_domain, IN_DOMAIN, false},
	[WIRE_REMOVE_QMAIL] = {remove_qmail, IN_DOMAIN, false},
	[WIRE_LIST] = {list, IN_DOMAIN, false},
	[WIRE_LASTLOGIN] = {last_logins, IN_NONE, false},
	[WIRE_LASTAPPS] = {last_uses, IN_NONE, false},
	[WIRE_MAKE_DIALUP] = {make_dialup, IN_NONE, false},
	[WIRE_PEEK_DIALUP] = {peek_dialup, IN_NONE, false},
	[WIRE_REMOVE_DIALUP] = {remove_dialup, IN_NONE, false},
	[WIRE_LOOK] = {look, IN_NONE, false},
	[WIRE_AUDIT_BOX] = {audit, IN_NONE, false},
	[WIRE_AUDIT_DOMAIN] = {audit, IN_NONE, false},
	[WIRE_AUDIT_QMAIL] = {audit, IN_NONE, false},
	[WIRE_AUDIT_DIALUP] = {audit, IN_NONE, false},
	[WIRE_AUDIT_ROOT] = {audit, IN_NONE, false},
	[WIRE_NAMES] = {names, IN_NONE, false},
	[WIRE_FREE] = {free_number, IN_BOX, false},
	[WIRE_BYTES] = {bytes, IN_NONE, false},
	[WIRE_MOVE_BOX] = {move_box, IN_BOX, true},
	[WIRE_MOVE_DOMAIN] = {move_domain, IN_DOMAIN, true},
	[WIRE_BULK] = {bulk, IN_NONE, false},
	[WIRE_BULK_SYNC] = {bulk_sync, IN_NONE, false},
	[WIRE_BULK_END] = {bulk_end, IN_NONE, false},
};

static int serve(const struct config *config, struct wire *m)
{
	const enum wire_op op = m->head.op;
	const struct name_box box = box_of(m);
	int rc;

	if (op >= WIRE_OPS || !operations[op].serve)
		return EINVAL;
	rc = operations[op].serve(config, m);
	if (rc != EACCES || operations[op].changes == IN_NONE)
		return rc;
	/* A second time where popusr's own directories refused it. */
	mailroot_regain(config->home, &m->head.handle,
			operations[op].changes == IN_BOX ? &box : NULL,
			&m->head.address.domain);
	if (operations[op].moves)
		mailroot_regain(config->home, &m->head.from.handle,
				operations[op].changes == IN_BOX ? &m->head.from
								 : NULL,
				&m->head.address.domain);
	return operations[op].serve(config, m);
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
		message.head.rc = serve(config, &message);
		if (!wire_send(fd, &message, WIRE_REPLY, NULL))
			break;
	}
	_exit(0);
}
