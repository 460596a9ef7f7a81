/* SPDX-License-Identifier: MIT */
#include "holds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "base/words.h"
#include "store/login.h"
#include "turned.h"

static void by(struct holds_by *by, enum store_table table, const char *name)
{
	by->table = table;
	by->ended = 0;
	(void)snprintf(by->name, sizeof by->name, "%s", name);
}

static void and_delivery(struct holds *holds, enum store_table table,
			 const char *name, enum store_delivery delivery)
{
	const enum store_delivery both =
		store_delivery_and(holds->delivery, delivery);

	if (both != holds->delivery)
		by(&holds->delivery_by, table, name);
	holds->delivery = both;
}

/* Off by its switch, or since it has ended. */
static bool is_shut(const struct store_state *state)
{
	return !state->login || state->off == STORE_SERVICES ||
	       login_ended(state->expires);
}

static void and_login(struct holds *holds, enum store_table table,
		      const char *name, const struct store_state *state)
{
	if (!holds->login || !is_shut(state))
		return;
	by(&holds->login_by, table, name);
	holds->login_by.ended = state->login && login_ended(state->expires)
					? state->expires
					: 0;
	holds->login = false;
}

/* From the nearest to the farthest: the first that is off is named. */
static enum err and_handle(struct store_txn *txn,
			   const struct name_handle *name, bool with_login,
			   struct holds *holds)
{
	struct store_handle handle;
	enum err err = store_handle_get(txn, name, &handle);

	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
	if (with_login)
		and_login(holds, STORE_HANDLES, name->s, &handle.state);
	and_delivery(holds, STORE_HANDLES, name->s, handle.state.delivery);
	return ERR_OK;
}

static struct login_terms own_terms(const struct store_state *state)
{
	return (struct login_terms){state->expires, state->off};
}

static struct holds all_on(void)
{
	return (struct holds){.login = true, .delivery = STORE_DELIVER};
}

void holds_handle(const struct store_handle *handle, struct holds *ret_holds)
{
	*ret_holds = all_on();
	and_login(ret_holds, STORE_HANDLES, handle->name.s, &handle->state);
	ret_holds->terms = own_terms(&handle->state);
	and_delivery(ret_holds, STORE_HANDLES, handle->name.s,
		     handle->state.delivery);
}

static enum err and_domain(struct store_txn *txn,
			   const struct store_domain *domain, bool with_login,
			   struct holds *holds)
{
	struct store_domain target;
	enum err err = ERR_OK;

	if (with_login)
		and_login(holds, STORE_DOMAINS, domain->name.s,
			  &domain->state);
	if (domain->kind == STORE_ALIAS) {
		/* Mail for an alias goes where its target says. */
		err = store_domain_get(txn, &domain->target, &target);
		if (err == ERR_NOTFOUND)
			return ERR_DAMAGED;
		if (err == ERR_OK && with_login)
			and_login(holds, STORE_DOMAINS, target.name.s,
				  &target.state);
	}
	if (err == ERR_OK)
		and_delivery(holds, STORE_DOMAINS,
			     domain->kind == STORE_ALIAS ? target.name.s
							 : domain->name.s,
			     domain->kind == STORE_ALIAS
				     ? target.state.delivery
				     : domain->state.delivery);
	return err == ERR_OK ? and_handle(txn, &domain->handle, with_login,
					  holds)
			     : err;
}

/* Of a box of the domain's handle that says nothing itself. */
static enum err domain_terms(struct store_txn *txn,
			     const struct store_domain *domain,
			     struct login_terms *ret_terms)
{
	const struct store_box box = {.name.handle = domain->handle,
				      .state.login = true};

	return login_terms(txn, &box, domain, ret_terms);
}

enum err holds_domain(struct store_txn *txn, const struct store_domain *domain,
		      struct holds *ret_holds)
{
	enum err err;

	*ret_holds = all_on();
	err = domain_terms(txn, domain, &ret_holds->terms);
	return err == ERR_OK ? and_domain(txn, domain, true, ret_holds) : err;
}

static void take_login(struct holds *holds, const struct holds *of)
{
	if (!holds->login || of->login)
		return;
	holds->login_by = of->login_by;
	holds->login = false;
}

