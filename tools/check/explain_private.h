/* SPDX-License-Identifier: MIT */
/* explain_private.h: one message on its way through qmail; for explain*.c
 * alone.
 *
 * The way begins at the address that was asked for and goes on at each forward
 * to an address of this site. Each such place is a hop. Only the first is
 * printed step by step; of the others the answer and the first broken link.
 */
#ifndef POPBOX_EXPLAIN_PRIVATE_H
#define POPBOX_EXPLAIN_PRIVATE_H

#include <limits.h>

#include "base/json.h"
#include "base/replace.h"
#include "explain.h"
#include "qmail/route.h"

enum {
	WALK_TEXT = 2048,
	WALK_ADDRESS = 1200, /* bytes of an address that is followed */
	WALK_HOPS = 1000,    /* a message is followed no further */
};

struct hop {
	char *address;	/* malloc'ed, as the forward is written */
	size_t from;	/* the hop that forwards to it; of the first: 0 */
	enum explain verdict;
	bool kept;  /* it went somewhere beside the hops that come of it */
	bool got;   /* one of those hops got somewhere */
	bool waits; /* one of them waits */
	bool local; /* one of them is a user's of this machine */
};

/* Programs that have files of their own and are users of their own. */
enum walk_program { WALK_SMTPD, WALK_SEND, WALK_REMOTE };

struct walk {
	struct site *site;
	struct hop *hop;
	size_t hops, room, at; /* at: the hop that is walked now */
	char address[WALK_ADDRESS]; /* of this hop, as qmail-send rewrites it */
	const char *local, *domain; /* its two parts */
	char broken[WALK_TEXT]; /* the first broken link of all */
	char here[WALK_TEXT];	/* the first of this hop */
	char reached[WALK_TEXT]; /* the first target of this hop */
	char file[PATH_MAX];	/* the .qmail file of this hop, or "" */
	enum explain verdict;	/* of this hop */
	bool kept;		/* as of a hop */
	int unsure; /* errno of what kept us from looking, or 0 */
	json_t *targets; /* of the first hop */
	char path[PATH_MAX]; /* what is looked at */
	enum walk_program program; /* whose user opens it */
	uid_t uid;	     /* who qmail-local is at this hop */
	gid_t gid;
	bool hidden; /* popusr may not look at what that user may */
	bool unseen; /* that was so at this hop */
	struct wanted *wanted; /* of this hop, by the store */
	bool ours;	       /* the store has its domain */
};

/* Has this hop of the walk steps that are printed? */
static inline bool walk_speaks(const struct walk *walk)
{
	return walk->at == 0;
}

/* One step: its name, and what is said of it. */
__attribute__((format(printf, 4, 5))) void walk_step(struct walk *walk,
						     bool good,
						     const char *name,
						     const char *format, ...);
/* Of all hops. */
__attribute__((format(printf, 4, 5))) void walk_say(struct walk *walk,
						    bool good, const char *name,
						    const char *format, ...);

/* walk->path could not be read, rc says why: as qmail cannot, so that mail waits;
 * but what we alone have too little of tells nothing. Returns false. */
bool walk_unread(struct walk *walk, const char *name, int rc);
/* walk->path has this fault, for which qmail lets the mail wait. Returns
 * false. */
bool walk_defer(struct walk *walk, const char *name, const char *why);
/* Notes it if so. */
bool walk_unsure(struct walk *walk, int rc);

/* Where the message goes. */
void walk_target(struct walk *walk, const char *text);
/* It goes to another address, maybe one of this site. */
void walk_forward(struct walk *walk, const char *address);

/* One of qmail's files; one that is not there has bytes NULL. 0 or an errno. */
int walk_read(struct walk *walk, const char *name,
	      struct replace_text *ret_text);
/* The same, as the user of walk->program. False: it cannot be read, and that is
 * the broken link. */
bool walk_load(struct walk *walk, const char *name,
	       struct replace_text *ret_text);
/* Is it there, and closed to that user? Then that is the broken link. */
bool walk_closed(struct walk *walk, const char *name);
/* Says so if qmail-send delivers nothing by this number of deliveries at a time,
 * and the mail waits. */
void walk_concurrency(struct walk *walk, const char *name);
/* Does a program go on to look at a message? False: said which file it lacks. From
 * now on it is walk->program. */
bool walk_starts(struct walk *walk, enum walk_program which);
static inline struct route_text walk_text(const struct replace_text *text)
{
	return (struct route_text){text->bytes, text->len};
}
/* How much of a line is shown. */
static inline int walk_width(size_t len)
{
	return len < 400 ? (int)len : 400;
}

/* Does qmail-smtpd take mail for it? */
bool walk_accept(struct walk *walk);

/* Where qmail-send routes it: true with the local part that qmail-lspawn gets,
 * false when the message goes no further on this machine. */
bool walk_route(struct walk *walk, char *ret_local, size_t room);

/* Who gets it, by users/cdb or else by qmail-getpw; then that user's part. */
void walk_user(struct walk *walk, const char *local);

/* What qmail-local does for this user: directory, .qmail file, its lines. */
void walk_deliver(struct walk *walk, const struct route_user *user);

/* What that user may do with walk->path. A file's text has room for one more
 * byte than *len. 0 or an errno; EACCES with walk->hidden: popusr cannot tell. */
struct sight {
	mode_t mode;
	dev_t device;
	int64_t size;
	int may; /* R_OK, W_OK, X_OK */
};
int walk_see(struct walk *walk, struct sight *ret_sight, char *text,
	     size_t *len);

/* The lines of a .qmail file that takes mail: what becomes of it. */
struct delivery {
	const struct route_user *user;
	bool forwards_only; /* a file or program line defers the mail */
};
void walk_lines(struct walk *walk, struct delivery *delivery, char *text,
		size_t len);

/* Into this Maildir, whose path ends in a slash, or this mbox. */
bool walk_maildir(struct walk *walk, const struct route_user *user,
		  const char *line);
bool walk_mbox(struct walk *walk, const struct route_user *user,
	       const char *line);

/* What the store wants of this hop; false: it cannot be told. Ended by
 * walk_asked. */
bool walk_ask(struct walk *walk);
void walk_asked(struct walk *walk);
/* That against what was found on qmail's way. */
void walk_compare(struct walk *walk);
/* The same of the files alone, where the message does not get so far. */
void walk_compare_files(struct walk *walk);
/* The way on a machine without qmail: by what the store says. */
void walk_without_qmail(struct walk *walk);
/* Which switches are off, and what was deleted: when, by whom, why. */
void walk_history(struct walk *walk);

#endif
