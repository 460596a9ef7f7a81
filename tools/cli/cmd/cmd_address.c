/* SPDX-License-Identifier: MIT */
/* cmd_address.c: popbox address add, set, rename and del. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "accounts/destination.h"
#include "accounts/references.h"
#include "accounts/target_operand.h"
#include "base/json.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/deletion.h"
#include "cli/difference.h"
#include "cli/expiry.h"
#include "cli/operand.h"
#include "publish/change.h"
#include "publish/preflight.h"

#define FORCE_OPTION {"--force", NULL, "take a target that is not there yet"}

const struct args_option cmd_address_add_options[] = {
	FORCE_OPTION,
	EXPIRY_OPTION,
	ADOPT_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_address_set_options[] = {
	FORCE_OPTION,
	EXPIRY_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_address_rename_options[] = {
	{"--keep", NULL, "the old address stays as well"},
	ADOPT_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_address_del_options[] = {
	DELETION_OPTIONS,
	CONFIRM_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

enum what { ADD, SET, RENAME };

struct wish {
	const struct args *args;
	enum what what;
	struct name_address old; /* RENAME */
	bool keep;
	bool set_end;
	int64_t expires;	  /* 0: never */
	struct name_handle owner; /* of the domain */
	struct store_address was, row; /* was: of SET */
	struct references references; /* that go along with the old name */
	char text[NAME_ADDRESS_TEXT];
};

static enum err not_there(struct store_txn *txn)
{
	return store_unknown(txn,
			     "there is no such address ('popbox address list' "
			     "shows all)");
}

/* Operands after the first are where it leads. */
static enum err aim_all(struct store_txn *txn, struct wish *wish)
{
	enum err err = ERR_OK;

	for (size_t i = 1; err == ERR_OK && i < wish->args->operands; i++)
		err = target_operand_add(txn, wish->args->operand[i],
					 &wish->row);
	return err;
}

/* What the row shall be. */
static enum err look_body(struct store_txn *txn, void *arg)
{
	struct wish *wish = arg;
	const struct name_address name = wish->row.name;
	struct store_domain domain;
	enum err err = store_domain_get(txn, &name.domain, &domain);

	if (err == ERR_NOTFOUND)
		return store_unknown(txn,
				     "there is no domain '%s' (popbox domain "
				     "add %s --handle HANDLE)",
				     name.domain.s, name.domain.s);
	wish->owner = domain.handle;
	if (err == ERR_OK && wish->what != ADD)
		err = store_address_get(txn,
					wish->what == SET ? &name : &wish->old,
					&wish->row);
	if (err == ERR_NOTFOUND)
		return not_there(txn);
	wish->row.name = name;
	if (err != ERR_OK || wish->what == RENAME)
		return err;
	if (wish->what == SET)
		wish->was = wish->row;
	if (wish->set_end)
		wish->row.expires = wish->expires;
	if (wish->args->operands == 1)
		return ERR_OK;
	wish->row.has_box = false;
	wish->row.forwards_len = 0;
	return aim_all(txn, wish);
}

/* The old name goes, and forwards to it lead to the new one. */
static enum err leave_old(struct store_txn *txn, struct wish *wish)
{
	enum err err;

	if (strcmp(wish->old.local.s, "postmaster") == 0)
		return store_refuse(txn, ERR_INVALID,
				    "a domain keeps its postmaster (--keep "
				    "leaves both)");
	err = references_rename(txn, &wish->old, &wish->row.name,
				&wish->references);
	return err == ERR_OK
		       ? store_address_del(txn, &wish->old, STORE_GOES_ON)
		       : err;
}

static enum err change_body(struct store_txn *txn, void *arg)
{
	struct wish *wish = arg;
	const bool take = wish->what == RENAME ||
			  args_has(wish->args, "--force");
	enum err err = look_body(txn, wish);

	if (err != ERR_OK)
		return err;
	err = wish->what == SET ? store_address_set(txn, &wish->row)
				: store_address_add(txn, &wish->row);
	if (err == ERR_OK && wish->what == RENAME && !wish->keep)
		err = leave_old(txn, wish);
	return err == ERR_OK ? destination_judge(txn, &wish->row.name,
						 take ? DESTINATION_TAKE
						      : DESTINATION_OFFER)
			     : err;
}

