/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pg_conninfo.h"
#include "pg_private.h"

enum { WORDS = 24 };

struct pg *pg_new(void)
{
	return calloc(1, sizeof(struct pg));
}

void pg_forget_rows(struct pg *pg)
{
	for (size_t i = 0; i < 3; i++)
		pg_array_empty(&pg->array[i]);
	pg->rows = 0;
}

static void finish(struct pg *pg)
{
	PQfinish(pg->connection);
	pg->connection = NULL;
	pg->listens = false;
}

void pg_free(struct pg **pg)
{
	if (!*pg)
		return;
	finish(*pg);
	for (size_t i = 0; i < 3; i++)
		pg_array_free(&(*pg)->array[i]);
	free(*pg);
	*pg = NULL;
}

const char *pg_why(const struct pg *pg)
{
	return pg->why;
}

/* One line of what libpq says. */
static void keep_why(struct pg *pg, const char *text)
{
	size_t len;

	(void)snprintf(pg->why, sizeof pg->why, "%s", text); /* cut is enough */
	len = strlen(pg->why);
	while (len && pg->why[len - 1] == '\n')
		pg->why[--len] = 0;
	for (char *c = pg->why; (c = strpbrk(c, "\n\t")) != NULL;)
		*c = ' ';
}

enum frames_fault pg_say(struct pg *pg, enum frames_fault fault,
			 const char *text)
{
	keep_why(pg, text);
	return fault;
}

static enum frames_fault of_state(const char *state)
{
	static const struct {
		const char *state;
		enum frames_fault fault;
	} known[] = {
		{"40001", FRAMES_AGAIN}, /* serialization */
		{"40P01", FRAMES_AGAIN}, /* deadlock */
		{"23505", FRAMES_AGAIN}, /* somebody was first */
		{"55P03", FRAMES_BUSY},	 /* lock_timeout */
		{"42501", FRAMES_DENIED},
		{"3F000", FRAMES_NONE}, /* no such schema */
		{"42P01", FRAMES_NONE}, /* no such table */
		{"25006", FRAMES_AWAY}, /* read only: a standby */
		{"57P01", FRAMES_AWAY},
		{"57P02", FRAMES_AWAY},
		{"57P03", FRAMES_AWAY},
	};

	for (size_t i = 0; state && i < sizeof known / sizeof *known; i++) {
		if (strcmp(state, known[i].state) == 0)
			return known[i].fault;
	}
	return FRAMES_OTHER;
}

enum frames_fault pg_judge(struct pg *pg, PGresult *result)
{
	const ExecStatusType status = PQresultStatus(result);
	enum frames_fault fault = FRAMES_FAULTS;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
	    status != PGRES_SINGLE_TUPLE) {
		keep_why(pg, PQerrorMessage(pg->connection));
		fault = of_state(PQresultErrorField(result, PG_DIAG_SQLSTATE));
		if (PQstatus(pg->connection) != CONNECTION_OK)
			fault = FRAMES_AWAY;
	}
	PQclear(result);
	return fault;
}

enum frames_fault pg_run(struct pg *pg, const char *sql)
{
	return pg_judge(pg, PQexec(pg->connection, sql));
}

enum frames_fault pg_end(struct pg *pg, enum frames_fault fault)
{
	pg_forget_rows(pg);
	if (fault == FRAMES_FAULTS)
		return fault;
	if (PQstatus(pg->connection) == CONNECTION_OK &&
	    PQtransactionStatus(pg->connection) != PQTRANS_IDLE)
		PQclear(PQexec(pg->connection, "ROLLBACK"));
	if (PQstatus(pg->connection) != CONNECTION_OK)
		finish(pg);
	return fault;
}

enum frames_fault pg_run_commit(struct pg *pg)
{
	PGresult *result;
	bool good, rolled_back;
	enum frames_fault fault;

	pg->warned = false;
	result = PQexec(pg->connection, "COMMIT");
	good = PQresultStatus(result) == PGRES_COMMAND_OK;
	rolled_back = good && strcmp(PQcmdStatus(result), "COMMIT") != 0;
	if (rolled_back) {
		PQclear(result);
		return pg_say(pg, FRAMES_OTHER, "it rolled the change back");
	}
	if (good && pg->warned) { /* pg_why is the warning */
		PQclear(result);
		finish(pg);
		return FRAMES_UNKNOWN;
	}
	fault = pg_judge(pg, result);
	return fault == FRAMES_AWAY || PQstatus(pg->connection) != CONNECTION_OK
		       ? FRAMES_UNKNOWN
		       : fault;
}

