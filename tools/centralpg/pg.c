/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/central_schema.h"

enum {
	BATCH_ROWS = 5000,
	BATCH_BYTES = 8 << 20,
	INT2 = 21, /* types of pg_type */
	BYTEA = 17,
	INT8 = 20,
	WORDS = 24,
};

/* The elements of one array parameter, in PostgreSQL's binary form. */
struct array {
	char *bytes;
	size_t len, room;
};

struct pg {
	PGconn *connection;
	char host[256];
	char why[FRAMES_TEXT];
	bool listens;
	uint64_t number; /* of the change whose rows are put */
	struct array array[3]; /* tab, key, row */
	uint32_t rows;
};

struct pg *pg_new(void)
{
	return calloc(1, sizeof(struct pg));
}

static void empty(struct pg *pg)
{
	for (size_t i = 0; i < 3; i++) {
		if (pg->array[i].len)
			explicit_bzero(pg->array[i].bytes, pg->array[i].len);
		pg->array[i].len = 0;
	}
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
	empty(*pg);
	for (size_t i = 0; i < 3; i++)
		free((*pg)->array[i].bytes);
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

static enum frames_fault say(struct pg *pg, enum frames_fault fault,
			   const char *text)
{
	keep_why(pg, text);
	return fault;
}

static enum frames_fault no_memory(struct pg *pg)
{
	return say(pg, FRAMES_OTHER, "popbox-central: no memory");
}

static enum frames_fault of_state(const char *state)
{
	static const struct {
		const char *state;
		enum frames_fault fault;
	} known[] = {
		{"40001", FRAMES_AGAIN},	/* serialization */
		{"40P01", FRAMES_AGAIN},	/* deadlock */
		{"23505", FRAMES_AGAIN},	/* somebody was first */
		{"55P03", FRAMES_BUSY},	/* lock_timeout */
		{"42501", FRAMES_DENIED},
		{"3F000", FRAMES_NONE},	/* no such schema */
		{"42P01", FRAMES_NONE},	/* no such table */
		{"25006", FRAMES_AWAY},	/* read only: a standby */
		{"57P01", FRAMES_AWAY},	{"57P02", FRAMES_AWAY},
		{"57P03", FRAMES_AWAY},
	};

	for (size_t i = 0; state && i < sizeof known / sizeof *known; i++) {
		if (strcmp(state, known[i].state) == 0)
			return known[i].fault;
	}
	return FRAMES_OTHER;
}

/* Takes the result. */
static enum frames_fault judge(struct pg *pg, PGresult *result)
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

static enum frames_fault run(struct pg *pg, const char *sql)
{
	return judge(pg, PQexec(pg->connection, sql));
}

/* A fault ends the transaction. */
static enum frames_fault end(struct pg *pg, enum frames_fault fault)
{
	empty(pg);
	if (fault == FRAMES_FAULTS)
		return fault;
	if (PQstatus(pg->connection) == CONNECTION_OK &&
	    PQtransactionStatus(pg->connection) != PQTRANS_IDLE)
		PQclear(PQexec(pg->connection, "ROLLBACK"));
	if (PQstatus(pg->connection) != CONNECTION_OK)
		finish(pg);
	return fault;
}

static enum frames_fault closed(struct pg *pg)
{
	return say(pg, FRAMES_AWAY, "there is no connection");
}

/* What a conninfo may say. NULL, or why not. */
static const char *judge_option(const PQconninfoOption *o, bool remote)
{
	if (strcmp(o->keyword, "password") == 0 ||
	    strcmp(o->keyword, "passfile") == 0)
		return "it has a password (use a client certificate: sslcert "
		       "and sslkey)";
	if (strcmp(o->keyword, "service") == 0)
		return "it names a service (say host and dbname)";
	if (remote && strcmp(o->keyword, "sslmode") == 0 &&
	    strcmp(o->val, "verify-full") != 0)
		return "its sslmode is not verify-full";
	return NULL;
}

static const char *value_of(const PQconninfoOption *options, const char *word)
{
	for (const PQconninfoOption *o = options; o->keyword; o++) {
		if (o->val && o->val[0] && strcmp(o->keyword, word) == 0)
			return o->val;
	}
	return NULL;
}

/* A host that is none of this machine's sockets. */
static bool is_remote(const PQconninfoOption *options)
{
	const char *host = value_of(options, "host");

	if (value_of(options, "hostaddr"))
		return true;
	for (const char *at = host; at && *at;) {
		if (*at != '/')
			return true;
		at += strcspn(at, ",");
		at += *at == ',';
	}
	return false;
}

static const char *judge_conninfo(const PQconninfoOption *options)
{
	const bool remote = is_remote(options);

	for (const PQconninfoOption *o = options; o->keyword; o++) {
		const char *why =
			o->val && o->val[0] ? judge_option(o, remote) : NULL;

		if (why)
			return why;
	}
	if (remote && !value_of(options, "sslmode"))
		return "it does not say sslmode=verify-full";
	return NULL;
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
		if (value_of(options, own[i][0]))
			continue;
		words[count] = own[i][0];
		values[count++] = own[i][1];
	}
	pg->connection = PQconnectdbParams(words, values, 0);
	return pg->connection && PQstatus(pg->connection) == CONNECTION_OK;
}

