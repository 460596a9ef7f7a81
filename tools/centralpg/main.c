/* SPDX-License-Identifier: MIT */
/* popbox-central: talks to the central database for popbox, see popbox-central(8).
 * popbox starts it, as a user of its own, with a socket as descriptor 3; it knows
 * nothing of domains and boxes, and ends with popbox.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/inherited.h"
#include "base/frames.h"
#include "confine.h"
#include "pg.h"

enum { SOCKET = 3 };

/* One of each: the program does one thing at a time. */
static struct frames frames = {.fd = SOCKET};
static struct frames_message message;
static struct pg *pg;

static bool answer_with(enum frames_fault fault)
{
	frames_start(&message, fault == FRAMES_FAULTS ? FRAMES_OK : FRAMES_FAILED);
	if (fault != FRAMES_FAULTS) {
		frames_u8(&message, (uint8_t)fault);
		frames_text(&message, pg_why(pg));
	}
	return frames_send(&frames, &message) && frames_flush(&frames);
}

static bool do_open(void)
{
	char conninfo[FRAMES_TEXT], host[FRAMES_TEXT];

	frames_get_text(&message, conninfo);
	frames_get_text(&message, host);
	return frames_end(&message) && answer_with(pg_open(pg, conninfo, host));
}

static bool send_row(void *arg, const struct pg_row *row)
{
	(void)arg;
	frames_start(&message, FRAMES_ROW);
	frames_u8(&message, row->table);
	frames_u8(&message, row->row == NULL);
	frames_bytes(&message, row->key, row->key_len);
	frames_bytes(&message, row->row, row->row_len);
	return frames_send(&frames, &message);
}

static bool send_head(const struct pg_head *head)
{
	frames_start(&message, FRAMES_HEAD);
	frames_fixed(&message, head->id, sizeof head->id);
	frames_u32(&message, head->format);
	frames_u64(&message, head->floor);
	frames_u64(&message, head->now);
	frames_u8(&message, head->standby);
	frames_u64(&message, head->number);
	frames_fixed(&message, head->token, sizeof head->token);
	frames_u8(&message, head->has_mark);
	frames_fixed(&message, head->mark, sizeof head->mark);
	return frames_send(&frames, &message);
}

static bool do_pull(void)
{
	const uint64_t after = frames_get_u64(&message);
	const uint8_t how = frames_get_u8(&message);
	struct pg_head head;
	enum frames_fault fault;

	if (!frames_end(&message) || how > FRAMES_ALL)
		return false;
	fault = pg_head(pg, after, how, &head);
	if (fault == FRAMES_FAULTS && !send_head(&head))
		return false;
	if (fault == FRAMES_FAULTS)
		fault = pg_rows(pg, after, how, send_row, NULL);
	if (fault == FRAMES_FAULTS)
		fault = pg_pull_end(pg, how);
	if (fault != FRAMES_FAULTS)
		return answer_with(fault);
	frames_start(&message, FRAMES_END);
	return frames_send(&frames, &message) && frames_flush(&frames);
}

/* All rows are taken, whatever became of the first, so that the answer is the answer
 * to all of it. */
static bool take_rows(enum frames_fault fault)
{
	for (;;) {
		struct pg_row row = {.table = 0};
		bool gone;

		if (!frames_receive(&frames, -1, &message))
			return false;
		if (message.type == FRAMES_END)
			break;
		if (message.type != FRAMES_ROW)
			return false;
		row.table = frames_get_u8(&message);
		gone = frames_get_u8(&message);
		row.key = frames_get_bytes(&message, &row.key_len);
		row.row = frames_get_bytes(&message, &row.row_len);
		if (!frames_end(&message))
			return false;
		if (gone)
			row.row = NULL;
		if (fault == FRAMES_FAULTS)
			fault = pg_put(pg, &row);
	}
	if (fault == FRAMES_FAULTS)
		fault = pg_commit(pg);
	return answer_with(fault);
}

static bool do_append(void)
{
	const uint64_t number = frames_get_u64(&message);
	const uint64_t after = frames_get_u64(&message);
	uint8_t token[FRAMES_TOKEN];

	frames_get_fixed(&message, token, sizeof token);
	return frames_end(&message) &&
	       take_rows(pg_append(pg, number, after, token));
}