/* Whose switch login_allowed's reason is about. */
static enum err name_login(struct store_txn *txn, const struct store_box *box,
			   const struct store_domain *domain,
			   struct holds *holds)
{
	enum err err = ERR_OK;
	char text[NAME_BOX_TEXT];

	holds->login = true;
	name_box_text(&box->name, text);
	and_login(holds, STORE_BOXES, text, &box->state);
	if (domain) {
		struct holds of = all_on();

		err = and_domain(txn, domain, true, &of);
		take_login(holds, &of);
	}
	if (err == ERR_OK && holds->login) {
		struct holds of = all_on();

		err = and_handle(txn, &box->name.handle, true, &of);
		take_login(holds, &of);
	}
	holds->login = false;
	return err;
}

/* domain: that of the name, or NULL: it is the box's own. */
static enum err ask_login(struct store_txn *txn, const struct store_box *box,
			  const struct store_domain *domain,
			  struct holds *holds)
{
	/* Any hash: whether it may log in if it has one. */
	struct store_account account = {.box = *box, .hash = "x"};
	const struct login_name name = {&account, domain, 0};
	struct store_domain first;
	struct name_address at;
	const char *reason;
	enum err err = login_allowed(txn, &name, &reason, &at);

	if (err == ERR_OK)
		err = login_terms(txn, box, domain, &holds->terms);
	holds->login = err == ERR_OK && !reason;
	if (err != ERR_OK || !reason)
		return err;
	if (!domain && at.domain.s[0]) {
		err = store_domain_get(txn, &at.domain, &first);
		domain = &first;
	}
	return err == ERR_OK ? name_login(txn, box, domain, holds) : err;
}

enum err holds_may_login(struct store_txn *txn, const struct store_box *box,
			 bool *ret_login)
{
	struct store_account account = {.box = *box, .hash = "x"};
	const struct login_name name = {&account, NULL, 0};
	struct name_address at;
	const char *reason;
	enum err err = login_allowed(txn, &name, &reason, &at);

	*ret_login = err == ERR_OK && !reason;
	return err;
}

