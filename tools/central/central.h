/* SPDX-License-Identifier: MIT */
/* central.h: the central database, for popbox: popbox-central is asked, a child with
 * a user of its own that alone knows the network (base/frames.h).
 *
 * Where a call answers other than CENTRAL_OK, central_why says more. Nothing here
 * speaks, or changes the store.
 */
#ifndef POPBOX_CENTRAL_H
#define POPBOX_CENTRAL_H

#include "base/frames.h"
#include "store/config.h"
#include "store/store_draft.h"

struct central;

enum central_answer {
	CENTRAL_OK,
	CENTRAL_AWAY,	 /* cannot be reached */
	CENTRAL_BUSY,	 /* another popbox holds it */
	CENTRAL_AGAIN,	 /* from the start, please */
	CENTRAL_DENIED,	 /* the role may not */
	CENTRAL_NONE,	 /* there is none in that database */
	CENTRAL_UNKNOWN, /* done or not: nobody can tell */
	CENTRAL_OTHER,
	CENTRAL_SYSTEM,	 /* popbox-central cannot be used */
	CENTRAL_STORE,	 /* the rows could not be kept here; errno */
};

/* Starts the child; before a store is opened. conninfo and config must outlive it.
 * CENTRAL_SYSTEM: *ret_central is NULL and ret_why says why. */
MUST_USE enum central_answer central_start(const struct config *config,
				    const char *conninfo,
				    struct central **ret_central,
				    char ret_why[FRAMES_TEXT]);
/* Accepts NULL; leaves NULL. */
void central_stop(struct central **central);
const char *central_why(const struct central *central);
/* By which name this machine is known to others: the setting, or the nodename. */
const char *central_host(const struct central *central);

/* Connects, if it is not; a lost connection is made anew by the next call. */
MUST_USE enum central_answer central_open(struct central *central);

/* What a pull says before its rows. */
struct central_head {
	uint8_t id[STORE_ID_SIZE];
	uint64_t format;
	uint64_t floor;
	int64_t now;  /* its clock */
	bool standby; /* may be behind */
	struct store_head head;
	bool has_mark; /* the change that was asked for is in the chain; */
	uint8_t mark[STORE_TOKEN_SIZE]; /* its token */
};

/* Rows of changes after a number go into set, which is cleared first. */
MUST_USE enum central_answer central_pull(struct central *central, uint64_t after,
				   enum frames_pull how,
				   struct central_head *ret_head,
				   struct store_writeset *set);

/* After a pull with FRAMES_LOCKED: one change, or none. */
MUST_USE enum central_answer central_append(struct central *central,
				     const struct store_head *head,
				     uint64_t after,
				     const struct store_writeset *set);
void central_rollback(struct central *central);

/* What became of a change whose answer was lost: asks for up to half a minute.
 * CENTRAL_OK: *ret_done says it. */
MUST_USE enum central_answer central_settle(struct central *central,
				     const struct store_head *head,
				     bool *ret_done);

/* A new central database with these rows. */
MUST_USE enum central_answer central_init(struct central *central,
				   const uint8_t id[STORE_ID_SIZE],
				   const struct store_head *head,
				   const struct store_writeset *set,
				   bool one_server);

/* Until a change is told, at most so long. */
MUST_USE enum central_answer central_wait(struct central *central, uint32_t ms);

/* What this host says of itself; and what all do. */
MUST_USE enum central_answer central_say(struct central *central, uint64_t number,
				  uint64_t pending, const char *said);
struct central_is_host {
	char name[FRAMES_TEXT], version[FRAMES_TEXT], said[FRAMES_TEXT];
	uint64_t number, pending, seen; /* seconds ago */
};
/* What nobody needs any more goes; hosts that were silent so long take all rows anew
 * when they come back. */
struct central_tidied {
	uint64_t floor, rows, hosts;
};
MUST_USE enum central_answer central_tidy(struct central *central, uint32_t days,
					  struct central_tidied *ret_tidied);
typedef void central_sink(void *arg, const struct central_is_host *host);
MUST_USE enum central_answer central_hosts(struct central *central,
				    central_sink *sink, void *arg);

#endif