static void ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

/* Waits are those of the caller; and who dies here gives its lock back. */
static enum frames_fault settle_session(struct pg *pg)
{
	(void)PQsetNoticeReceiver(pg->connection, ignore_notice, NULL);
	return run(pg, "SET statement_timeout = 0; "
		       "SET lock_timeout = '10s'; "
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
		fault = say(pg, FRAMES_OTHER, error ? error : "no memory");
		PQfreemem(error);
		return fault;
	}
	why = judge_conninfo(options);
	if (why)
		fault = say(pg, FRAMES_OTHER, why);
	else if (!connect_with(pg, options))
		fault = say(pg, FRAMES_AWAY, pg->connection
						   ? PQerrorMessage(
							     pg->connection)
						   : "no memory");
	PQconninfoFree(options);
	if (fault == FRAMES_FAULTS)
		fault = settle_session(pg);
	if (fault != FRAMES_FAULTS)
		finish(pg);
	return fault;
}

static uint64_t get_u64(const PGresult *result, int column)
{
	uint64_t value;

	if (PQgetlength(result, 0, column) != 8)
		return 0;
	memcpy(&value, PQgetvalue(result, 0, column), sizeof value);
	return be64toh(value);
}

static uint32_t get_u32(const PGresult *result, int column)
{
	uint32_t value;

	if (PQgetlength(result, 0, column) != 4)
		return 0;
	memcpy(&value, PQgetvalue(result, 0, column), sizeof value);
	return ntohl(value);
}

static bool get_bool(const PGresult *result, int column)
{
	return PQgetlength(result, 0, column) == 1 &&
	       PQgetvalue(result, 0, column)[0];
}

/* False: it is NULL, or has another length. */
static bool get_token(const PGresult *result, int column,
		      uint8_t ret_token[FRAMES_TOKEN])
{
	if (PQgetlength(result, 0, column) != FRAMES_TOKEN)
		return false;
	memcpy(ret_token, PQgetvalue(result, 0, column), FRAMES_TOKEN);
	return true;
}

/* A statement with one number, answers in binary. */
static PGresult *ask(struct pg *pg, const char *sql, uint64_t number)
{
	const Oid type = INT8;
	const uint64_t big = htobe64(number);
	const char *value = (const char *)&big;
	const int len = sizeof big, binary = 1;

	return PQexecParams(pg->connection, sql, 1, &type, &value, &len,
			    &binary, 1);
}

static enum frames_fault take_head(struct pg *pg, PGresult *result,
				 struct pg_head *ret_head)
{
	struct pg_head head = {.format = 0};

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		return judge(pg, result);
	if (PQntuples(result) != 1 || PQnfields(result) != 9) {
		PQclear(result);
		return say(pg, FRAMES_NONE, "it has no site yet");
	}
	head.format = get_u32(result, 1);
	head.floor = get_u64(result, 3);
	head.now = get_u64(result, 4);
	head.standby = get_bool(result, 5);
	head.number = get_u64(result, 6);
	head.has_mark = get_token(result, 8, head.mark);
	if (!get_token(result, 0, head.id) || !get_token(result, 7, head.token) ||
	    get_u32(result, 2) != CENTRAL_SCHEMA) {
		PQclear(result);
		return say(pg, FRAMES_OTHER, "its tables are those of another "
					   "popbox");
	}
	PQclear(result);
	*ret_head = head;
	return FRAMES_FAULTS;
}

