/* SPDX-License-Identifier: MIT */
/* filter.h: which boxes a command is about: the options of `box list`, and of
 * every command that changes all boxes that fit. A box fits if it fits all
 * options that were given.
 */
#ifndef POPBOX_FILTER_H
#define POPBOX_FILTER_H

#include "accounts/domain_boxes.h"
#include "accounts/holds.h"
#include "accounts/site.h"
#include "args.h"

#define FILTER_OPTIONS                                                        \
	{"--handle", "H", "only boxes of this handle"},                       \
		{"--domain", "D",                                             \
		 "only boxes with an address in this domain"},                \
		{"--suspended", NULL,                                         \
		 "only boxes that cannot log in, whatever is suspended"},     \
		{"--never", NULL, "only boxes that nobody ever logged into"}, \
		{"--idle", "DAYS",                                            \
		 "only boxes without a login for so many days"},              \
		{"--hash", "SCHEME",                                          \
		 "only boxes whose password hash is of this scheme"},         \
		{"--expired", NULL,                                           \
		 "only boxes whose logins have ended, by whatever level"},    \
		{"--expiring", "SPAN",                                        \
		 "only boxes whose logins end within SPAN, as 14d"},          \
	{                                                                     \
		"--match", "TEXT",                                            \
			"only boxes with TEXT in number, name or an address"  \
	}

/* All zero: every box fits. Free it with filter_free. */
struct filter {
	bool by_handle, by_domain;
	struct name_handle handle;
	struct name_domain domain;
	bool suspended;
	struct holds_off off; /* as it was when filter_next began */
	int64_t ends_after, ends_upto; /* when logins end; 0: whenever */
	const char *scheme; /* static; NULL: any */
	const char *match;  /* the caller's; NULL: any */
	bool look;	    /* the last login is asked about, popusr's file */
	bool never;
	int64_t before; /* idle since before this moment; 0: any */
	struct domain_boxes
		members; /* of the domain, once they are collected */
};

/* Where filter_next goes on; all zero: at the beginning. */
struct filter_place {
	bool started;
	struct name_box last;
	size_t next; /* of the members */
};

struct filter_box {
	struct store_box box;
	bool has_address;
	struct name_address address; /* its best, in the domain asked for */
};

/* The options of a command line. Says what is wrong; returns the exit code. */
int filter_read(const struct args *args, struct filter *ret_filter);
void filter_free(struct filter *filter);

/* Is one of them given? */
bool filter_given(const struct args *args);

/* In a body: the next boxes that fit by what the store knows, in the order of
 * their names, at most so many; ERR_NOTFOUND: behind them there is none. The caller
 * copies *place and keeps the copy when the body has ended. */
MUST_USE enum err filter_next(struct store_txn *txn, struct filter *filter,
			      struct filter_place *place, size_t most,
			      struct filter_box *ret_boxes, size_t *ret_count);

/* Does this box still fit by what the store knows? It is in *ret_box then. */
MUST_USE enum err filter_again(struct store_txn *txn,
			       const struct filter *filter,
			       const struct name_box *name,
			       struct store_box *ret_box, bool *ret_fits);

/* Outside of bodies, from a site with its helper: when was the last login, and
 * from where? 0: never. What cannot be read is said; then an errno. */
int filter_last_login(const struct site *site, const struct name_box *box,
		      int64_t *ret_last, char ret_ip[MAILROOT_IP_MAX + 1]);

/* Does a box with this last login fit? One that nobody ever logged into is idle
 * since it was made. */
bool filter_fits_login(const struct filter *filter, const struct store_box *box,
		       int64_t last);

/* The schemes that --hash knows, as `popbox stats` names them; NULL ends. */
const char *filter_scheme(size_t number);

#endif
