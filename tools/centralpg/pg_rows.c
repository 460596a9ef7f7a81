/* SPDX-License-Identifier: MIT */
/* pg_rows.c: the chain of changes, and the rows. */
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "base/central_schema.h"
#include "pg_private.h"

enum { BATCH_ROWS = 5000, BATCH_BYTES = 8 << 20 };

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
	const Oid type = PG_INT8;
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
		return pg_judge(pg, result);
	if (PQntuples(result) != 1 || PQnfields(result) != 9) {
		PQclear(result);
		return pg_say(pg, FRAMES_NONE, "it has no site yet");
	}
	head.format = get_u32(result, 1);
	head.floor = get_u64(result, 3);
	head.now = get_u64(result, 4);
	head.standby = get_bool(result, 5);
	head.number = get_u64(result, 6);
	head.has_mark = get_token(result, 8, head.mark);
	if (!get_token(result, 0, head.id) ||
	    !get_token(result, 7, head.token) ||
	    get_u32(result, 2) != CENTRAL_SCHEMA) {
		PQclear(result);
		return pg_say(pg, FRAMES_OTHER,
			      "its tables are those of another popbox: nothing was "
			      "taken from it (install the popbox of the other "
			      "hosts)");
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
		return pg_closed(pg);
	fault = pg_run(pg,
		       how == FRAMES_LOCKED
			       ? "BEGIN"
			       : "BEGIN ISOLATION LEVEL REPEATABLE READ READ "
				 "ONLY");
	if (fault == FRAMES_FAULTS && how == FRAMES_LOCKED)
		fault = pg_run(pg, "SELECT 1 FROM popbox.site FOR UPDATE");
	if (fault == FRAMES_FAULTS)
		fault = take_head(pg, ask(pg, sql, after), ret_head);
	return pg_end(pg, fault);
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
	const char *sql =
		how == FRAMES_ALL
			? "SELECT tab, key, row FROM popbox.row WHERE "
			  "number >= $1 AND row IS NOT NULL ORDER BY "
			  "tab, key"
			: "SELECT tab, key, row FROM popbox.row WHERE "
			  "number > $1";
	const Oid type = PG_INT8;
	const uint64_t big = htobe64(how == FRAMES_ALL ? 0 : after);
	const char *value = (const char *)&big;
	const int len = sizeof big, binary = 1;
	enum frames_fault fault = FRAMES_FAULTS;
	PGresult *result;

	if (!pg->connection)
		return pg_closed(pg);
	if (!PQsendQueryParams(pg->connection, sql, 1, &type, &value, &len,
			       &binary, 1) ||
	    !PQsetSingleRowMode(pg->connection))
		return pg_end(pg, pg_say(pg, FRAMES_AWAY,
					 PQerrorMessage(pg->connection)));
	while ((result = PQgetResult(pg->connection)) != NULL) {
		if (PQresultStatus(result) == PGRES_SINGLE_TUPLE &&
		    fault == FRAMES_FAULTS && !hand_out(result, sink, arg))
			fault = pg_say(pg, FRAMES_OTHER, "popbox has ended");
		if (fault == FRAMES_FAULTS)
			fault = pg_judge(pg, result);
		else
			PQclear(result);
	}
	return pg_end(pg, fault);
}

enum frames_fault pg_pull_end(struct pg *pg, enum frames_pull how)
{
	if (!pg->connection)
		return pg_closed(pg);
	return how == FRAMES_LOCKED ? FRAMES_FAULTS
				    : pg_end(pg, pg_run(pg, "COMMIT"));
}

enum frames_fault pg_insert_change(struct pg *pg, uint64_t number,
				   uint64_t after,
				   const uint8_t token[FRAMES_TOKEN])
{
	const uint64_t numbers[] = {htobe64(number), htobe64(after)};
	const Oid types[] = {PG_INT8, PG_INT8, PG_BYTEA, PG_TEXT};
	const char *values[] = {(const char *)&numbers[0],
				(const char *)&numbers[1], (const char *)token,
				pg->host};
	const int lens[] = {8, 8, FRAMES_TOKEN, (int)strlen(pg->host)};
	const int binary[] = {1, 1, 1, 1};

	return pg_judge(
		pg, PQexecParams(pg->connection,
				 "INSERT INTO popbox.change (number, after, "
				 "token, host) VALUES ($1, $2, $3, $4)",
				 4, types, values, lens, binary, 1));
}

