/* SPDX-License-Identifier: MIT */
/* explain_history.c: which switches are off at which level, and what was
 * deleted: when, by whom, why.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/resolve.h"
#include "accounts/turned.h"
#include "base/say.h"
#include "base/words.h"
#include "explain_private.h"
#include "store/login.h"

/* One thing that has switches, or that was deleted. */
struct object {
	enum store_table table;
	const char *word;
	char name[STORE_OBJECT_TEXT];
	bool has_state;
	bool login_counts, delivery_counts;
	struct store_state state;
	bool deleted;
	bool purged;
	struct store_entry entry; /* of the change; number 0: not found */
};

enum { OBJECTS = 7 };

struct history {
	const char *address;
	struct resolve resolve;
	struct object object[OBJECTS];
	size_t count;
};

static struct object *add(struct history *history, enum store_table table,
			  const char *word, const char *name)
{
	struct object *object = &history->object[history->count++];

	*object = (struct object){.table = table, .word = word};
	(void)snprintf(object->name, sizeof object->name, "%s", name);
	return object;
}

/* By a switch that somebody turned off? An end comes by itself. */
static bool is_turned(const struct store_state *state)
{
	return !state->login || state->delivery != STORE_DELIVER;
}

static void add_state(struct history *history, enum store_table table,
		      const char *word, const char *name,
		      const struct store_state *state, bool delivery)
{
	struct object *object;

	if (!is_turned(state) && !state->off && !login_ended(state->expires))
		return;
	object = add(history, table, word, name);
	object->has_state = true;
	object->login_counts = true;
	object->delivery_counts = delivery;
	object->state = *state;
}

/* Did this entry turn a switch that is off now? */
static bool turns(const struct store_entry *entry)
{
	struct store_state was = {.login = true}, is;

	if (entry->after_len == 0 || entry->op == STORE_OWED ||
	    turned_state(entry, entry->after, entry->after_len, &is) != ERR_OK)
		return false;
	if (entry->before_len &&
	    turned_state(entry, entry->before, entry->before_len, &was) !=
		    ERR_OK)
		return false;
	return was.login != is.login || was.delivery != is.delivery;
}

static bool is_change(const struct object *object,
		      const struct store_entry *entry)
{
	char name[STORE_OBJECT_TEXT];

	if (entry->table != object->table ||
	    store_entry_object(entry, name) != ERR_OK ||
	    strcmp(name, object->name) != 0)
		return false;
	return object->has_state ? turns(entry)
				 : entry->op == STORE_DEL ||
					   entry->op == STORE_PURGE ||
					   entry->op == STORE_ADD;
}

/* The last change of that kind, from the journal's end back. */
static enum err find_entry(struct store_txn *txn, struct object *object)
{
	uint64_t number;
	enum err err = store_journal_last(txn, &number);

	if (object->has_state && !is_turned(&object->state))
		number = 0;
	for (; err == ERR_OK && number > 0; number--) {
		err = store_journal_next(txn, number - 1, &object->entry);
		if (err == ERR_OK && is_change(object, &object->entry))
			return ERR_OK;
		if (err == ERR_NOTFOUND)
			err = ERR_OK; /* cut off there */
	}
	object->entry.number = 0;
	return err;
}

