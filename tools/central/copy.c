/* SPDX-License-Identifier: MIT */
#include "copy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/secret.h"

enum { TRIES = 8 };

static enum central_answer say(struct copy *copy, enum central_answer answer,
			       const char *why)
{
	(void)snprintf(copy->why, sizeof copy->why, "%s", why); /* cut */
	return answer;
}

static enum err head_body(struct store_txn *txn, void *arg)
{
	return store_head_get(txn, arg);
}

static enum central_answer read_head(struct copy *copy)
{
	const enum err err = store_read(copy->store, head_body, &copy->head);

	if (err == ERR_OK)
		return CENTRAL_OK;
	if (err == ERR_NOTFOUND)
		return say(copy, CENTRAL_STORE,
			   "this store is no copy of it yet ('popbox cluster "
			   "join' makes it one)");
	return say(copy, CENTRAL_STORE,
		   err == ERR_SYSTEM ? strerror(errno) : err_text(err));
}

static enum err id_body(struct store_txn *txn, void *arg)
{
	return store_id(txn, arg);
}

/* Is it ours, and can it be read here? */
static enum central_answer judge_site(struct copy *copy,
				      const struct central_head *head)
{
	uint8_t id[STORE_ID_SIZE];
	const enum err err = store_read(copy->store, id_body, id);

	if (err != ERR_OK)
		return say(copy, CENTRAL_STORE, err_text(err));
	if (memcmp(id, head->id, sizeof id) != 0)
		return say(copy, CENTRAL_OTHER,
			   "it is that of another site: nothing was taken from "
			   "it ('popbox cluster join' makes this host one of "
			   "its hosts)");
	if (head->format != STORE_FORMAT)
		return say(copy, CENTRAL_OTHER,
			   "its rows are of another format than this popbox "
			   "reads: nothing was taken from it (install the "
			   "popbox of the other hosts)");
	return CENTRAL_OK;
}

static enum central_answer store_said(struct copy *copy, enum err err)
{
	if (err == ERR_OK)
		return CENTRAL_OK;
	if (err == ERR_DAMAGED || err == ERR_SCHEMA)
		return say(copy, CENTRAL_OTHER,
			   "a row of it is damaged, or a change is missing: "
			   "nothing was taken from it ('popbox cluster check' "
			   "on another host finds the row)");
	return say(copy, CENTRAL_STORE,
		   err == ERR_FULL     ? "no space left here"
		   : err == ERR_SYSTEM ? strerror(errno)
				       : err_text(err));
}

enum central_answer copy_rebuild(struct copy *copy, uint64_t was)
{
	struct central_head head;
	enum central_answer answer = central_pull(copy->central, 0, FRAMES_ALL,
						  &head, copy->set);

	if (answer != CENTRAL_OK)
		return say(copy, answer, central_why(copy->central));
	if (head.format != STORE_FORMAT)
		return say(copy, CENTRAL_OTHER,
			   "its rows are of another format than this popbox "
			   "reads");
	answer = store_said(copy, store_rebuild(copy->store, head.id, was,
						&head.head, copy->set));
	if (answer != CENTRAL_OK)
		return answer;
	copy->rebuilt = true;
	copy->was = was;
	copy->rows = store_writeset_count(copy->set);
	copy->head = copy->there = head.head;
	store_writeset_clear(copy->set);
	return CENTRAL_OK;
}

enum branch {
	SAME,
	LATE,
	DEAD,
	OLD, /* of rows that went since then nobody knows any more */
};

/* A change that others saw before a standby had it can be lost with its server; the
 * next one then has its number, and another token. */
static enum branch branch_of(const struct copy *copy,
			     const struct central_head *head)
{
	if (head->floor > copy->head.number)
		return OLD;
	if (head->has_mark && head->head.number >= copy->head.number &&
	    memcmp(head->mark, copy->head.token, sizeof head->mark) == 0)
		return SAME;
	return head->standby && head->head.number < copy->head.number ? LATE
								      : DEAD;
}

/* One pull; with FRAMES_LOCKED its transaction stays open if it answers CENTRAL_OK.
 * *ret_again: another process took the rows meanwhile, or all came anew. */
static enum central_answer pull_once(struct copy *copy, enum frames_pull how,
				     struct central_head *ret_head,
				     bool *ret_again)
{
	enum central_answer answer = read_head(copy);
	enum branch branch;
	enum err err = ERR_OK;

	*ret_again = false;
	if (answer != CENTRAL_OK)
		return answer;
	answer = central_pull(copy->central, copy->head.number, how, ret_head,
			      copy->set);
	if (answer != CENTRAL_OK)
		return say(copy, answer, central_why(copy->central));
	copy->there = ret_head->head;
	answer = judge_site(copy, ret_head);
	branch = branch_of(copy, ret_head);
	if (answer == CENTRAL_OK && branch == SAME &&
	    ret_head->head.number > copy->head.number)
		err = store_apply(copy->store, &copy->head, &ret_head->head,
				  copy->set);
	if (answer == CENTRAL_OK && err == ERR_OK && branch == SAME) {
		copy->rows += store_writeset_count(copy->set);
		copy->head = ret_head->head;
		store_writeset_clear(copy->set);
		return CENTRAL_OK;
	}
	if (how == FRAMES_LOCKED)
		central_rollback(copy->central);
	*ret_again = answer == CENTRAL_OK &&
		     (err == ERR_BUSY || branch == DEAD || branch == OLD);
	copy->was_old = copy->was_old || branch == OLD;
	if (answer == CENTRAL_OK && (branch == DEAD || branch == OLD))
		return copy_rebuild(copy, copy->head.number);
	if (answer == CENTRAL_OK && branch == LATE && how == FRAMES_LOCKED)
		return say(copy, CENTRAL_AWAY, "only a standby answers");
	return answer == CENTRAL_OK && err != ERR_BUSY ? store_said(copy, err)
						       : answer;
}

