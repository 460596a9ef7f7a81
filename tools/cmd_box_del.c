/* cmd_box_del.c: popbox box del and undelete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "commands.h"
#include "confirm.h"
#include "json.h"
#include "references.h"
#include "rejoin.h"
#include "say.h"
#include "target.h"

const struct args_option cmd_box_del_options[] = {
	CONFIRM_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_box_undelete_options[] = {
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

struct deletion {
	struct target target;
	struct store_box box;
	struct store_address address;
	unsigned long addresses;
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
static enum err detach(struct store_txn *txn, struct store_address *address)
{
	enum err err = refuse_postmaster(txn, address);

	if (err != ERR_OK)
		return err;
	if (!address->forwards_len)
		return store_address_del(txn, &address->name, false);
	address->has_box = false;
	return store_address_set(txn, address);
}

static enum err del_body(struct store_txn *txn, void *arg)
{
	struct deletion *d = arg;
	struct name_address name;
	enum err err = target_find(txn, &d->target, &d->box);

	if (err == ERR_NOTFOUND)
		return store_refuse(txn, ERR_INVALID,
				    "there is no such box ('popbox box list' "
				    "shows all)");
	d->addresses = 0;
	while (err == ERR_OK) {
		err = store_box_address_next(txn, &d->box.name, NULL, &name);
		if (err == ERR_NOTFOUND)
			break;
		if (err == ERR_OK)
			err = store_address_get(txn, &name, &d->address);
		if (err == ERR_OK)
			err = detach(txn, &d->address);
		d->addresses++;
	}
	if (err == ERR_NOTFOUND)
		err = store_box_del(txn, &d->box.name);
	return err == ERR_OK ? references_remove(txn, false, &d->references)
			     : err;
}

static int del(struct site *site, const struct args *args,
	       struct deletion *d)
{
	char text[NAME_BOX_TEXT];
	bool changed = false;
	int code = change_try(site, del_body, d, d->target.text);

	if (code != CODE_DONE)
		return code;
	name_box_text(&d->box.name, text);
	references_say(&d->references);
	code = confirm(site, args, "delete the box '%s' with %lu addresses",
		       text, d->addresses);
	if (code == CODE_DONE)
		code = change(site, del_body, d, d->target.text, &changed);
	if (changed)
		say_note("box '%s' deleted with %lu addresses; its mail stays "
			 "until 'popbox purge' ('popbox box undelete %s' "
			 "brings it back)",
			 text, d->addresses, text);
	return code;
}

int cmd_box_del(struct site *site, const struct args *args)
{
	struct deletion *d = calloc(1, sizeof *d);
	int code;

	if (!d)
		return say_error(CODE_LATER, "no memory");
	code = target_read(args->operand[0], &d->target);
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = del(site, args, d);
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
		return store_refuse(txn, ERR_INVALID,
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
		err = store_box_restore(txn, &d->box.name);
	return err == ERR_OK ? rejoin(txn, &d->box.name, group, &d->back) : err;
}

static void say_back(const struct site *site, const struct deletion *d)
{
	const struct text *lost = &d->back.lost;
	char text[NAME_BOX_TEXT], groups[64] = "";

	name_box_text(&d->box.name, text);
	if (d->back.groups)
		(void)snprintf(groups, sizeof groups,
			       ", and in %lu group%s again", d->back.groups,
			       d->back.groups == 1 ? "" : "s");
	if (site->json)
		json_print(json_box(&d->box));
	else
		say_note("box '%s' is back, with %lu addresses%s", text,
			 d->back.addresses, groups);
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
	code = target_read(args->operand[0], &d->target);
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
