/* SPDX-License-Identifier: MIT */
/* cmd_address_switch.c: popbox address suspend and resume. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/operand.h"
#include "publish/change.h"

struct wish {
	struct name_address name;
	bool suspend;
	char reason[STORE_REASON_MAX + 1];
	int64_t now;
	struct store_address row;
};

/* Who resumes an address that has expired wants it without that end. */
static void turn(struct wish *wish)
{
	struct store_address *row = &wish->row;

	row->delivery = wish->suspend ? STORE_BOUNCE : STORE_DELIVER;
	memcpy(row->reason, wish->reason, sizeof row->reason);
	if (!wish->suspend && row->expires <= wish->now)
		row->expires = 0;
}

static enum err turn_body(struct store_txn *txn, void *arg)
{
	struct wish *wish = arg;
	enum err err = store_address_get(txn, &wish->name, &wish->row);

	if (err == ERR_NOTFOUND)
		return store_unknown(txn, "there is no such address ('popbox "
					  "address list' shows all)");
	if (err != ERR_OK)
		return err;
	turn(wish);
	err = store_address_set(txn, &wish->row);
	/* What is printed is what there is. */
	return err == ERR_OK ? store_address_get(txn, &wish->name, &wish->row)
			     : err;
}

static int run(struct site *site, struct wish *wish)
{
	char text[NAME_ADDRESS_TEXT];
	bool changed = false;
	int code = site_open_write(site);

	name_address_text(&wish->name, text);
	if (code == CODE_DONE)
		code = change(site, turn_body, wish, text, &changed);
	if (changed && site->json)
		change_print(site, json_address(&wish->row));
	else if (changed)
		say_note("address '%s' %s", text,
			 wish->suspend ? "suspended: mail for it bounces, "
					 "logins by it are as before"
				       : "resumed");
	return code;
}

static int begin(struct site *site, const struct args *args, bool suspend)
{
	struct wish *wish = calloc(1, sizeof *wish);
	int code;

	if (!wish)
		return say_error(CODE_LATER, "no memory");
	wish->suspend = suspend;
	wish->now = time(NULL);
	code = operand_address(args->operand[0], &wish->name);
	if (code == CODE_DONE && suspend)
		code = operand_text("reason", args_get(args, "--reason"),
				    wish->reason, sizeof wish->reason);
	if (code == CODE_DONE)
		code = run(site, wish);
	free(wish);
	return code;
}

int cmd_address_suspend(struct site *site, const struct args *args)
{
	return begin(site, args, true);
}

int cmd_address_resume(struct site *site, const struct args *args)
{
	return begin(site, args, false);
}