enum frames_fault pg_head(struct pg *pg, uint64_t after, enum frames_pull how,
			struct pg_head *ret_head)
{
	static const char sql[] =
		"SELECT s.id, s.format, s.schema, s.floor, "
		"floor(extract(epoch FROM clock_timestamp()))::bigint, "
		"pg_is_in_recovery(), c.number, c.token, m.token "
		"FROM popbox.site s CROSS JOIN (SELECT number, token FROM "
		"popbox.change ORDER BY number DESC LIMIT 1) c "
		"LEFT JOIN popbox.change m ON m.number = $1";
	enum frames_fault fault;

	if (!pg->connection)
		return closed(pg);
	fault = run(pg, how == FRAMES_LOCKED
				? "BEGIN"
				: "BEGIN ISOLATION LEVEL REPEATABLE READ READ "
				  "ONLY");
	if (fault == FRAMES_FAULTS && how == FRAMES_LOCKED)
		fault = run(pg, "SELECT 1 FROM popbox.site FOR UPDATE");
	if (fault == FRAMES_FAULTS)
		fault = take_head(pg, ask(pg, sql, after), ret_head);
	return end(pg, fault);
}

static bool hand_out(const PGresult *result, pg_sink *sink, void *arg)
{
	const bool gone = PQgetisnull(result, 0, 2);
	struct pg_row row = {
		.table = (uint8_t)PQgetvalue(result, 0, 0)[1],
		.key = (const uint8_t *)PQgetvalue(result, 0, 1),
		.key_len = (size_t)PQgetlength(result, 0, 1),
		.row = gone ? NULL : (const uint8_t *)PQgetvalue(result, 0, 2),
		.row_len = gone ? 0 : (size_t)PQgetlength(result, 0, 2),
	};

	if (PQgetlength(result, 0, 0) != 2)
		row.table = UINT8_MAX; /* no table is */
	return sink(arg, &row);
}

enum frames_fault pg_rows(struct pg *pg, uint64_t after, enum frames_pull how,
			pg_sink *sink, void *arg)
{
	const char *sql = how == FRAMES_ALL
				  ? "SELECT tab, key, row FROM popbox.row WHERE "
				    "number >= $1 AND row IS NOT NULL ORDER BY "
				    "tab, key"
				  : "SELECT tab, key, row FROM popbox.row WHERE "
				    "number > $1";
	const Oid type = INT8;
	const uint64_t big = htobe64(how == FRAMES_ALL ? 0 : after);
	const char *value = (const char *)&big;
	const int len = sizeof big, binary = 1;
	enum frames_fault fault = FRAMES_FAULTS;
	PGresult *result;

	if (!pg->connection)
		return closed(pg);
	if (!PQsendQueryParams(pg->connection, sql, 1, &type, &value, &len,
			       &binary, 1) ||
	    !PQsetSingleRowMode(pg->connection))
		return end(pg, say(pg, FRAMES_AWAY,
				   PQerrorMessage(pg->connection)));
	while ((result = PQgetResult(pg->connection)) != NULL) {
		if (PQresultStatus(result) == PGRES_SINGLE_TUPLE &&
		    fault == FRAMES_FAULTS && !hand_out(result, sink, arg))
			fault = say(pg, FRAMES_OTHER, "popbox has ended");
		if (fault == FRAMES_FAULTS)
			fault = judge(pg, result);
		else
			PQclear(result);
	}
	return end(pg, fault);
}

enum frames_fault pg_pull_end(struct pg *pg, enum frames_pull how)
{
	if (!pg->connection)
		return closed(pg);
	return how == FRAMES_LOCKED ? FRAMES_FAULTS : end(pg, run(pg, "COMMIT"));
}