enum frames_fault pg_append(struct pg *pg, uint64_t number, uint64_t after,
			    const uint8_t token[FRAMES_TOKEN])
{
	if (!pg->connection)
		return pg_closed(pg);
	pg_forget_rows(pg);
	pg->number = number;
	return pg_end(pg, pg_insert_change(pg, number, after, token));
}

/* The rows that wait. */
static enum frames_fault put_batch(struct pg *pg)
{
	const uint64_t big = htobe64(pg->number);
	const Oid types[] = {1005 /* int2[] */, 1001 /* bytea[] */, 1001,
			     PG_INT8};
	const char *values[] = {pg->array[0].bytes, pg->array[1].bytes,
				pg->array[2].bytes, (const char *)&big};
	const int lens[] = {(int)pg->array[0].len, (int)pg->array[1].len,
			    (int)pg->array[2].len, 8};
	const int binary[] = {1, 1, 1, 1};
	enum frames_fault fault;

	if (!pg->rows)
		return FRAMES_FAULTS;
	pg_array_end(&pg->array[0], PG_INT2, pg->rows);
	pg_array_end(&pg->array[1], PG_BYTEA, pg->rows);
	pg_array_end(&pg->array[2], PG_BYTEA, pg->rows);
	fault = pg_judge(
		pg,
		PQexecParams(pg->connection,
			     "INSERT INTO popbox.row (tab, key, number, row) "
			     "SELECT t, k, $4, r FROM unnest($1, $2, $3) AS "
			     "u (t, k, r) ON CONFLICT (tab, key) DO UPDATE SET "
			     "number = EXCLUDED.number, row = EXCLUDED.row",
			     4, types, values, lens, binary, 1));
	pg_forget_rows(pg);
	return fault;
}

enum frames_fault pg_put(struct pg *pg, const struct pg_row *row)
{
	const uint16_t table = htons(row->table);

	if (!pg->connection)
		return pg_closed(pg);
	if (!pg_array_put(&pg->array[0], &table, sizeof table) ||
	    !pg_array_put(&pg->array[1], row->key, row->key_len) ||
	    !pg_array_put(&pg->array[2], row->row, row->row_len))
		return pg_end(pg, pg_say(pg, FRAMES_OTHER,
					 "popbox-central: no memory"));
	pg->rows++;
	if (pg->rows < BATCH_ROWS && pg->array[2].len < BATCH_BYTES)
		return FRAMES_FAULTS;
	return pg_end(pg, put_batch(pg));
}

enum frames_fault pg_commit(struct pg *pg)
{
	enum frames_fault fault;

	if (!pg->connection)
		return pg_closed(pg);
	fault = put_batch(pg);
	if (fault == FRAMES_FAULTS)
		fault = pg_run(pg, "NOTIFY popbox");
	if (fault != FRAMES_FAULTS)
		return pg_end(pg, fault);
	return pg_end(pg, pg_run_commit(pg));
}

enum frames_fault pg_rollback(struct pg *pg)
{
	if (!pg->connection)
		return pg_closed(pg);
	return pg_end(pg, pg_run(pg, "ROLLBACK"));
}

enum frames_fault pg_settle(struct pg *pg, uint64_t number, bool *ret_there,
			    uint8_t ret_token[FRAMES_TOKEN])
{
	enum frames_fault fault;
	PGresult *result;

	if (!pg->connection)
		return pg_closed(pg);
	fault = pg_run(pg, "BEGIN");
	/* Our own session may still be committing: it has this lock. */
	if (fault == FRAMES_FAULTS)
		fault = pg_run(pg, "SELECT 1 FROM popbox.site FOR UPDATE");
	if (fault != FRAMES_FAULTS)
		return pg_end(pg, fault);
	result = ask(pg, "SELECT token FROM popbox.change WHERE number = $1",
		     number);
	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		*ret_there = PQntuples(result) == 1 &&
			     get_token(result, 0, ret_token);
	}
	fault = pg_judge(pg, result);
	/* The lock is a write: this waits for the standbys, and they have all that
	 * was committed before. */
	if (fault == FRAMES_FAULTS)
		fault = pg_run_commit(pg);
	return pg_end(pg, fault == FRAMES_UNKNOWN ? FRAMES_AWAY : fault);
}
