/* SPDX-License-Identifier: MIT */
/* cmd_box_del.c: popbox box del and undelete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/references.h"
#include "accounts/rejoin.h"
#include "accounts/undelete.h"
#include "base/json.h"
#include "base/say.h"
#include "cli/box_operand.h"
#include "cli/commands.h"
#include "cli/deletion.h"
#include "cli/many.h"
#include "publish/change.h"

const struct args_option cmd_box_del_options[] = {
	DELETION_OPTIONS,
	MANY_OPTIONS,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_box_undelete_options[] = {
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

struct deletion {
	struct box_operand target;
	struct store_box box;
	struct store_address address;
	enum store_fate fate;
	unsigned long addresses; /* that lead to it */
	unsigned long ended, caught; /* to it alone; with a catch-all beside */
	struct references references; /* to its addresses */
	struct rejoin back;
};

/* A domain keeps its postmaster (RFC 5321, 4.5.1). */
static enum err refuse_postmaster(struct store_txn *txn,
				  const struct store_address *address)
{
	if (strcmp(address->name.local.s, "postmaster") != 0 ||
	    address->forwards_len)
		return ERR_OK;
	return store_refuse(txn, ERR_INUSE,
			    "postmaster@%s leads to it, and must lead "
			    "somewhere (popbox address set postmaster@%s "
			    "TARGET)",
			    address->name.domain.s, address->name.domain.s);
}

/* An address that leads elsewhere as well goes on doing that. */
static enum err detach(struct store_txn *txn, struct deletion *d)
{
	struct store_address *address = &d->address;
	bool caught = false;
	enum err err = refuse_postmaster(txn, address);

	if (err == ERR_OK && !address->forwards_len)
		err = deletion_caught(txn, &address->name, &caught);
	if (err != ERR_OK)
		return err;
	d->ended += !address->forwards_len;
	d->caught += caught;
	if (!address->forwards_len)
		return store_address_del(txn, &address->name, d->fate);
	address->has_box = false;
	return store_address_set(txn, address);
}

/* The box in d->box, with its addresses. */
static enum err del_box(struct store_txn *txn, struct deletion *d)
{
	struct name_address name;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		err = store_box_address_next(txn, &d->box.name, NULL, &name);
		if (err == ERR_NOTFOUND)
			break;
		if (err == ERR_OK)
			err = store_address_get(txn, &name, &d->address);
		if (err == ERR_OK)
			err = detach(txn, d);
		d->addresses++;
	}
	return err == ERR_NOTFOUND ? store_box_del(txn, &d->box.name) : err;
}

/* No address leads to what was deleted. */
static enum err del_end(struct store_txn *txn, void *arg)
{
	struct deletion *d = arg;

	return references_remove(txn, d->fate, &d->references);
}

static enum err del_body(struct store_txn *txn, void *arg)
{
	struct deletion *d = arg;
	enum err err = box_operand_find(txn, &d->target, &d->box);

	d->addresses = d->ended = d->caught = 0;
	if (err == ERR_NOTFOUND)
		return store_unknown(txn,
				     "there is no such box ('popbox box list' "
				     "shows all)");
	if (err == ERR_OK)
		err = del_box(txn, d);
	return err == ERR_OK ? del_end(txn, d) : err;
}

static enum err del_each(struct store_txn *txn, const struct store_box *box,
			 size_t number, void *arg)
{
	struct deletion *d = arg;

	(void)number;
	d->box = *box;
	return del_box(txn, d);
}

static int del(struct site *site, const struct args *args,
	       struct deletion *d)
{
	char text[NAME_BOX_TEXT], room[DELETION_TEXT];
	char count[SAY_COUNT_TEXT];
	const char *mail;
	bool changed = false;
	int code = change_try(site, del_body, d, d->target.text);

	if (code != CODE_DONE)
		return code;
	name_box_text(&d->box.name, text);
	references_say(&d->references);
	mail = deletion_text(d->fate, d->ended, d->caught, room);
	code = confirm(site, args,
		       "delete the box '%s' with %s%s%s%s", text,
		       say_count(d->addresses, "address", count), d->ended ? " (mail for it " : "",
		       d->ended ? mail : "", d->ended ? ")" : "");
	if (code == CODE_DONE)
		code = change(site, del_body, d, d->target.text, &changed);
	if (changed)
		say_note("box '%s' deleted with %s; its mail stays until "
			 "'popbox purge' ('popbox box undelete %s' brings it "
			 "back)",
			 text, say_count(d->addresses, "address", count), text);
	if (changed && d->ended)
		say_note("mail for it %s", mail);
	return code;
}

/* Does a postmaster address lead to this box alone? */
static enum err is_kept(struct store_txn *txn, struct deletion *d,
			const struct name_box *box, bool *ret_kept)
{
	struct name_address at, *after = NULL;
	enum err err;

	*ret_kept = false;
	do {
		err = store_box_address_next(txn, box, after, &at);
		after = &at;
		if (err != ERR_OK || strcmp(at.local.s, "postmaster") != 0)
			continue;
		err = store_address_get(txn, &at, &d->address);
		*ret_kept = err == ERR_OK && !d->address.forwards_len;
	} while (err == ERR_OK && !*ret_kept);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

struct keeping {
	struct deletion *d;
	struct many *many;
	bool *kept; /* of many->count */
};

static enum err keep_body(struct store_txn *txn, void *arg)
{
	struct keeping *k = arg;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < k->many->count; i++)
		err = is_kept(txn, k->d, &k->many->box[i].name, &k->kept[i]);
	return err;
}

