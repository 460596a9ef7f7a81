/* SPDX-License-Identifier: MIT */
#include "asuser_bulk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "asuser_wire.h"

/* As many messages are on their way. Their answers are small, so that the
 * child never waits for us while we wait for it. */
enum { AHEAD = 2 };

/* The jobs of one message. */
struct batch {
	size_t count;
	size_t id[WIRE_ANSWERS_MAX];
};

struct asuser_bulk {
	struct asuser *asuser;
	asuser_bulk_done *done;
	void *arg;
	struct batch batch[AHEAD + 1];
	size_t filling; /* which one */
	size_t away;	/* how many, right before it */
};

struct asuser_bulk *asuser_bulk_start(struct asuser *asuser,
				      asuser_bulk_done *done, void *arg)
{
	struct asuser_bulk *bulk = calloc(1, sizeof *bulk);

	if (!bulk)
		return NULL;
	bulk->asuser = asuser;
	bulk->done = done;
	bulk->arg = arg;
	asuser->message.jobs_len = 0;
	asuser->message.path[0] = 0;
	return bulk;
}

static int request(struct asuser_bulk *bulk, enum wire_op op)
{
	bulk->asuser->message.head.op = op;
	return asuser_send(bulk->asuser) ? 0 : EPIPE;
}

static int reply(struct asuser_bulk *bulk, enum wire_op op)
{
	return asuser_recv(bulk->asuser) &&
			       bulk->asuser->message.head.op == op
		       ? 0
		       : EPIPE;
}

/* A request without jobs. */
static int ask(struct asuser_bulk *bulk, enum wire_op op)
{
	int rc = request(bulk, op);

	if (rc == 0)
		rc = reply(bulk, op);
	return rc == 0 ? bulk->asuser->message.head.rc : rc;
}

void asuser_bulk_stop(struct asuser_bulk **bulk)
{
	if (!*bulk)
		return;
	/* One that is gone has closed its files. */
	if (asuser_bulk_drain(*bulk) == 0)
		(void)ask(*bulk, WIRE_BULK_END);
	free(*bulk);
	*bulk = NULL;
}

/* The answers to the message that was sent first of those away. */
static int take(struct asuser_bulk *bulk)
{
	const struct wire *m = &bulk->asuser->message;
	const struct batch *batch =
		&bulk->batch[(bulk->filling + AHEAD + 1 - bulk->away) %
			     (AHEAD + 1)];
	int rc = reply(bulk, WIRE_BULK);

	if (rc == 0 && m->answers_len != batch->count * sizeof *m->answers)
		rc = EPIPE; /* not ours */
	if (rc != 0)
		return rc;
	bulk->away--;
	for (size_t i = 0; i < batch->count; i++)
		bulk->done(bulk->arg, batch->id[i], m->answers[i]);
	return 0;
}

/* Sends what is there. */
static int flush(struct asuser_bulk *bulk)
{
	int rc = bulk->away < AHEAD ? 0 : take(bulk);

	if (rc == 0)
		rc = request(bulk, WIRE_BULK);
	if (rc != 0)
		return rc;
	bulk->asuser->message.jobs_len = 0;
	bulk->away++;
	bulk->filling = (bulk->filling + 1) % (AHEAD + 1);
	bulk->batch[bulk->filling].count = 0;
	return 0;
}

int asuser_bulk_add(struct asuser_bulk *bulk, size_t id,
		    const struct mailroot_job *job, const char *text)
{
	struct wire *m = &bulk->asuser->message;
	const size_t size = wire_job_size(job->len);
	struct batch *batch;
	int rc = 0;

	if (job->len > MAILROOT_QMAIL_MAX)
		return EFBIG;
	if (m->jobs_len + size > sizeof m->jobs)
		rc = flush(bulk);
	if (rc != 0)
		return rc;
	batch = &bulk->batch[bulk->filling];
	memcpy(m->jobs + m->jobs_len, job, sizeof *job);
	if (job->len)
		memcpy(m->jobs + m->jobs_len + sizeof *job, text, job->len);
	m->jobs_len += size;
	batch->id[batch->count++] = id;
	return 0;
}

int asuser_bulk_drain(struct asuser_bulk *bulk)
{
	int rc = bulk->asuser->message.jobs_len ? flush(bulk) : 0;

	while (rc == 0 && bulk->away)
		rc = take(bulk);
	return rc;
}

int asuser_bulk_sync(struct asuser_bulk *bulk)
{
	int rc = asuser_bulk_drain(bulk);

	return rc == 0 ? ask(bulk, WIRE_BULK_SYNC) : rc;
}