static enum frames_fault insert_change(struct pg *pg, uint64_t number,
				     uint64_t after,
				     const uint8_t token[FRAMES_TOKEN])
{
	const uint64_t numbers[] = {htobe64(number), htobe64(after)};
	const Oid types[] = {INT8, INT8, BYTEA, 25 /* text */};
	const char *values[] = {(const char *)&numbers[0],
				(const char *)&numbers[1], (const char *)token,
				pg->host};
	const int lens[] = {8, 8, FRAMES_TOKEN, (int)strlen(pg->host)};
	const int binary[] = {1, 1, 1, 1};

	return judge(pg,
		     PQexecParams(pg->connection,
				  "INSERT INTO popbox.change (number, after, "
				  "token, host) VALUES ($1, $2, $3, $4)",
				  4, types, values, lens, binary, 1));
}

enum frames_fault pg_append(struct pg *pg, uint64_t number, uint64_t after,
			  const uint8_t token[FRAMES_TOKEN])
{
	if (!pg->connection)
		return closed(pg);
	empty(pg);
	pg->number = number;
	return end(pg, insert_change(pg, number, after, token));
}

static bool array_put(struct array *array, const void *bytes, size_t len)
{
	if (array->room - array->len < len) {
		size_t room = array->room ? array->room : 65536;
		char *more;

		while (room - array->len < len)
			room *= 2;
		more = malloc(room);
		if (!more)
			return false;
		if (array->len) {
			memcpy(more, array->bytes, array->len);
			explicit_bzero(array->bytes, array->len);
		}
		free(array->bytes);
		array->bytes = more;
		array->room = room;
	}
	if (len)
		memcpy(array->bytes + array->len, bytes, len);
	array->len += len;
	return true;
}

/* Dimensions, has NULLs, type, number of elements, first index. */
enum { ARRAY_HEAD = 20 };

static bool array_begin(struct array *array)
{
	static const char head[ARRAY_HEAD];

	return array->len || array_put(array, head, sizeof head);
}

static void array_end(struct array *array, uint32_t type, uint32_t count)
{
	const uint32_t head[] = {htonl(1), htonl(1), htonl(type), htonl(count),
				 htonl(1)};

	memcpy(array->bytes, head, sizeof head);
}

/* NULL where bytes are NULL. */
static bool array_element(struct array *array, const void *bytes, size_t len)
{
	const uint32_t size = bytes ? htonl((uint32_t)len) : UINT32_MAX;

	return array_begin(array) && array_put(array, &size, sizeof size) &&
	       (!bytes || array_put(array, bytes, len));
}

/* The rows that wait. */
static enum frames_fault put_batch(struct pg *pg)
{
	const uint64_t big = htobe64(pg->number);
	const Oid types[] = {1005 /* int2[] */, 1001 /* bytea[] */,
			     1001, INT8};
	const char *values[] = {pg->array[0].bytes, pg->array[1].bytes,
				pg->array[2].bytes, (const char *)&big};
	const int lens[] = {(int)pg->array[0].len, (int)pg->array[1].len,
			    (int)pg->array[2].len, 8};
	const int binary[] = {1, 1, 1, 1};
	enum frames_fault fault;

	if (!pg->rows)
		return FRAMES_FAULTS;
	array_end(&pg->array[0], INT2, pg->rows);
	array_end(&pg->array[1], BYTEA, pg->rows);
	array_end(&pg->array[2], BYTEA, pg->rows);
	fault = judge(
		pg,
		PQexecParams(pg->connection,
			     "INSERT INTO popbox.row (tab, key, number, row) "
			     "SELECT t, k, $4, r FROM unnest($1, $2, $3) AS "
			     "u (t, k, r) ON CONFLICT (tab, key) DO UPDATE SET "
			     "number = EXCLUDED.number, row = EXCLUDED.row",
			     4, types, values, lens, binary, 1));
	empty(pg);
	return fault;
}

enum frames_fault pg_put(struct pg *pg, const struct pg_row *row)
{
	const uint16_t table = htons(row->table);