static bool says_anything(const struct store_state *state)
{
	return !state->login || state->off || state->expires;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool holds_handle_off(const struct holds_off *off,
		      const struct name_handle *name)
{
	return off->handles && bsearch(name->s, off->handle, off->handles,
				       sizeof *off->handle, by_text);
}

bool holds_domain_off(const struct holds_off *off,
		      const struct name_domain *name)
{
	return off->domains && bsearch(name->s, off->domain, off->domains,
				       sizeof *off->domain, by_text);
}

/* Room for one more of so many: that is doubled whenever it is full. */
static void *more_room(void *list, size_t count, size_t size)
{
	const bool full = (count & (count - 1)) == 0;

	return full ? reallocarray(list, count ? 2 * count : 1, size) : list;
}

static enum err add_handle_off(struct holds_off *off,
			       const struct store_handle *handle)
{
	struct name_handle *list;

	if (!says_anything(&handle->state))
		return ERR_OK;
	list = more_room(off->handle, off->handles, sizeof *list);
	if (!list)
		return ERR_SYSTEM;
	off->handle = list;
	off->handle[off->handles++] = handle->name;
	return ERR_OK;
}

static enum err add_domain_off(struct holds_off *off,
			       const struct store_domain *domain)
{
	struct name_domain *list;

	if (!says_anything(&domain->state) &&
	    !holds_handle_off(off, &domain->handle))
		return ERR_OK;
	list = more_room(off->domain, off->domains, sizeof *list);
	if (!list)
		return ERR_SYSTEM;
	off->domain = list;
	off->domain[off->domains++] = domain->name;
	return ERR_OK;
}

void holds_free_off(struct holds_off *off)
{
	free(off->handle);
	free(off->domain);
	*off = (struct holds_off){.handles = 0};
}

enum err holds_find_off(struct store_txn *txn, struct holds_off *ret_off)
{
	struct holds_off off = {.handles = 0};
	struct store_handle handle;
	struct store_domain domain;
	enum err err = store_handle_next(txn, NULL, &handle);

	while (err == ERR_OK) {
		err = add_handle_off(&off, &handle);
		if (err == ERR_OK)
			err = store_handle_next(txn, &handle.name, &handle);
	}
	if (err == ERR_NOTFOUND)
		err = store_domain_next(txn, NULL, &domain);
	while (err == ERR_OK) {
		err = add_domain_off(&off, &domain);
		if (err == ERR_OK)
			err = store_domain_next(txn, &domain.name, &domain);
	}
	if (err != ERR_NOTFOUND) {
		holds_free_off(&off);
		return err;
	}
	*ret_off = off;
	return ERR_OK;
}

static enum err box_delivery(struct store_txn *txn,
			     const struct store_box *box, struct holds *holds)
{
	char text[NAME_BOX_TEXT];

	name_box_text(&box->name, text);
	and_delivery(holds, STORE_BOXES, text, box->state.delivery);
	return and_handle(txn, &box->name.handle, false, holds);
}

/* The switch of the address, and what holds of its domain. */
static enum err and_address(struct store_txn *txn,
			    const struct name_address *name,
			    struct holds *holds)
{
	struct store_address address;
	struct store_domain domain;
	char text[NAME_ADDRESS_TEXT];
	enum err err = store_address_get(txn, name, &address);

	name_address_text(name, text);
	if (err == ERR_OK)
		and_delivery(holds, STORE_ADDRESSES, text, address.delivery);
	if (err == ERR_OK)
		err = store_domain_get(txn, &name->domain, &domain);
	if (err == ERR_OK)
		err = and_domain(txn, &domain, false, holds);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

/* The best of its addresses. */
static enum err addresses_delivery(struct store_txn *txn,
				   const struct store_box *box,
				   struct holds *holds)
{
	struct name_address at, *after = NULL;
	struct holds best = *holds;
	bool any = false;
	enum err err = ERR_OK;

	while (err == ERR_OK && (!any || best.delivery != holds->delivery)) {
		struct holds one = *holds;

		err = store_box_address_next(txn, &box->name, after, &at);
		after = &at;
		if (err != ERR_OK)
			continue;
		err = and_address(txn, &at, &one);
		if (!any || store_delivery_and(one.delivery, best.delivery) !=
				    one.delivery)
			best = one;
		any = true;
	}
	*holds = best;
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err holds_box(struct store_txn *txn, const struct store_box *box,
		   struct holds *ret_holds)
{
	enum err err;

	*ret_holds = all_on();
	err = ask_login(txn, box, NULL, ret_holds);
	if (err == ERR_OK)
		err = box_delivery(txn, box, ret_holds);
	return err == ERR_OK ? addresses_delivery(txn, box, ret_holds) : err;
}

enum err holds_address(struct store_txn *txn,
		       const struct store_address *address,
		       struct holds *ret_holds)
{
	struct holds of = all_on();
	struct store_domain domain;
	char text[NAME_ADDRESS_TEXT];
	struct store_box box;
	enum err err = store_domain_get(txn, &address->name.domain, &domain);

	*ret_holds = all_on();
	name_address_text(&address->name, text);
	if (err == ERR_OK && address->has_box) {
		err = store_box_get(txn, &address->box, &box);
		if (err == ERR_OK)
			err = ask_login(txn, &box, &domain, ret_holds);
		if (err == ERR_OK)
			err = box_delivery(txn, &box, &of);
		/* Forwards go on although the box is off. */
		if (err == ERR_OK && address->forwards_len &&
		    of.delivery == STORE_BOUNCE)
			of = all_on();
	}
	and_delivery(ret_holds, STORE_ADDRESSES, text, address->delivery);
	if (store_delivery_and(ret_holds->delivery, of.delivery) !=
	    ret_holds->delivery) {
		ret_holds->delivery = of.delivery;
		ret_holds->delivery_by = of.delivery_by;
	}
	if (err == ERR_OK)
		err = and_domain(txn, &domain, false, ret_holds);
	return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
}

static const char *cell(const char *word, const struct holds_by *by,
			enum store_table own, char text[HOLDS_CELL])
{
	if (!by->name[0] || by->table == own)
		return word;
	(void)snprintf(text, HOLDS_CELL, "%s (%s)", word,
		       word_table(by->table));
	return text;
}

const char *holds_login_cell(const struct holds *holds, enum store_table own,
			     char text[HOLDS_CELL])
{
	char services[WORD_SERVICES];

	if (holds->login && holds->terms.off) {
		(void)snprintf(text, HOLDS_CELL, "not %s",
			       word_services(holds->terms.off, services));
		return text;
	}
	return cell(holds->login		? "on"
		    : holds->login_by.ended ? "expired"
					    : "off",
		    &holds->login_by, own, text);
}

const char *holds_delivery_cell(const struct holds *holds,
				enum store_table own, char text[HOLDS_CELL])
{
	return cell(word_delivery(holds->delivery), &holds->delivery_by, own,
		    text);
}

static json_t *by_json(const struct holds_by *by)
{
	return by->name[0] ? json_pack("{s:s, s:s}", "table",
				       word_table(by->table), "name", by->name)
			   : json_null();
}

void holds_json(json_t *object, const struct holds *holds)
{
	(void)json_object_set_new(object, "login_holds",
				  json_boolean(holds->login));
	(void)json_object_set_new(object, "login_by",
				  by_json(&holds->login_by));
	(void)json_object_set_new(
		object, "login_services",
		json_services(holds->login ? STORE_SERVICES &
						     ~holds->terms.off
					   : 0));
	(void)json_object_set_new(object, "login_expires",
				  json_time(holds->terms.expires));
	(void)json_object_set_new(object, "delivery_holds",
				  json_string(word_delivery(holds->delivery)));
	(void)json_object_set_new(object, "delivery_by",
				  by_json(&holds->delivery_by));
}

static enum err line(struct store_txn *txn, const struct holds_by *by,
		     bool of_login, const char *word,
		     char ret_line[HOLDS_LINE])
{
	struct turned turned;
	char when[SAY_TIME_TEXT];
	enum err err;

	(void)snprintf(ret_line, HOLDS_LINE, "%s", word);
	if (!by->name[0])
		return ERR_OK;
	err = turned_find(txn, by->table, by->name, of_login, &turned);
	if (err != ERR_OK)
		return err;
	(void)snprintf(ret_line, HOLDS_LINE, "%s: %s %s%s since %s%s%s%s%s",
		       word, word_table(by->table), by->name,
		       of_login ? " is suspended" : "",
		       say_time(turned.time, when),
		       turned.actor[0] ? ", by " : "", turned.actor,
		       turned.reason[0] ? ", reason: " : "", turned.reason);
	say_clean(ret_line, ret_line, HOLDS_LINE);
	return ERR_OK;
}

/* "on until ..., not by smtp" */
static void on_line(const struct login_terms *terms, char ret_line[HOLDS_LINE])
{
	char services[WORD_SERVICES], when[SAY_TIME_TEXT];

	(void)snprintf(ret_line, HOLDS_LINE, "on%s%s%s%s",
		       terms->expires ? " until " : "",
		       terms->expires ? say_time(terms->expires, when) : "",
		       terms->off ? ", not by " : "",
		       word_services(terms->off, services)); /* it fits */
}

enum err holds_login_line(struct store_txn *txn, const struct holds *holds,
			  char ret_line[HOLDS_LINE])
{
	const struct holds_by *by = &holds->login_by;
	char when[SAY_TIME_TEXT];

	if (!by->ended && !holds->login)
		return line(txn, by, true, "off", ret_line);
	if (by->ended)
		(void)snprintf(ret_line, HOLDS_LINE, "off: %s %s expired at %s",
			       word_table(by->table), by->name,
			       say_time(by->ended, when)); /* it fits */
	else
		on_line(&holds->terms, ret_line);
	return ERR_OK;
}

enum err holds_delivery_line(struct store_txn *txn, const struct holds *holds,
			     char ret_line[HOLDS_LINE])
{
	return line(txn, &holds->delivery_by, false,
		    word_delivery(holds->delivery), ret_line);
}
