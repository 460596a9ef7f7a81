/* SPDX-License-Identifier: MIT */
/* pg_site.c: a new central database, and what hosts say of themselves. */
#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/central_schema.h"
#include "pg_private.h"

/* Where nothing confirms a commit but the server itself, a failover loses it. */
static enum frames_fault judge_standbys(struct pg *pg)
{
	PGresult *result =
		PQexec(pg->connection, "SHOW synchronous_standby_names");
	const bool none = PQresultStatus(result) == PGRES_TUPLES_OK &&
			  !PQgetvalue(result, 0, 0)[0];
	const enum frames_fault fault = pg_judge(pg, result);

	if (fault != FRAMES_FAULTS || !none)
		return fault;
	return pg_say(
		pg, FRAMES_OTHER,
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
	const bool there =
		PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result);

	fault = pg_judge(pg, result);
	for (size_t i = 0; fault == FRAMES_FAULTS && !there && i < count; i++)
		fault = pg_run(pg, central_schema[i]);
	return fault;
}

static enum frames_fault insert_site(struct pg *pg, const struct pg_head *head)
{
	const uint32_t format = htonl(head->format);
	const Oid types[] = {PG_BYTEA, PG_INT4};
	const char *values[] = {(const char *)head->id, (const char *)&format};
	const int lens[] = {FRAMES_ID, sizeof format}, binary[] = {1, 1};
	enum frames_fault fault = pg_judge(
		pg, PQexecParams(pg->connection,
				 "INSERT INTO popbox.site (id, format) "
				 "VALUES ($1, $2)",
				 2, types, values, lens, binary, 1));

	if (fault == FRAMES_AGAIN) /* the one row is there */
		return pg_say(
			pg, FRAMES_OTHER,
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
		return pg_closed(pg);
	if (!one_server)
		fault = judge_standbys(pg);
	if (fault == FRAMES_FAULTS)
		fault = pg_run(pg, "BEGIN");
	if (fault == FRAMES_FAULTS)
		fault = make_tables(pg);
	if (fault == FRAMES_FAULTS)
		fault = insert_site(pg, head);
	pg_forget_rows(pg);
	pg->number = head->number;
	if (fault == FRAMES_FAULTS && head->number)
		fault = pg_insert_change(pg, head->number, 0, head->token);
	return pg_end(pg, fault);
}

static enum frames_fault put_host(struct pg *pg, uint64_t number,
				  uint64_t pending, const char *version,
				  const char *said)
{
	const uint64_t numbers[] = {htobe64(number), htobe64(pending)};
	const Oid types[] = {PG_TEXT, PG_INT8, PG_INT8, PG_TEXT, PG_TEXT};
	const char *values[] = {pg->host, (const char *)&numbers[0],
				(const char *)&numbers[1], version, said};
	const int lens[] = {(int)strlen(pg->host), 8, 8, (int)strlen(version),
			    (int)strlen(said)};
	const int binary[] = {1, 1, 1, 1, 1};

	return pg_judge(
		pg, PQexecParams(pg->connection,
				 "INSERT INTO popbox.host (name, number, "
				 "pending, version, said) VALUES ($1, $2, "
				 "$3, $4, $5) ON CONFLICT (name) DO UPDATE "
				 "SET number = EXCLUDED.number, pending = "
				 "EXCLUDED.pending, version = "
				 "EXCLUDED.version, said = EXCLUDED.said, "
				 "seen = now()",
				 5, types, values, lens, binary, 1));
}

enum frames_fault pg_host(struct pg *pg, uint64_t number, uint64_t pending,
			  const char *version, const char *said)
{
	enum frames_fault fault;

	if (!pg->connection)
		return pg_closed(pg);
	/* A follower does not wait for a standby that is away. */
	fault = pg_run(pg, "BEGIN; SET LOCAL synchronous_commit = off");
	if (fault == FRAMES_FAULTS)
		fault = put_host(pg, number, pending, version, said);
	if (fault == FRAMES_FAULTS)
		fault = pg_run(pg, "COMMIT");
	return pg_end(pg, fault);
}

enum frames_fault pg_hosts(struct pg *pg, pg_host_sink *sink, void *arg)
{
	PGresult *result;
	bool goes_on = true;

	if (!pg->connection)
		return pg_closed(pg);
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
	return pg_end(pg, pg_judge(pg, result));
}

/* The one number that a statement answers; or how many rows it concerned. */
static enum frames_fault count(struct pg *pg, const char *sql,
			       uint64_t argument, uint64_t *ret_count)
{
	const uint64_t big = htobe64(argument);
	const Oid type = PG_INT8;
	const char *value = (const char *)&big;
	const int len = sizeof big, binary = 1;
	PGresult *result = PQexecParams(pg->connection, sql, 1, &type, &value,
					&len, &binary, 0);
	const char *text = PQresultStatus(result) == PGRES_TUPLES_OK &&
					   PQntuples(result) == 1
				   ? PQgetvalue(result, 0, 0)
				   : PQcmdTuples(result);

	*ret_count = strtoull(text, NULL, 10);
	return pg_judge(pg, result);
}

enum frames_fault pg_tidy(struct pg *pg, uint32_t days,
			  struct pg_tidied *ret_tidied)
{
	struct pg_tidied t = {0, 0, 0};
	uint64_t ignored;
	enum frames_fault fault;

	if (!pg->connection)
		return pg_closed(pg);
	fault = pg_run(pg, "BEGIN");
	if (fault == FRAMES_FAULTS)
		fault = pg_run(pg, "SELECT 1 FROM popbox.site FOR UPDATE");
	if (fault == FRAMES_FAULTS)
		fault = count(
			pg,
			"DELETE FROM popbox.host WHERE seen < now() - $1 * "
			"interval '1 day'",
			days, &t.hosts);
	/* No host: nobody has said how far he is. */
	if (fault == FRAMES_FAULTS)
		fault = count(pg,
			      "SELECT coalesce(least(min(h.number), (SELECT "
			      "max(number) FROM popbox.change)), $1) FROM "
			      "popbox.host h",
			      0, &t.floor);
	if (fault == FRAMES_FAULTS)
		fault = count(pg,
			      "DELETE FROM popbox.row WHERE row IS NULL AND "
			      "number <= $1",
			      t.floor, &t.rows);
	if (fault == FRAMES_FAULTS)
		fault = count(pg,
			      "UPDATE popbox.site SET floor = greatest(floor, "
			      "$1)",
			      t.floor, &ignored);
	if (fault == FRAMES_FAULTS)
		fault = pg_run(pg, "COMMIT");
	if (fault == FRAMES_FAULTS)
		*ret_tidied = t;
	return pg_end(pg, fault);
}