	if (!pg->connection)
		return closed(pg);
	if (!array_element(&pg->array[0], &table, sizeof table) ||
	    !array_element(&pg->array[1], row->key, row->key_len) ||
	    !array_element(&pg->array[2], row->row, row->row_len))
		return end(pg, no_memory(pg));
	pg->rows++;
	if (pg->rows < BATCH_ROWS && pg->array[2].len < BATCH_BYTES)
		return FRAMES_FAULTS;
	return end(pg, put_batch(pg));
}

/* From where it is sent on, a lost connection leaves it unknown. */
static enum frames_fault commit(struct pg *pg)
{
	PGresult *result = PQexec(pg->connection, "COMMIT");
	const bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
	const bool rolled_back =
		good && strcmp(PQcmdStatus(result), "COMMIT") != 0;
	const enum frames_fault fault = judge(pg, result);

	if (rolled_back)
		return say(pg, FRAMES_OTHER, "it rolled the change back");
	return fault == FRAMES_AWAY ||
			       PQstatus(pg->connection) != CONNECTION_OK
		       ? FRAMES_UNKNOWN
		       : fault;
}

enum frames_fault pg_commit(struct pg *pg)
{
	enum frames_fault fault;

	if (!pg->connection)
		return closed(pg);
	fault = put_batch(pg);
	if (fault == FRAMES_FAULTS)
		fault = run(pg, "NOTIFY popbox");
	if (fault != FRAMES_FAULTS)
		return end(pg, fault);
	return end(pg, commit(pg));
}

enum frames_fault pg_rollback(struct pg *pg)
{
	if (!pg->connection)
		return closed(pg);
	return end(pg, run(pg, "ROLLBACK"));
}

/* Where nothing confirms a commit but the server itself, a failover loses it. */
static enum frames_fault judge_standbys(struct pg *pg)
{
	PGresult *result =
		PQexec(pg->connection, "SHOW synchronous_standby_names");
	const bool none = PQresultStatus(result) == PGRES_TUPLES_OK &&
			  !PQgetvalue(result, 0, 0)[0];
	const enum frames_fault fault = judge(pg, result);

	if (fault != FRAMES_FAULTS || !none)
		return fault;
	return say(pg, FRAMES_OTHER,
		   "no synchronous standby confirms its commits, so a failover "
		   "would lose changes: set synchronous_standby_names, or say "
		   "--one-server");
}

static enum frames_fault make_tables(struct pg *pg)
{
	const size_t count = sizeof central_schema / sizeof *central_schema;
	enum frames_fault fault = FRAMES_FAULTS;
	PGresult *result = PQexec(pg->connection,
				  "SELECT FROM pg_namespace WHERE nspname = "
				  "'popbox'");
	const bool there = PQresultStatus(result) == PGRES_TUPLES_OK &&
			   PQntuples(result);

	fault = judge(pg, result);
	for (size_t i = 0; fault == FRAMES_FAULTS && !there && i < count; i++)
		fault = run(pg, central_schema[i]);
	return fault;
}

static enum frames_fault insert_site(struct pg *pg, const struct pg_head *head)
{
	const uint32_t format = htonl(head->format);
	const Oid types[] = {BYTEA, 23 /* int4 */};
	const char *values[] = {(const char *)head->id, (const char *)&format};
	const int lens[] = {FRAMES_ID, sizeof format}, binary[] = {1, 1};
	enum frames_fault fault =
		judge(pg, PQexecParams(pg->connection,
				       "INSERT INTO popbox.site (id, format) "
				       "VALUES ($1, $2)",
				       2, types, values, lens, binary, 1));

	if (fault == FRAMES_AGAIN) /* the one row is there */
		return say(pg, FRAMES_OTHER,
			   "there is a central database in it already "
			   "('popbox cluster join' makes this host one of its "
			   "hosts)");
	return fault;
}

