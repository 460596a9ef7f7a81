/* SPDX-License-Identifier: MIT */
/* cmd_box.c: popbox box add. */
#include <stdlib.h>
#include <string.h>

#include "accounts/numbers.h"
#include "base/json.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/operand.h"
#include "cli/password.h"
#include "cli/state_options.h"
#include "publish/change.h"
#include "publish/preflight.h"

const struct args_option cmd_box_add_options[] = {
	{"--name", "TEXT", "the name of a person or thing"},
	{"--handle", "H", "the handle of the box [the domain's]"},
	STATE_EXPIRES,
	PASSWORD_OPTIONS,
	ADOPT_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

struct wish {
	struct name_address address;
	const char *handle; /* --handle, or NULL */
	struct name_handle owner;
	struct name_handle domain_owner;
	struct store_box box;
	struct store_address row;
	struct numbers numbers;
	const char *hash;
};

/* Whose box it will be, and which number it would get. */
static enum err look_body(struct store_txn *txn, void *arg)
{
	struct wish *wish = arg;
	const char *domain_name = wish->address.domain.s;
	struct store_domain domain;
	enum err err = store_domain_get(txn, &wish->address.domain, &domain);

	if (err == ERR_NOTFOUND)
		return store_unknown(txn,
				     "there is no domain '%s' (popbox domain "
				     "add %s --handle HANDLE)",
				     domain_name, domain_name);
	if (err != ERR_OK)
		return err;
	wish->domain_owner = domain.handle;
	if (!wish->handle)
		wish->owner = domain.handle;
	err = numbers_next(txn, &wish->numbers, &wish->owner,
			   &wish->box.name.number);
	if (err == ERR_NOTFOUND)
		return store_unknown(txn,
				     "there is no handle '%s' (popbox handle "
				     "add %s)",
				     wish->owner.s, wish->owner.s);
	if (err != ERR_OK)
		return err;
	wish->box.name.handle = wish->owner;
	wish->row = (struct store_address){.name = wish->address,
					   .has_box = true,
					   .box = wish->box.name};
	err = store_address_get(txn, &wish->address, &wish->row);
	if (err == ERR_OK)
		return store_refuse(txn, ERR_EXISTS,
				    "there is an address '%s@%s' already "
				    "('popbox address show' tells where it "
				    "leads)",
				    wish->address.local.s, domain_name);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err add_body(struct store_txn *txn, void *arg)
{
	struct wish *wish = arg;
	enum err err = look_body(txn, wish);

	if (err == ERR_OK)
		err = store_box_add(txn, &wish->box);
	if (err == ERR_OK && wish->hash[0])
		err = store_box_password(txn, &wish->box.name, wish->hash);
	if (err == ERR_OK)
		err = store_address_add(txn, &wish->row);
	return err;
}

static int read_wish(const struct args *args, struct wish *wish)
{
	const char *title = args_get(args, "--name");
	int code;

	*wish = (struct wish){.handle = args_get(args, "--handle")};
	code = operand_address(args->operand[0], &wish->address);
	if (code == CODE_DONE)
		code = state_options_expires(args, &wish->box.state.expires);
	if (code != CODE_DONE)
		return code;
	if (wish->handle) {
		code = operand_handle(wish->handle, &wish->owner);
		if (code != CODE_DONE)
			return code;
	}
	return operand_text("name", title, wish->box.title,
			    sizeof wish->box.title);
}

static void print_added(struct site *site, const struct wish *wish,
			const struct password *password)
{
	char address[NAME_ADDRESS_TEXT], box[NAME_BOX_TEXT];
	char text[PWHASH_PASSWORD_MAX + 2] = "";

	name_address_text(&wish->address, address);
	name_box_text(&wish->box.name, box);
	if (password->generated)
		memcpy(text, password->bytes, password->len);
	if (site->json)
		change_print(site, json_pack("{s:s, s:s, s:s?}", "address", address,
				     "box", box, "password",
				     password->generated ? text : NULL));
	else
		say_out("%s %s%s%s", address, box,
			password->generated ? " " : "", text);
}

static int add(struct site *site, const struct args *args, struct wish *wish,
	       struct password *password)
{
	char what[NAME_ADDRESS_TEXT];
	bool changed;
	enum err err;
	int code;

	name_address_text(&wish->address, what);
	wish->numbers.asuser = site->asuser;
	err = store_read(site->store, look_body, wish);
	if (err != ERR_OK)
		return site_failed(site, err, what);
	code = preflight_address(site, &wish->domain_owner, &wish->row,
				 args_has(args, "--adopt"));
	if (code == CODE_DONE)
		code = password_new(site, args, wish->address.local.s,
				    wish->address.domain.s, wish->owner.s,
				    password);
	if (code != CODE_DONE)
		return code;
	wish->hash = password->hash;
	code = change(site, add_body, wish, what, &changed);
	if (changed)
		print_added(site, wish, password);
	return code;
}

int cmd_box_add(struct site *site, const struct args *args)
{
	struct wish *wish = malloc(sizeof *wish);
	struct password password = {.len = 0};
	int code;

	if (!wish)
		return say_error(CODE_LATER, "no memory");
	code = read_wish(args, wish);
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = add(site, args, wish, &password);
	password_wipe(&password);
	numbers_free(&wish->numbers);
	free(wish);
	return code;
}