enum frames_fault pg_closed(struct pg *pg)
{
	return pg_say(pg, FRAMES_AWAY, "there is no connection");
}

/* What the conninfo says, and our own where it says nothing. */
static bool connect_with(struct pg *pg, const PQconninfoOption *options)
{
	static const char *const own[][2] = {
		{"application_name", "popbox-central"},
		{"connect_timeout", "5"},
		{"target_session_attrs", "read-write"},
		{"tcp_user_timeout", "5000"},
		{"keepalives_idle", "5"},
		{"keepalives_interval", "1"},
		{"keepalives_count", "3"},
	};
	const char *words[WORDS + 64] = {NULL}, *values[WORDS + 64] = {NULL};
	size_t count = 0;

	for (const PQconninfoOption *o = options; o->keyword && count < 64;
	     o++) {
		if (!o->val || !o->val[0])
			continue;
		words[count] = o->keyword;
		values[count++] = o->val;
	}
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		if (pg_conninfo_value(options, own[i][0]))
			continue;
		words[count] = own[i][0];
		values[count++] = own[i][1];
	}
	pg->connection = PQconnectdbParams(words, values, 0);
	return pg->connection && PQstatus(pg->connection) == CONNECTION_OK;
}

/* Only warnings come. */
static void take_warning(void *arg, const PGresult *result)
{
	struct pg *pg = arg;

	(void)pg_say(pg, FRAMES_OTHER, PQresultErrorMessage(result));
	pg->warned = true;
}

/* Waits are those of the caller; and who dies here gives its lock back. A commit waits
 * for the disk and the standbys, whatever the server's configuration says. */
static enum frames_fault settle_session(struct pg *pg)
{
	(void)PQsetNoticeReceiver(pg->connection, take_warning, pg);
	return pg_run(pg, "SET statement_timeout = 0; "
			  "SET lock_timeout = '10s'; "
			  "SELECT set_config('synchronous_commit', 'on', false) "
			  "WHERE current_setting('synchronous_commit', true) "
			  "IN ('off', 'local'); "
			  "SET idle_in_transaction_session_timeout = '120s'; "
			  "SET client_min_messages = warning");
}

enum frames_fault pg_open(struct pg *pg, const char *conninfo, const char *host)
{
	char *error = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &error);
	enum frames_fault fault = FRAMES_FAULTS;
	const char *why;

	finish(pg);
	(void)snprintf(pg->host, sizeof pg->host, "%s", host);
	if (!options) {
		fault = pg_say(pg, FRAMES_OTHER, error ? error : "no memory");
		PQfreemem(error);
		return fault;
	}
	why = pg_conninfo_judge(options);
	if (why)
		fault = pg_say(pg, FRAMES_OTHER, why);
	else if (!connect_with(pg, options))
		fault = pg_say(pg, FRAMES_AWAY,
			       pg->connection ? PQerrorMessage(pg->connection)
					      : "no memory");
	PQconninfoFree(options);
	if (fault == FRAMES_FAULTS)
		fault = settle_session(pg);
	if (fault != FRAMES_FAULTS)
		finish(pg);
	return fault;
}

static bool take_notices(struct pg *pg)
{
	PGnotify *notice;
	bool any = false;

	while ((notice = PQnotifies(pg->connection)) != NULL) {
		any = true;
		PQfreemem(notice);
	}
	return any;
}

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* always there */
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum frames_fault pg_wait(struct pg *pg, uint32_t ms)
{
	const long until = now_ms() + (long)ms;

	if (!pg->connection)
		return pg_closed(pg);
	if (!pg->listens) {
		enum frames_fault fault = pg_run(pg, "LISTEN popbox");

		if (fault != FRAMES_FAULTS)
			return pg_end(pg, fault);
		pg->listens = true;
		return FRAMES_FAULTS; /* what came before is not told */
	}
	while (!take_notices(pg)) {
		struct pollfd wait = {.fd = PQsocket(pg->connection),
				      .events = POLLIN};
		const long left = until - now_ms();

		if (left <= 0)
			break;
		if (poll(&wait, 1, (int)left) < 0 && errno != EINTR)
			return pg_say(pg, FRAMES_OTHER, strerror(errno));
		if (!PQconsumeInput(pg->connection))
			return pg_end(pg,
				      pg_say(pg, FRAMES_AWAY,
					     PQerrorMessage(pg->connection)));
	}
	return FRAMES_FAULTS;
}
