/* SPDX-License-Identifier: MIT */
/* stats.h: what there is of everything, counted over the store in handfuls, so
 * that neither a snapshot nor the accounts are held; of each customer one line
 * is.
 */
#ifndef POPBOX_STATS_H
#define POPBOX_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store_whole.h"

/* How long ago, in days: less than 1, 7, 30, 90, 365; longer; never. */
enum {
	STATS_TODAY,
	STATS_WEEK,
	STATS_MONTH,
	STATS_QUARTER,
	STATS_YEAR,
	STATS_LONGER,
	STATS_NEVER,
	STATS_CLASSES,
};

struct stats_handle {
	struct name_handle name;
	bool suspended;
	uint64_t domains, boxes, off, without_password, never, quota, full, mail;
};

enum { STATS_SCHEMES = 32, STATS_HANDFUL = 64 };

struct stats_scheme {
	const char *name; /* static */
	uint64_t boxes;
};

struct stats_seen {
	struct name_box name;
	size_t handle; /* index */
	struct store_quota quota; /* what holds for it */
};

struct stats {
	/* what is asked for */
	int64_t now;
	bool one, mail;
	struct name_handle only; /* if one */
	/* what was counted */
	bool suspends; /* a domain or a handle may suspend boxes */
	struct stats_handle *handle; /* malloc'ed, in order */
	size_t handles, room;
	struct stats_scheme scheme[STATS_SCHEMES];
	uint64_t password[STATS_CLASSES]; /* changed when */
	uint64_t login[STATS_CLASSES];
	uint64_t unknown; /* boxes that could not be looked at */
	struct store_size size;
	uint8_t id[STORE_ID_SIZE];
	uint64_t journal, published;
	/* the last handful */
	struct stats_seen box[STATS_HANDFUL];
	size_t seen;
	struct name_box last;
	bool started;
};

/* Bodies for store_read; arg is a struct stats. First handles, domains, sizes;
 * then boxes, a handful each time, ERR_NOTFOUND with the last one. */
store_body stats_start_body, stats_boxes_body;

/* What popusr saw of a box; 0: nobody ever logged in. */
void stats_login(struct stats *stats, size_t handle, int64_t last);
void stats_mail(struct stats *stats, size_t handle, uint64_t bytes);
/* It has no room for another message. */
void stats_full(struct stats *stats, size_t handle);

void stats_free(struct stats *stats);

#endif
