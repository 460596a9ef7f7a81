/* SPDX-License-Identifier: MIT */
/* cmd_backup.c: popbox backup: the store, or one box. */
#include <stdlib.h>

#include "backup/backup.h"
#include "base/json.h"
#include "base/outfile.h"
#include "base/say.h"
#include "cli/box_operand.h"
#include "cli/commands.h"
#include "cli/status.h"
#include "store/secret.h"
#include "transfer/box_record.h"

const struct args_option cmd_backup_options[] = {
	{"--only", "ADDRESS|BOX", "one box with its hash and addresses"},
	{NULL, NULL, NULL},
};

struct picking {
	struct box_operand target;
	struct store_account account;
	json_t *addresses;
};

static enum err add_addresses(struct store_txn *txn, struct picking *picking)
{
	struct store_address *address = malloc(sizeof *address);
	struct name_address at, *after = NULL;
	enum err err = address ? ERR_OK : ERR_SYSTEM;

	while (err == ERR_OK) {
		err = store_box_address_next(txn, &picking->target.box, after,
					     &at);
		after = &at;
		if (err == ERR_OK)
			err = store_address_get(txn, &at, address);
		if (err == ERR_OK &&
		    json_array_append_new(picking->addresses,
					  json_address(address)) != 0)
			err = ERR_SYSTEM;
	}
	free(address);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err pick_body(struct store_txn *txn, void *arg)
{
	struct picking *picking = arg;
	struct store_box box;
	enum err err = box_operand_find(txn, &picking->target, &box);

	(void)json_array_clear(picking->addresses); /* it is one */
	if (err != ERR_OK)
		return err;
	err = store_login(txn, &box.name, &picking->account);
	return err == ERR_OK ? add_addresses(txn, picking) : err;
}

static int write_box(const char *path, const struct picking *picking)
{
	struct outfile file;
	size_t len = 0;
	char *text =
		box_record_write(&picking->account, picking->addresses, &len);
	int code = text ? outfile_open(path, &file)
			: say_error(CODE_LATER, "no memory");

	if (text && code == CODE_DONE) {
		code = outfile_write(&file, text, len);
		if (code == CODE_DONE)
			code = outfile_keep(&file);
		outfile_close(&file);
	}
	if (text)
		secret_wipe(text, len);
	free(text);
	return code;
}

static int one(struct site *site, const char *only, const char *path)
{
	struct picking picking = {.addresses = json_array()};
	enum err err;
	int code = box_operand_read(only, &picking.target);

	if (code == CODE_DONE && !picking.addresses)
		code = say_error(CODE_LATER, "no memory");
	if (code == CODE_DONE)
		code = site_open_read(site);
	if (code == CODE_DONE) {
		err = store_read(site->store, pick_body, &picking);
		if (err == ERR_NOTFOUND)
			code = box_operand_missing(&picking.target,
						   CODE_REFUSED);
		else if (err != ERR_OK)
			code = site_failed(site, err, picking.target.text);
		else
			code = write_box(path, &picking);
	}
	json_decref(picking.addresses);
	secret_wipe(&picking.account, sizeof picking.account);
	return code;
}

int cmd_backup(struct site *site, const struct args *args)
{
	const char *only = args_get(args, "--only");
	const char *path = args->operand[0];
	int code;

	if (only) {
		code = one(site, only, path);
	} else {
		code = site_config(site);
		if (code == CODE_DONE)
			code = backup_store(site, path);
		if (code == CODE_DONE)
			status_touch(site->dir, STATUS_BACKUP);
	}
	if (code == CODE_DONE)
		say_note("written: '%s' (it holds password hashes: keep it as "
			 "secret as the store)",
			 path);
	return code;
}
