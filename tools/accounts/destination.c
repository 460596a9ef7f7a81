/* SPDX-License-Identifier: MIT */
#include "destination.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "follow.h"
#include "resolve.h"

struct judge {
	struct store_txn *txn;
	char name[NAME_ADDRESS_TEXT];
	enum destination_dead dead;
};

static enum err on_end(void *arg, const struct follow *follow)
{
	struct judge *judge = arg;

	if (follow->end == FOLLOW_LOOP)
		return store_refuse(judge->txn, ERR_INVALID,
				    "it would be a loop, and qmail bounces a "
				    "looping message: %s",
				    follow->loop);
	/* What is wrong further on was so before. */
	if (judge->dead == DESTINATION_TAKE || !follow_is_dead(follow->end) ||
	    strcmp(follow->from, judge->name) != 0)
		return ERR_OK;
	return store_refuse(judge->txn, ERR_INVALID,
			    "'%s' leads nowhere: %s%s", follow->target,
			    follow_text(follow->end),
			    judge->dead == DESTINATION_OFFER
				    ? " (--force takes a target that comes "
				      "later)"
				    : "");
}

enum err destination_judge(struct store_txn *txn,
			   const struct name_address *name,
			   enum destination_dead dead)
{
	struct judge judge = {.txn = txn, .dead = dead};

	name_address_text(name, judge.name);
	return follow(txn, name, on_end, &judge);
}

struct check {
	struct store_txn *txn;
	store_report *report;
	void *arg;
	unsigned long found;
	char name[NAME_ADDRESS_TEXT]; /* the address that is looked at */
	bool looped;		      /* that was told of it */
	struct resolve resolve;
};

static void found(struct check *check, unsigned rule, const char *what)
{
	check->found++;
	check->report(check->arg, rule, check->name, what);
}

static void found_dead(struct check *check, const char *forward,
		       enum follow_end end)
{
	char text[2 * NAME_ADDRESS_TEXT + 160];

	(void)snprintf(text, sizeof text,
		       "it leads to '%.*s': %s ('popbox address set' changes "
		       "it)",
		       NAME_ADDRESS_TEXT, forward, follow_text(end));
	found(check, DESTINATION_RULE_DEAD, text);
}

static enum err on_loop(void *arg, const struct follow *follow)
{
	char text[4 * NAME_ADDRESS_TEXT];

	struct check *check = arg;

	if (follow->end != FOLLOW_LOOP || !follow->on_loop || check->looped)
		return ERR_OK;
	check->looped = true;
	(void)snprintf(text, sizeof text, "loop: %s", follow->loop);
	found(check, DESTINATION_RULE_LOOP, text); /* cut is enough */
	return ERR_OK;
}

/* *ret_on: it leads to an address that leads on. */
static enum err check_forward(struct check *check, const char *forward,
			      bool *ret_on)
{
	enum err err = resolve_address(check->txn, forward, &check->resolve);

	if (err != ERR_OK)
		return err;
	switch (check->resolve.kind) {
	case RESOLVE_NOBODY:
		found_dead(check, forward, FOLLOW_NOBODY);
		break;
	case RESOLVE_DELETED:
		found_dead(check, forward, FOLLOW_DELETED);
		break;
	case RESOLVE_CLOSED:
		found_dead(check, forward, FOLLOW_CLOSED);
		break;
	case RESOLVE_ADDRESS:
	case RESOLVE_CATCHALL:
		*ret_on |= check->resolve.address.forwards_len > 0;
		break;
	case RESOLVE_ROUTED:
	case RESOLVE_FOREIGN:
		break;
	}
	return ERR_OK;
}

static enum err on_forwarder(void *arg, const struct store_address *address)
{
	struct check *check = arg;
	bool on = false;
	enum err err = ERR_OK;

	check->looped = false;
	name_address_text(&address->name, check->name);
	for (size_t at = 0; err == ERR_OK && at < address->forwards_len;
	     at += strlen(address->forwards + at) + 1)
		err = check_forward(check, address->forwards + at, &on);
	if (err == ERR_OK && on)
		err = follow(check->txn, &address->name, on_loop, check);
	return err;
}

enum err destination_check(struct store_txn *txn, store_report *report,
			   void *arg, unsigned long *found_count)
{
	struct check *check = calloc(1, sizeof *check);
	enum err err;

	if (!check)
		return ERR_SYSTEM;
	check->txn = txn;
	check->report = report;
	check->arg = arg;
	err = store_forwarders(txn, on_forwarder, check);
	*found_count += check->found;
	free(check);
	return err;
}