static bool do_init(void)
{
	struct pg_head head = {.format = 0};
	bool one_server;

	frames_get_fixed(&message, head.id, sizeof head.id);
	head.format = frames_get_u32(&message);
	head.number = frames_get_u64(&message);
	frames_get_fixed(&message, head.token, sizeof head.token);
	one_server = frames_get_u8(&message);
	return frames_end(&message) && take_rows(pg_init(pg, &head, one_server));
}

static bool do_settle(void)
{
	const uint64_t number = frames_get_u64(&message);
	uint8_t token[FRAMES_TOKEN] = {0};
	bool there = false;
	enum frames_fault fault;

	if (!frames_end(&message))
		return false;
	fault = pg_settle(pg, number, &there, token);
	if (fault != FRAMES_FAULTS)
		return answer_with(fault);
	frames_start(&message, FRAMES_SETTLED);
	frames_u8(&message, there);
	frames_fixed(&message, token, sizeof token);
	return frames_send(&frames, &message) && frames_flush(&frames);
}

static bool do_wait(void)
{
	const uint32_t ms = frames_get_u32(&message);

	return frames_end(&message) && answer_with(pg_wait(pg, ms));
}

static bool do_host(void)
{
	const uint64_t number = frames_get_u64(&message);
	const uint64_t pending = frames_get_u64(&message);
	char version[FRAMES_TEXT], said[FRAMES_TEXT];

	frames_get_text(&message, version);
	frames_get_text(&message, said);
	return frames_end(&message) &&
	       answer_with(pg_host(pg, number, pending, version, said));
}

static bool send_host(void *arg, const struct pg_host *host)
{
	(void)arg;
	frames_start(&message, FRAMES_IS_HOST);
	frames_text(&message, host->name);
	frames_u64(&message, host->number);
	frames_u64(&message, host->pending);
	frames_text(&message, host->version);
	frames_u64(&message, host->seen);
	frames_text(&message, host->said);
	return frames_send(&frames, &message);
}

static bool do_hosts(void)
{
	enum frames_fault fault;

	if (!frames_end(&message))
		return false;
	fault = pg_hosts(pg, send_host, NULL);
	if (fault != FRAMES_FAULTS)
		return answer_with(fault);
	frames_start(&message, FRAMES_END);
	return frames_send(&frames, &message) && frames_flush(&frames);
}

static bool do_tidy(void)
{
	const uint32_t days = frames_get_u32(&message);
	struct pg_tidied tidied = {0, 0, 0};
	enum frames_fault fault;

	if (!frames_end(&message))
		return false;
	fault = pg_tidy(pg, days, &tidied);
	if (fault != FRAMES_FAULTS)
		return answer_with(fault);
	frames_start(&message, FRAMES_TIDIED);
	frames_u64(&message, tidied.floor);
	frames_u64(&message, tidied.rows);
	frames_u64(&message, tidied.hosts);
	return frames_send(&frames, &message) && frames_flush(&frames);
}

static bool do_one(void)
{
	switch (message.type) {
	case FRAMES_OPEN:
		return do_open();
	case FRAMES_PULL:
		return do_pull();
	case FRAMES_APPEND:
		return do_append();
	case FRAMES_ROLLBACK:
		return answer_with(pg_rollback(pg));
	case FRAMES_WAIT:
		return do_wait();
	case FRAMES_SETTLE:
		return do_settle();
	case FRAMES_HOST:
		return do_host();
	case FRAMES_HOSTS:
		return do_hosts();
	case FRAMES_TIDY:
		return do_tidy();
	case FRAMES_INIT:
		return do_init();
	default:
		return false;
	}
}

int main(void)
{
	if (!inherited_settle() || !inherited_seal() || !confine_writes())
		return 111;
	pg = pg_new();
	if (!pg)
		return 111;
	while (frames_receive(&frames, -1, &message) && do_one())
		;
	pg_free(&pg);
	frames_wipe(&frames);
	explicit_bzero(&message, sizeof message);
	return 0;
}
