/* SPDX-License-Identifier: MIT */
/* pg.h: the central database in PostgreSQL: the only files that know libpq are pg*.c.
 *
 * Each call answers FRAMES_FAULTS when all is well, else the fault, and pg_why says
 * more. A fault ends the transaction; after FRAMES_AWAY and FRAMES_UNKNOWN the connection
 * is gone, and only pg_open is of use.
 */
#ifndef POPBOX_PG_H
#define POPBOX_PG_H

#include "base/frames.h"

struct pg;

struct pg *pg_new(void); /* NULL: no memory */
void pg_free(struct pg **pg);
const char *pg_why(const struct pg *pg);

/* conninfo as libpq takes it: several hosts, target_session_attrs (read-write, if it
 * says nothing), TLS with sslmode=verify-full but on a socket of this machine, no
 * password. */
enum frames_fault pg_open(struct pg *pg, const char *conninfo, const char *host);

struct pg_head {
	uint8_t id[FRAMES_ID];
	uint32_t format;
	uint64_t floor;
	uint64_t now; /* seconds since 1970, by its clock */
	bool standby;
	uint64_t number;
	uint8_t token[FRAMES_TOKEN];
	bool has_mark;
	uint8_t mark[FRAMES_TOKEN];
};

struct pg_row {
	uint8_t table;
	const uint8_t *key, *row; /* row NULL: deleted */
	size_t key_len, row_len;
};
typedef bool pg_sink(void *arg, const struct pg_row *row);

/* One snapshot: the head, then rows. With FRAMES_LOCKED its transaction stays open,
 * for an append or a rollback. */
enum frames_fault pg_head(struct pg *pg, uint64_t after, enum frames_pull how,
			struct pg_head *ret_head);
enum frames_fault pg_rows(struct pg *pg, uint64_t after, enum frames_pull how,
			pg_sink *sink, void *arg);
enum frames_fault pg_pull_end(struct pg *pg, enum frames_pull how);

/* The change, its rows, and the end: the commit. */
enum frames_fault pg_append(struct pg *pg, uint64_t number, uint64_t after,
			  const uint8_t token[FRAMES_TOKEN]);
enum frames_fault pg_put(struct pg *pg, const struct pg_row *row);
enum frames_fault pg_commit(struct pg *pg);
enum frames_fault pg_rollback(struct pg *pg);

/* A new central database; rows follow by pg_put, then pg_commit. one_server: without
 * a synchronous standby too. */
enum frames_fault pg_init(struct pg *pg, const struct pg_head *head,
			bool one_server);

/* Which token a change has. Waits for who may be committing it. */
enum frames_fault pg_settle(struct pg *pg, uint64_t number, bool *ret_there,
			  uint8_t ret_token[FRAMES_TOKEN]);

/* Until a change is told, or so long. */
enum frames_fault pg_wait(struct pg *pg, uint32_t ms);

enum frames_fault pg_host(struct pg *pg, uint64_t number, uint64_t pending,
			const char *version, const char *said);
struct pg_host {
	const char *name, *version, *said;
	uint64_t number, pending, seen; /* seconds ago */
};
/* Hosts that were silent for so many days are forgotten, and deleted rows that all
 * others have taken; whoever stands below the floor then takes all rows anew. */
struct pg_tidied {
	uint64_t floor, rows, hosts;
};
enum frames_fault pg_tidy(struct pg *pg, uint32_t days,
			  struct pg_tidied *ret_tidied);

typedef bool pg_host_sink(void *arg, const struct pg_host *host);
enum frames_fault pg_hosts(struct pg *pg, pg_host_sink *sink, void *arg);

#endif
