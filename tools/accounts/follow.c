/* SPDX-License-Identifier: MIT */
#include "follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolve.h"

/* An address that was met; it is on the way as long as its forwards are being
 * followed. */
struct met {
	struct name_address name;
	size_t forward; /* the next one, an offset into the row's forwards */
	size_t before;	/* who leads to it; of the first: itself */
	bool on_way;
};

struct walk {
	struct store_txn *txn;
	follow_found *found;
	void *arg;
	struct met *met;
	size_t count, room;
	struct resolve resolve;	    /* of the forward that is looked at */
	struct store_address address; /* the row of the address on top */
};

enum {
	LOOP_FIRST = 3, /* of a long loop that many are named, and the last */
	LOOP_TEXT = (LOOP_FIRST + 2) * (NAME_ADDRESS_TEXT + 20)
};

static enum err tell(struct walk *walk, const struct name_address *from,
		     const char *target, enum follow_end end)
{
	struct follow follow = {.end = end};
	const size_t len = strnlen(target, sizeof follow.target - 1);

	name_address_text(from, follow.from);
	memcpy(follow.target, target, len);
	return walk->found(walk->arg, &follow);
}

static bool same(const struct name_address *a, const struct name_address *b)
{
	return strcmp(a->local.s, b->local.s) == 0 &&
	       strcmp(a->domain.s, b->domain.s) == 0;
}

static struct met *find_met(struct walk *walk, const struct name_address *name)
{
	for (size_t i = 0; i < walk->count; i++) {
		if (same(&walk->met[i].name, name))
			return &walk->met[i];
	}
	return NULL;
}

/* From met[first] down to met[top], each of which leads to the next, and back. */
static void say_loop(const struct walk *walk, size_t first, size_t top,
		     char ret_text[LOOP_TEXT])
{
	char name[NAME_ADDRESS_TEXT];
	size_t way[FOLLOW_MAX], steps = 0, len = 0;

	for (size_t at = top;; at = walk->met[at].before) {
		way[steps++] = at;
		if (at == first)
			break;
	}
	for (size_t i = steps; i-- > 0;) {
		if (i && steps - i > LOOP_FIRST) {
			if (steps - i == LOOP_FIRST + 1)
				len += (size_t)snprintf(ret_text + len,
							LOOP_TEXT - len,
							"... leads to ");
			continue;
		}
		name_address_text(&walk->met[way[i]].name, name);
		len += (size_t)snprintf(ret_text + len, LOOP_TEXT - len,
					"%s leads %s", name, i ? "to " : "");
	}
	name_address_text(&walk->met[first].name, name);
	(void)snprintf(ret_text + len, LOOP_TEXT - len, "back to %s",
		       steps > 1 ? name : "itself");
}

static enum err tell_loop(struct walk *walk, const char *target,
			  const struct met *back, size_t top)
{
	const size_t first = (size_t)(back - walk->met);
	struct follow follow = {.end = FOLLOW_LOOP, .on_loop = first == 0};
	const size_t len = strnlen(target, sizeof follow.target - 1);
	char text[LOOP_TEXT];

	say_loop(walk, first, top, text);
	follow.loop = text;
	name_address_text(&walk->met[top].name, follow.from);
	memcpy(follow.target, target, len);
	return walk->found(walk->arg, &follow);
}

/* Puts an address on the way, and tells its box. *top becomes its place. */
static enum err enter(struct walk *walk, const struct name_address *name,
		      size_t *top)
{
	char box[NAME_BOX_TEXT];
	enum err err;

	if (walk->count == walk->room) {
		size_t room = walk->room ? 2 * walk->room : 8;
		struct met *more =
			reallocarray(walk->met, room, sizeof *more);

		if (!more)
			return ERR_SYSTEM;
		walk->met = more;
		walk->room = room;
	}
	err = store_address_get(walk->txn, name, &walk->address);
	if (err != ERR_OK)
		return err;
	walk->met[walk->count] = (struct met){.name = *name,
					      .before = walk->count ? *top : 0,
					      .on_way = true};
	*top = walk->count++;
	if (!walk->address.has_box)
		return ERR_OK;
	name_box_text(&walk->address.box, box);
	return tell(walk, name, box, FOLLOW_BOX);
}

/* One forward of the address on top: an end, or a further address. */
static enum err step(struct walk *walk, const char *forward, size_t *top)
{
	const struct name_address from = walk->met[*top].name;
	const struct name_address *to = &walk->resolve.address.name;
	const struct met *met;
	enum err err = resolve_address(walk->txn, forward, &walk->resolve);

	if (err != ERR_OK)
		return err;
	switch (walk->resolve.kind) {
	case RESOLVE_FOREIGN:
	case RESOLVE_ROUTED:
		return tell(walk, &from, forward, FOLLOW_OUTSIDE);
	case RESOLVE_NOBODY:
		return tell(walk, &from, forward, FOLLOW_NOBODY);
	case RESOLVE_DELETED:
		return tell(walk, &from, forward, FOLLOW_DELETED);
	case RESOLVE_CLOSED:
		return tell(walk, &from, forward, FOLLOW_CLOSED);
	case RESOLVE_ADDRESS:
	case RESOLVE_CATCHALL:
		break;
	}
	met = find_met(walk, to);
	if (met)
		return met->on_way ? tell_loop(walk, forward, met, *top)
				   : ERR_OK;
	if (walk->count >= FOLLOW_MAX)
		return tell(walk, &from, forward, FOLLOW_LIMIT);
	return enter(walk, to, top);
}

/* All forwards of all that was entered, depth first, without recursion: a way
 * may be long. */
static enum err walk_all(struct walk *walk, size_t top)
{
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		struct met *met = &walk->met[top];
		char forward[NAME_ADDRESS_TEXT + 1];
		const char *at = walk->address.forwards + met->forward;

		if (met->forward < walk->address.forwards_len) {
			const size_t len = strnlen(at, sizeof forward - 1);

			memcpy(forward, at, len);
			forward[len] = 0;
			met->forward += strlen(at) + 1;
			err = step(walk, forward, &top);
			continue;
		}
		met->on_way = false;
		if (top == 0)
			return ERR_OK;
		top = met->before;
		err = store_address_get(walk->txn, &walk->met[top].name,
					&walk->address);
	}
	return err;
}

enum err follow(struct store_txn *txn, const struct name_address *name,
		follow_found *found, void *arg)
{
	struct walk *walk = calloc(1, sizeof *walk);
	size_t top = 0;
	enum err err;

	if (!walk)
		return ERR_SYSTEM;
	walk->txn = txn;
	walk->found = found;
	walk->arg = arg;
	err = enter(walk, name, &top);
	if (err == ERR_OK)
		err = walk_all(walk, top);
	free(walk->met);
	free(walk);
	return err;
}

const char *follow_text(enum follow_end end)
{
	switch (end) {
	case FOLLOW_LOOP:
		return "it leads back to an address on its own way, and qmail "
		       "bounces a looping message";
	case FOLLOW_NOBODY:
		return "that domain of this site has no such address and no "
		       "catch-all";
	case FOLLOW_DELETED:
		return "that address was deleted";
	case FOLLOW_CLOSED:
		return "that domain was deleted, and its mail does not leave "
		       "this site until 'popbox purge'";
	case FOLLOW_BOX:
	case FOLLOW_OUTSIDE:
	case FOLLOW_LIMIT:
		break;
	}
	return NULL;
}
