/* SPDX-License-Identifier: MIT */
/* cmd_handle_show.c: popbox handle list and show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/holds.h"
#include "base/json.h"
#include "base/say.h"
#include "base/words.h"
#include "cli/box_usage.h"
#include "cli/commands.h"
#include "cli/operand.h"
#include "cli/pager.h"

const struct args_option cmd_handle_list_options[] = {
	{"--suspended", NULL, "only those whose boxes cannot log in"},
	PAGER_OPTIONS,
	{NULL, NULL, NULL},
};

struct handful {
	struct store_handle handle[PAGER_HANDFUL];
	size_t count;
	struct name_handle last;
	bool started;
	bool suspended;
};

static enum err next_body(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;
	struct name_handle at = some->last;
	bool started = some->started;
	struct holds holds;
	enum err err = ERR_OK;

	some->count = 0;
	while (some->count < PAGER_HANDFUL) {
		struct store_handle *handle = &some->handle[some->count];

		err = store_handle_next(txn, started ? &at : NULL, handle);
		if (err != ERR_OK)
			break;
		at = handle->name;
		started = true;
		holds_handle(handle, &holds);
		some->count += !some->suspended || !holds.login;
	}
	some->last = at;
	some->started = started;
	return err;
}

enum { HANDLE, LOGIN, DELIVERY, NAME, REASON, EXPIRES, CREATED };

const struct pager_column pager_handles[] = {
	[HANDLE] = {"handle", TABLE_NAME, false},
	[LOGIN] = {"login", TABLE_NAME, false},
	[DELIVERY] = {"delivery", TABLE_NAME, false},
	[NAME] = {"name", TABLE_TEXT, false},
	[REASON] = {"reason", TABLE_TEXT, false},
	[EXPIRES] = {"expires", TABLE_NAME, true},
	[CREATED] = {"created", TABLE_NAME, true},
	{NULL, TABLE_TEXT, false},
};

static bool handle_row(const struct site *site, const void *arg, size_t index,
		       struct pager_cells *cells, json_t **ret_object)
{
	const struct handful *some = arg;
	const struct store_handle *handle = &some->handle[index];
	const int64_t end = handle->state.expires;
	char text[SAY_TIME_TEXT], cell[HOLDS_CELL];
	struct holds holds;

	(void)site;
	holds_handle(handle, &holds);
	if (cells) {
		pager_cell(cells, HANDLE, handle->name.s);
		pager_cell(cells, LOGIN, 
			   holds_login_cell(&holds, STORE_HANDLES, cell));
		pager_cell(cells, DELIVERY,
			   word_delivery(handle->state.delivery));
		pager_cell(cells, NAME, handle->title);
		pager_cell(cells, REASON, handle->state.reason);
		pager_cell(cells, EXPIRES, end ? say_time(end, text) : "");
		pager_cell(cells, CREATED,
			   say_time(handle->state.created, text));
	}
	if (ret_object)
		*ret_object = json_handle(handle);
	return true;
}

int cmd_handle_list(struct site *site, const struct args *args)
{
	struct handful *some = calloc(1, sizeof *some);
	struct pager list = {"handle list", pager_handles, 1,	next_body,
			     handle_row,    some,	   NULL};
	struct pager_view view;
	int code;

	if (!some)
		return say_error(CODE_LATER, "no memory");
	list.count = &some->count;
	some->suspended = args_has(args, "--suspended");
	code = pager_read(site, args, &list, NULL, &view);
	if (code == CODE_DONE)
		code = site_open_read(site);
	if (code == CODE_DONE)
		code = pager_print(site, &list, &view);
	free(some);
	return code;
}

struct shown {
	struct store_handle handle;
	char login[HOLDS_LINE], delivery[HOLDS_LINE];
	uint64_t domains, boxes, addresses;
};

static enum err show_holds(struct store_txn *txn, struct shown *shown)
{
	struct holds holds;
	enum err err;

	holds_handle(&shown->handle, &holds);
	err = holds_login_line(txn, &holds, shown->login);
	if (err == ERR_OK)
		err = holds_delivery_line(txn, &holds, shown->delivery);
	return err;
}

static enum err show_body(struct store_txn *txn, void *arg)
{
	struct shown *shown = arg;
	const struct name_handle name = shown->handle.name;
	enum err err = store_handle_get(txn, &name, &shown->handle);

	if (err == ERR_OK)
		err = show_holds(txn, shown);
	if (err == ERR_OK)
		err = store_handle_count(txn, &name, STORE_DOMAINS,
					 &shown->domains);
	if (err == ERR_OK)
		err = store_handle_count(txn, &name, STORE_BOXES,
					 &shown->boxes);
	return err == ERR_OK ? store_handle_count(txn, &name, STORE_ADDRESSES,
						  &shown->addresses)
			     : err;
}

/* "17", or "17 of 20". */
static void print_count(const char *label, uint64_t count, uint32_t most)
{
	char limit[24] = "";

	if (most)
		(void)snprintf(limit, sizeof limit, " of %u", most);
	say_out("%-11s %llu%s", label, (unsigned long long)count, limit);
}

static void print_shown(const struct shown *shown)
{
	const struct store_handle *handle = &shown->handle;
	char clean[STORE_TITLE_MAX + 1], time[SAY_TIME_TEXT];
	char text[BOX_USAGE_TEXT];
	struct maildirsize limit;

	say_out("handle      %s", handle->name.s);
	say_clean(handle->title, clean, sizeof clean);
	say_out("name        %s", clean[0] ? clean : "-");
	say_out("login       %s", shown->login);
	say_out("delivery    %s", shown->delivery);
	say_clean(handle->state.reason, clean, sizeof clean);
	say_out("reason      %s", clean[0] ? clean : "-");
	limit.bytes = handle->quota.bytes;
	limit.messages = handle->quota.messages;
	box_usage_text(&limit, text);
	if (limit.bytes || limit.messages)
		say_out("quota       %s", text);
	if (handle->state.expires)
		say_out("expires     %s",
			say_time(handle->state.expires, time));
	print_count("domains", shown->domains, handle->max_domains);
	print_count("boxes", shown->boxes, handle->max_boxes);
	print_count("addresses", shown->addresses, handle->max_addresses);
	say_out("next box    %s-%04u", handle->name.s, handle->next_box);
	say_out("created     %s", say_time(handle->state.created, time));
}

int cmd_handle_show(struct site *site, const struct args *args)
{
	struct shown shown;
	int code = operand_handle(args->operand[0], &shown.handle.name);
	enum err err;

	if (code == CODE_DONE)
		code = site_open_read(site);
	if (code != CODE_DONE)
		return code;
	err = store_read(site->store, show_body, &shown);
	if (err == ERR_NOTFOUND)
		return say_error_as(CODE_NO, SAY_UNKNOWN,
				    "there is no handle '%s' ('popbox "
				    "handle list' shows all)",
				    shown.handle.name.s);
	if (err != ERR_OK)
		return site_failed(site, err, shown.handle.name.s);
	if (site->json)
		json_print(json_handle(&shown.handle));
	else
		print_shown(&shown);
	return CODE_DONE;
}