static enum central_answer pull(struct copy *copy, enum frames_pull how,
				struct central_head *ret_head)
{
	enum central_answer answer = CENTRAL_OK;
	bool again = true;

	copy->why[0] = 0;
	copy->rebuilt = copy->was_old = false;
	copy->rows = 0;
	for (int i = 0; again && i < TRIES; i++) {
		answer = pull_once(copy, how, ret_head, &again);
		again = again && answer == CENTRAL_OK;
	}
	return again ? say(copy, CENTRAL_BUSY,
			   "another process takes its rows all the time")
		     : answer;
}

enum central_answer copy_pull(struct copy *copy)
{
	struct central_head head;

	return pull(copy, FRAMES_NEWER, &head);
}

struct writing {
	const struct store_actor *actor;
	store_body *body;
	void *arg;
	uint64_t last;
	enum err err; /* what the body answered */
};

/* The answer of the commit was lost: what became of it? CENTRAL_AGAIN: it was not
 * made. */
static enum central_answer settle(struct copy *copy,
				  const struct store_head *head)
{
	bool done = false;
	enum central_answer answer =
		central_settle(copy->central, head, &done);

	if (answer != CENTRAL_OK)
		return CENTRAL_UNKNOWN;
	return done ? CENTRAL_OK : CENTRAL_AGAIN;
}

static enum central_answer append(struct copy *copy,
				  const struct store_head *head)
{
	enum central_answer answer = central_append(
		copy->central, head, copy->head.number, copy->set);

	if (answer != CENTRAL_OK)
		(void)say(copy, answer, central_why(copy->central));
	return answer == CENTRAL_UNKNOWN ? settle(copy, head) : answer;
}

/* The change is in the chain: this host has it before the command ends. A follower
 * may have been faster. */
static enum err take(struct copy *copy, const struct store_head *head)
{
	enum err err = store_apply(copy->store, &copy->head, head, copy->set);

	if (err != ERR_BUSY)
		return err;
	return copy_pull(copy) == CENTRAL_OK &&
			       copy->head.number >= head->number
		       ? ERR_OK
		       : ERR_BUSY;
}

static enum central_answer write_once(struct copy *copy, struct writing *w)
{
	struct central_head there;
	struct store_head head;
	enum central_answer answer = pull(copy, FRAMES_LOCKED, &there);

	w->err = ERR_OK;
	w->last = 0;
	if (answer != CENTRAL_OK)
		return answer;
	secret_random(head.token, sizeof head.token);
	w->err = store_draft(copy->store, w->actor, there.now, &copy->head,
			     head.token, w->body, w->arg, copy->set, &w->last);
	head.number = w->last;
	if (w->err != ERR_OK || !w->last) {
		central_rollback(copy->central);
		return CENTRAL_OK;
	}
	answer = append(copy, &head);
	if (answer == CENTRAL_OK)
		w->err = take(copy, &head);
	if (answer == CENTRAL_OK && w->err != ERR_OK) {
		(void)say(copy, CENTRAL_STORE,
			  "the change is made, but could not be taken into "
			  "this host's copy ('popbox follow --once' does it)");
		return CENTRAL_STORE;
	}
	return answer;
}

static enum err explain(struct copy *copy, enum central_answer answer)
{
	char text[480];
	const char *why = copy->why;

	switch (answer) {
	case CENTRAL_OK:
		return ERR_OK;
	case CENTRAL_AWAY:
	case CENTRAL_SYSTEM:
		(void)snprintf(text, sizeof text,
			       "the central database cannot be reached "
			       "(%.250s): nothing was changed; logins go on",
			       why);
		break;
	case CENTRAL_BUSY:
	case CENTRAL_AGAIN:
		(void)snprintf(text, sizeof text,
			       "another popbox holds the central database: "
			       "nothing was changed (try again)");
		break;
	case CENTRAL_DENIED:
		(void)snprintf(text, sizeof text,
			       "this host only follows: its role in the central "
			       "database changes nothing (%.200s)",
			       why);
		break;
	case CENTRAL_UNKNOWN:
		(void)snprintf(text, sizeof text,
			       "the central database's answer was lost "
			       "(%.200s): whether the store was changed 'popbox "
			       "log' shows, when it can be reached again",
			       why);
		break;
	case CENTRAL_STORE:
		(void)snprintf(text, sizeof text, "central database: %.400s",
			       why);
		break;
	case CENTRAL_NONE:
	case CENTRAL_OTHER:
		(void)snprintf(text, sizeof text,
			       "the central database: %.350s: nothing was "
			       "changed",
			       why);
		break;
	}
	store_explain(copy->store, ERR_SYSTEM, text);
	return ERR_SYSTEM;
}

enum err copy_write(struct copy *copy, const struct store_actor *actor,
		    store_body *body, void *arg, uint64_t *ret_last)
{
	struct writing w = {.actor = actor, .body = body, .arg = arg};
	enum central_answer answer = CENTRAL_AGAIN;

	for (int i = 0; answer == CENTRAL_AGAIN && i < TRIES; i++) {
		answer = write_once(copy, &w);
		/* A follower was between the pull and the draft. */
		if (answer == CENTRAL_OK && w.err == ERR_BUSY && !w.last)
			answer = CENTRAL_AGAIN;
	}
	store_writeset_clear(copy->set);
	if (answer != CENTRAL_OK)
		return explain(copy, answer);
	if (w.err == ERR_OK && !w.last) /* a host's own alone, if anything */
		return store_write(copy->store, actor, body, arg, true,
				   ret_last);
	if (w.err == ERR_OK)
		*ret_last = w.last;
	return w.err;
}
