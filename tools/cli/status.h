/* SPDX-License-Identifier: MIT */
/* status.h: what there is to know of a site at a glance. It costs what is
 * pending, deleted, a handle or a domain, but not what the boxes
 * are; where an address expires within a week a look at each address.
 */
#ifndef POPBOX_STATUS_H
#define POPBOX_STATUS_H

#include <sys/types.h>

#include "accounts/site.h"
#include "loginlog.h"
#include "publish/pending.h"
#include "qmail/notify.h"

enum { STATUS_HOUR = 3600, STATUS_WEEK = 7 * 86400, STATUS_ENDS = 3 };

/* An address that expires soon, or has. */
struct status_end {
	char address[NAME_ADDRESS_TEXT];
	int64_t time;
};

struct status {
	int64_t now;
	uint64_t handles, domains, boxes, addresses; /* rows */
	struct pending pending;
	bool publishing; /* somebody is at it now */
	int64_t published, backup; /* the last; 0: not known */
	bool qmail;		   /* there is one */
	enum notify_state send;
	pid_t pid; /* of qmail-send, if it runs */
	uint64_t handles_off, domains_off; /* whose login is off */
	/* Whose logins have ended, or do within a week. */
	uint64_t handles_ended, domains_ended, handles_ending, domains_ending;
	uint64_t gone_domains, gone_addresses, gone_boxes; /* deleted */
	uint64_t lasting; /* of the addresses: they bounce on */
	uint64_t ripe;	  /* of all deleted: purge would take it */
	int64_t next;	  /* when the next one is; 0: none */
	struct status_end end[STATUS_ENDS]; /* the first of those below */
	uint64_t ending;  /* addresses that expire within a week */
	uint64_t ended;	  /* that have, and are on yet */
	bool no_filter; /* of breached passwords, which the settings name */
	bool has_log;
	struct loginlog log;
	char no_log[LOGINLOG_WHY];
};

/* log: a file, or NULL. Free its pending afterwards. Returns the exit code. */
int status_collect(struct site *site, const char *log,
		   struct status *ret_status);

/* A time file in the store's directory: now. What it is for is lost with it, no
 * more. */
void status_touch(const char *dir, const char *name);

#define STATUS_BACKUP "last-backup"

#endif