static int run(struct site *site, struct wish *wish)
{
	char word[SAY_WORD_TEXT];
	bool changed = false;
	int code = site_open_write(site);

	name_address_text(&wish->row.name, wish->text);
	if (code == CODE_DONE)
		code = change_try(site, change_body, wish, wish->text);
	if (code == CODE_DONE && wish->what != SET)
		code = preflight_address(site, &wish->owner, &wish->row,
					 args_has(wish->args, "--adopt"));
	if (code == CODE_DONE)
		code = change(site, change_body, wish, wish->text, &changed);
	if (changed && site->json)
		change_print(site, json_address(&wish->row));
	else if (changed)
		say_note("address '%s' %s", wish->text,
			 wish->what == SET ? "set" : "added");
	if (changed && !site->json && wish->what == SET)
		difference_say(wish->text, json_address(&wish->was),
			       json_address(&wish->row));
	if (changed && wish->set_end && wish->row.delivery != STORE_DELIVER)
		say_note("it is suspended ('popbox address resume %s' ends "
			 "that)",
			 say_word(wish->text, word));
	if (changed || (site->dry_run && code == CODE_DONE))
		references_say(&wish->references);
	return code;
}

static int read_end(const struct args *args, struct wish *wish)
{
	const char *text = args_get(args, "--expires");

	wish->set_end = text != NULL;
	if (!text && args->operands == 1)
		return say_error(CODE_USAGE,
				 "nothing to set: say where it leads, or "
				 "--expires");
	return text ? expiry_read(text, time(NULL), &wish->expires) : CODE_DONE;
}

static int begin(struct site *site, const struct args *args, enum what what)
{
	struct wish *wish = calloc(1, sizeof *wish);
	int code;

	if (!wish)
		return say_error(CODE_LATER, "no memory");
	wish->args = args;
	wish->what = what;
	wish->keep = args_has(args, "--keep");
	code = operand_address(args->operand[what == RENAME],
			       &wish->row.name);
	if (code == CODE_DONE && what == RENAME)
		code = operand_address(args->operand[0], &wish->old);
	if (code == CODE_DONE)
		code = read_end(args, wish);
	if (code == CODE_DONE)
		code = run(site, wish);
	references_free(&wish->references);
	free(wish);
	return code;
}

int cmd_address_add(struct site *site, const struct args *args)
{
	return begin(site, args, ADD);
}

int cmd_address_set(struct site *site, const struct args *args)
{
	return begin(site, args, SET);
}

int cmd_address_rename(struct site *site, const struct args *args)
{
	return begin(site, args, RENAME);
}

struct removal {
	struct name_address name;
	enum store_fate fate;
	bool caught;
	struct references references;
};

static enum err del_body(struct store_txn *txn, void *arg)
{
	struct removal *removal = arg;
	const struct name_address *name = &removal->name;
	enum err err;

	if (strcmp(name->local.s, "postmaster") == 0)
		return store_refuse(txn, ERR_INUSE,
				    "a domain keeps its postmaster (popbox "
				    "address set postmaster@%s TARGET)",
				    name->domain.s);
	err = deletion_caught(txn, name, &removal->caught);
	if (err == ERR_OK)
		err = store_address_del(txn, name, removal->fate);
	if (err == ERR_OK)
		err = references_remove(txn, removal->fate,
					&removal->references);
	return err == ERR_NOTFOUND ? not_there(txn) : err;
}

static int del(struct site *site, const struct args *args,
	       struct removal *removal)
{
	char text[NAME_ADDRESS_TEXT], room[DELETION_TEXT];
	const char *mail;
	bool changed = false;
	int code = site_open_write(site);

	name_address_text(&removal->name, text);
	if (code == CODE_DONE)
		code = change_try(site, del_body, removal, text);
	if (code != CODE_DONE)
		return code;
	references_say(&removal->references);
	mail = deletion_text(removal->fate, 1, removal->caught, room);
	code = confirm(site, args, "delete the address '%s' (mail for it %s)",
		       text, mail);
	if (code == CODE_DONE)
		code = change(site, del_body, removal, text, &changed);
	if (changed)
		say_note("address '%s' deleted: mail for it %s; its box stays",
			 text, mail);
	return code;
}

int cmd_address_del(struct site *site, const struct args *args)
{
	struct removal removal = {.caught = false};
	int code = operand_address(args->operand[0], &removal.name);

	if (code == CODE_DONE)
		code = deletion_read(args, STORE_BOUNCES, &removal.fate);
	if (code == CODE_DONE)
		code = del(site, args, &removal);
	references_free(&removal.references);
	return code;
}