static enum err add_handle(struct store_txn *txn, struct history *history,
			   const struct name_handle *name)
{
	struct store_handle handle;
	enum err err = store_handle_get(txn, name, &handle);

	if (err == ERR_OK)
		add_state(history, STORE_HANDLES, "handle", name->s,
			  &handle.state, true);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err add_box(struct store_txn *txn, struct history *history,
			const struct name_box *name)
{
	struct store_parked parked;
	struct store_box box;
	char text[NAME_BOX_TEXT];
	enum err err = store_box_get(txn, name, &box);

	name_box_text(name, text);
	if (err == ERR_NOTFOUND) {
		err = store_parked_box_get(txn, name, &box, &parked);
		if (err == ERR_OK)
			add(history, STORE_BOXES, "box", text)->deleted = true;
	}
	if (err == ERR_OK)
		add_state(history, STORE_BOXES, "box", text, &box.state, true);
	if (err == ERR_OK &&
	    strcmp(name->handle.s, history->resolve.domain.handle.s) != 0)
		err = add_handle(txn, history, &name->handle);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* The address itself, where another row takes its mail now. */
static void add_address(struct history *history)
{
	const struct resolve *resolve = &history->resolve;
	const char *at = strrchr(history->address, '@');
	struct name_address name = {.domain = resolve->domain.name};
	char text[NAME_ADDRESS_TEXT];
	struct object *object;

	if (name_local_read(history->address, (size_t)(at - history->address),
			    &name.local))
		return;
	name_address_text(&name, text);
	object = add(history, STORE_ADDRESSES, "address", text);
	object->deleted = resolve->kind == RESOLVE_DELETED;
	object->purged = !object->deleted;
}

/* The switch of the row that takes the mail. */
static void add_own(struct history *history,
		    const struct store_address *address)
{
	char text[NAME_ADDRESS_TEXT];
	struct store_state state;

	name_address_text(&address->name, text);
	turned_address(address, &state);
	add_state(history, STORE_ADDRESSES, "address", text, &state, true);
}

/* All that the way of this address hangs on. */
static enum err collect(struct store_txn *txn, struct history *history)
{
	const struct resolve *resolve = &history->resolve;
	const struct store_domain *named = &resolve->named;
	const struct store_domain *domain = &resolve->domain;
	enum err err;

	if (resolve->kind == RESOLVE_FOREIGN)
		return ERR_OK;
	if (resolve->kind == RESOLVE_CLOSED) {
		add(history, STORE_DOMAINS, "domain",
		    strrchr(history->address, '@') + 1)
			->deleted = true;
		return ERR_OK;
	}
	err = add_handle(txn, history, &domain->handle);
	if (named->kind == STORE_ALIAS)
		add_state(history, STORE_DOMAINS, "domain", named->name.s,
			  &named->state, false);
	add_state(history, STORE_DOMAINS, "domain", domain->name.s,
		  &domain->state, true);
	if (resolve->kind == RESOLVE_ADDRESS ||
	    resolve->kind == RESOLVE_CATCHALL)
		add_own(history, &resolve->address);
	if (err == ERR_OK && resolve->kind != RESOLVE_NOBODY &&
	    resolve->kind != RESOLVE_ROUTED && resolve->address.has_box)
		err = add_box(txn, history, &resolve->address.box);
	if (resolve->kind == RESOLVE_NOBODY ||
	    resolve->kind == RESOLVE_CATCHALL ||
	    resolve->kind == RESOLVE_DELETED)
		add_address(history);
	return err;
}

static enum err history_body(struct store_txn *txn, void *arg)
{
	struct history *history = arg;
	enum err err = resolve_address(txn, history->address,
				       &history->resolve);

	history->count = 0; /* a body may be run again */
	if (err == ERR_OK)
		err = collect(txn, history);
	for (size_t i = 0; err == ERR_OK && i < history->count; i++)
		err = find_entry(txn, &history->object[i]);
	return err;
}

/* " since ..., by ... ('popbox ...')" */
static void change_text(const struct object *object, char *ret_text,
			size_t room)
{
	char when[SAY_TIME_TEXT];
	const struct store_entry *entry = &object->entry;

	if (entry->number)
		(void)snprintf(ret_text, room, " %s, by %s (%s)",
			       say_time(entry->time, when), entry->actor,
			       entry->command);
	else
		(void)snprintf(ret_text, room, " %s",
			       object->has_state
				       ? say_time(object->state.changed, when)
				       : "some time ago");
}

/* how NULL: logins are off; else "off" or "on hold", of delivery. An address has
 * one switch, and no `set --delivery`. */
static void say_switch(struct walk *walk, const struct object *object,
		       const char *how)
{
	const char *reason = object->state.reason;
	const bool resumes = !how || object->table == STORE_ADDRESSES;
	char change[512], word[SAY_WORD_TEXT];

	change_text(object, change, sizeof change);
	walk_step(walk, true, "switch",
		  "%s of %s %s is %s since%s%s%s: 'popbox %s %s %s%s' turns it "
		  "on",
		  how ? "delivery" : "login", object->word, object->name,
		  how ? how : "off", change, reason[0] ? ", reason: " : "",
		  reason, object->word, resumes ? "resume" : "set",
		  say_word(object->name, word), resumes ? "" : " --delivery on");
}

/* Its end that has come, and the services that are off. */
static void say_terms(struct walk *walk, const struct object *object)
{
	const struct store_state *state = &object->state;
	char services[WORD_SERVICES], when[SAY_TIME_TEXT], word[SAY_WORD_TEXT];

	if (login_ended(state->expires))
		walk_step(walk, true, "switch",
			  "login of %s %s expired at %s: 'popbox %s resume %s' "
			  "turns it on",
			  object->word, object->name,
			  say_time(state->expires, when), object->word,
			  say_word(object->name, word));
	if (state->off)
		walk_step(walk, true, "switch",
			  "login of %s %s is off by %s ('popbox %s set %s "
			  "--login')",
			  object->word, object->name,
			  word_services(state->off, services), object->word,
			  say_word(object->name, word));
}

/* Which command undeletes it; "" where none can. */
static void undelete_text(const struct object *object, char *ret_text,
			  size_t room)
{
	ret_text[0] = 0;
	if (object->purged || object->entry.number == 0)
		return;
	if (object->table == STORE_BOXES)
		(void)snprintf(ret_text, room,
			       ": 'popbox box undelete %s' undeletes it",
			       object->name);
	else
		(void)snprintf(ret_text, room,
			       ": 'popbox undo %llu' undeletes it",
			       (unsigned long long)object->entry.group);
}

static void say_deleted(struct walk *walk, const struct object *object)
{
	char change[512], undelete[64 + STORE_OBJECT_TEXT];

	if (object->purged && object->entry.op != STORE_DEL &&
	    object->entry.op != STORE_PURGE)
		return; /* it never was */
	if (object->purged && object->entry.number == 0)
		return;
	change_text(object, change, sizeof change);
	undelete_text(object, undelete, sizeof undelete);
	walk_step(walk, true, "deleted", "%s %s was %s%s%s", object->word,
		  object->name, object->purged ? "purged" : "deleted", change,
		  undelete);
}

static void say_object(struct walk *walk, const struct object *object)
{
	if (!object->has_state) {
		say_deleted(walk, object);
		return;
	}
	if (object->login_counts && !object->state.login)
		say_switch(walk, object, NULL);
	if (object->login_counts)
		say_terms(walk, object);
	if (object->delivery_counts &&
	    object->state.delivery != STORE_DELIVER)
		say_switch(walk, object,
			   object->state.delivery == STORE_HOLD ? "on hold"
								: "off");
}

void walk_history(struct walk *walk)
{
	struct history *history = calloc(1, sizeof *history);
	enum err err;

	if (!history) {
		walk->unsure = ENOMEM;
		return;
	}
	history->address = walk->hop[0].address;
	err = store_read(walk->site->store, history_body, history);
	if (err == ERR_SYSTEM)
		(void)walk_unsure(walk, errno);
	if (err != ERR_OK && !walk->unsure)
		walk_step(walk, false, "store", "it cannot be read: %s",
			  err_text(err));
	for (size_t i = 0; err == ERR_OK && i < history->count; i++)
		say_object(walk, &history->object[i]);
	free(history);
}