enum frames_fault pg_init(struct pg *pg, const struct pg_head *head,
			bool one_server)
{
	enum frames_fault fault = FRAMES_FAULTS;

	if (!pg->connection)
		return closed(pg);
	if (!one_server)
		fault = judge_standbys(pg);
	if (fault == FRAMES_FAULTS)
		fault = run(pg, "BEGIN");
	if (fault == FRAMES_FAULTS)
		fault = make_tables(pg);
	if (fault == FRAMES_FAULTS)
		fault = insert_site(pg, head);
	empty(pg);
	pg->number = head->number;
	if (fault == FRAMES_FAULTS && head->number)
		fault = insert_change(pg, head->number, 0, head->token);
	return end(pg, fault);
}

enum frames_fault pg_settle(struct pg *pg, uint64_t number, bool *ret_there,
			  uint8_t ret_token[FRAMES_TOKEN])
{
	enum frames_fault fault;
	PGresult *result;

	if (!pg->connection)
		return closed(pg);
	fault = run(pg, "BEGIN");
	/* Our own session may still be committing: it has this lock. */
	if (fault == FRAMES_FAULTS)
		fault = run(pg, "SELECT 1 FROM popbox.site FOR UPDATE");
	if (fault != FRAMES_FAULTS)
		return end(pg, fault);
	result = ask(pg, "SELECT token FROM popbox.change WHERE number = $1",
		     number);
	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		*ret_there = PQntuples(result) == 1 &&
			     get_token(result, 0, ret_token);
	}
	fault = judge(pg, result);
	if (fault == FRAMES_FAULTS)
		fault = run(pg, "COMMIT");
	return end(pg, fault);
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
		return closed(pg);
	if (!pg->listens) {
		enum frames_fault fault = run(pg, "LISTEN popbox");

		if (fault != FRAMES_FAULTS)
			return end(pg, fault);
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
			return say(pg, FRAMES_OTHER, strerror(errno));
		if (!PQconsumeInput(pg->connection))
			return end(pg, say(pg, FRAMES_AWAY,
					   PQerrorMessage(pg->connection)));
	}
	return FRAMES_FAULTS;
}

enum frames_fault pg_host(struct pg *pg, uint64_t number, uint64_t pending,
			const char *version, const char *said)
{
	const uint64_t numbers[] = {htobe64(number), htobe64(pending)};
	const Oid types[] = {25, INT8, INT8, 25, 25};
	const char *values[] = {pg->host, (const char *)&numbers[0],
				(const char *)&numbers[1], version, said};
	const int lens[] = {(int)strlen(pg->host), 8, 8, (int)strlen(version),
			    (int)strlen(said)};
	const int binary[] = {1, 1, 1, 1, 1};

	if (!pg->connection)
		return closed(pg);
	return end(pg, judge(pg,
			     PQexecParams(
				     pg->connection,
				     "INSERT INTO popbox.host (name, number, "
				     "pending, version, said) VALUES ($1, $2, "
				     "$3, $4, $5) ON CONFLICT (name) DO UPDATE "
				     "SET number = EXCLUDED.number, pending = "
				     "EXCLUDED.pending, version = "
				     "EXCLUDED.version, said = EXCLUDED.said, "
				     "seen = now()",
				     5, types, values, lens, binary, 1)));
}

enum frames_fault pg_hosts(struct pg *pg, pg_host_sink *sink, void *arg)
{
	PGresult *result;
	bool goes_on = true;

	if (!pg->connection)
		return closed(pg);
	result = PQexec(pg->connection,
			"SELECT name, number, pending, version, "
			"greatest(0, floor(extract(epoch FROM now() - "
			"seen)))::bigint, said FROM popbox.host ORDER BY name");
	for (int i = 0; goes_on && PQresultStatus(result) == PGRES_TUPLES_OK &&
			i < PQntuples(result);
	     i++) {
		const struct pg_host host = {
			.name = PQgetvalue(result, i, 0),
			.number = strtoull(PQgetvalue(result, i, 1), NULL, 10),
			.pending = strtoull(PQgetvalue(result, i, 2), NULL, 10),
			.version = PQgetvalue(result, i, 3),
			.seen = strtoull(PQgetvalue(result, i, 4), NULL, 10),
			.said = PQgetvalue(result, i, 5),
		};

		goes_on = sink(arg, &host);
	}
	return end(pg, judge(pg, result));
}