/* Boxes of a postmaster leave the list, and are named: a filter cannot tell them
 * from those that are meant. */
static int keep_postmasters(struct site *site, struct deletion *d,
			    struct many *many)
{
	struct keeping k = {d, many, calloc(many->count, sizeof *k.kept)};
	char name[NAME_BOX_TEXT];
	size_t count = 0;
	int code;

	if (!k.kept)
		return say_error(CODE_LATER, "no memory");
	code = site_failed(site, store_read(site->store, keep_body, &k),
			   "the boxes");
	for (size_t i = 0; code == CODE_DONE && i < many->count; i++) {
		name_box_text(&many->box[i].name, name);
		if (k.kept[i]) {
			say_note("box '%s' stays: a postmaster address leads "
				 "to it",
				 name);
			free(many->box[i].address);
		} else {
			many->box[count++] = many->box[i];
		}
	}
	if (code == CODE_DONE)
		many->count = count;
	free(k.kept);
	return code;
}

static int del_many(struct site *site, const struct args *args,
		    struct deletion *d)
{
	struct many all;
	char room[DELETION_TEXT];
	int code = many_read(args, &all);

	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = many_find(site, &all);
	if (code == CODE_DONE && all.count)
		code = keep_postmasters(site, d, &all);
	all.end = del_end;
	if (code == CODE_DONE && all.count)
		code = many_try(site, &all, del_each, d);
	if (code == CODE_DONE && all.count)
		references_say(&d->references);
	if (code == CODE_DONE && all.count)
		code = many_ask(site, args, &all, "delete");
	if (code == CODE_DONE && all.count)
		code = many_change(site, &all, del_each, d,
				   "deleted; mail stays until 'popbox purge'");
	if (code == CODE_DONE && all.changed && d->ended)
		say_note("mail for them %s",
			 deletion_text(d->fate, d->ended, d->caught, room));
	many_free(&all);
	return code;
}

static int del_one(struct site *site, const struct args *args,
		   struct deletion *d)
{
	int code = box_operand_read(args->operand[0], &d->target);

	if (code == CODE_DONE)
		code = site_open_write(site);
	return code == CODE_DONE ? del(site, args, d) : code;
}

int cmd_box_del(struct site *site, const struct args *args)
{
	struct deletion *d = calloc(1, sizeof *d);
	bool by_filter;
	int code;

	if (!d)
		return say_error(CODE_LATER, "no memory");
	code = deletion_read(args, STORE_GOES_ON, &d->fate);
	if (code == CODE_DONE)
		code = many_asked(args, &by_filter);
	if (code == CODE_DONE)
		code = by_filter ? del_many(site, args, d)
				 : del_one(site, args, d);
	references_free(&d->references);
	free(d);
	return code;
}

/* The box that is meant: by its number, or by an address that was deleted. */
static enum err find_parked(struct store_txn *txn, struct deletion *d,
			    uint64_t *ret_group)
{
	struct store_parked parked;
	enum err err = ERR_OK;

	if (d->target.by_address) {
		err = store_parked_address_get(txn, &d->target.address,
					       &d->address, &parked);
		if (err == ERR_OK && !d->address.has_box)
			err = ERR_NOTFOUND;
		d->target.box = d->address.box;
	}
	if (err == ERR_OK)
		err = store_parked_box_get(txn, &d->target.box, &d->box,
					   &parked);
	if (err == ERR_NOTFOUND)
		return store_unknown(txn,
				     "no such box was deleted, or it is purged "
				     "('popbox log --object X' tells)");
	if (err == ERR_OK)
		*ret_group = parked.group;
	return err;
}

static enum err undelete_body(struct store_txn *txn, void *arg)
{
	struct deletion *d = arg;
	uint64_t group = 0;
	enum err err = find_parked(txn, d, &group);

	if (err == ERR_OK)
		err = undelete_box(txn, &d->box.name);
	return err == ERR_OK ? rejoin(txn, &d->box.name, group, &d->back) : err;
}

static void say_back(struct site *site, const struct deletion *d)
{
	const struct text *lost = &d->back.lost;
	char text[NAME_BOX_TEXT], groups[2 * SAY_COUNT_TEXT] = "";
	char count[SAY_COUNT_TEXT];

	name_box_text(&d->box.name, text);
	if (d->back.groups)
		(void)snprintf(groups, sizeof groups,
			       ", and in %s again",
			       say_count(d->back.groups, "group", count));
	if (site->json)
		change_print(site, json_box(&d->box));
	else
		say_note("box '%s' is back, with %s%s", text,
			 say_count(d->back.addresses, "address", count),
			 groups);
	for (size_t at = 0; at < lost->len; at += strlen(lost->bytes + at) + 1)
		say_note("%s", lost->bytes + at);
}

int cmd_box_undelete(struct site *site, const struct args *args)
{
	struct deletion *d = calloc(1, sizeof *d);
	bool changed = false;
	int code;

	if (!d)
		return say_error(CODE_LATER, "no memory");
	code = box_operand_read(args->operand[0], &d->target);
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = change(site, undelete_body, d, d->target.text,
			      &changed);
	if (changed)
		say_back(site, d);
	rejoin_free(&d->back);
	free(d);
	return code;
}
