/* SPDX-License-Identifier: MIT */
/* cmd_address_show.c: popbox address list and show. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/holds.h"
#include "base/idn.h"
#include "base/json.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/operand.h"
#include "cli/pager.h"
#include "cli/unmanaged.h"
#include "store/path.h"

const struct args_option cmd_address_list_options[] = {
	{"--handle", "H", "only in domains of this handle"},
	{"--forwards", NULL, "only those that lead to other addresses"},
	{"--suspended", NULL, "only those that are switched off themselves"},
	{"--expiring", NULL, "only those that have an end"},
	PAGER_OPTIONS,
	{NULL, NULL, NULL},
};

struct handful {
	struct store_address address[PAGER_HANDFUL];
	struct holds holds[PAGER_HANDFUL];
	size_t count;
	struct name_address last;
	bool started;
	const struct name_domain *domain; /* only of this one, or NULL */
	const struct name_handle *handle; /* the same */
	bool forwards, suspended, expiring;
};

struct reading {
	struct store_txn *txn;
	struct handful *some;
};

static unsigned judge(const void *arg, const struct store_address *address)
{
	const struct reading *reading = arg;
	const struct handful *some = reading->some;

	return (!some->forwards || address->forwards_len) &&
	       (!some->suspended || address->delivery != STORE_DELIVER) &&
	       (!some->expiring || address->expires);
}

static enum err take(void *arg, const struct store_address *address)
{
	struct reading *reading = arg;
	struct handful *some = reading->some;
	enum err err = holds_address(reading->txn, address,
				     &some->holds[some->count]);

	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_DAMAGED : err;
	some->address[some->count++] = *address;
	some->last = address->name;
	some->started = true;
	return some->count == PAGER_HANDFUL ? ERR_NOTFOUND : ERR_OK;
}

/* Of one domain, or of all. */
static enum err fill(struct reading *reading, const struct name_domain *domain)
{
	struct handful *some = reading->some;
	const struct store_address_scan scan = {
		.domain = domain,
		.after = some->started ? &some->last : NULL,
		.judge = judge,
		.take = take,
		.arg = reading};

	return store_address_scan(reading->txn, &scan);
}

/* The domains of a handle come in the order of all. */
static enum err fill_by_handle(struct reading *reading)
{
	struct handful *some = reading->some;
	struct store_domain domain;
	enum err err = ERR_NOTFOUND;

	if (some->started)
		err = fill(reading, &some->last.domain);
	while (err == ERR_NOTFOUND && some->count < PAGER_HANDFUL) {
		err = store_handle_domain_next(reading->txn, some->handle,
					       some->started
						       ? &some->last.domain
						       : NULL,
					       &domain);
		if (err != ERR_OK)
			return err;
		some->last = (struct name_address){{""}, domain.name};
		some->started = true;
		err = fill(reading, &domain.name);
	}
	return err;
}

/* Where both are given, the domain has to be the handle's. */
static enum err fill_by_both(struct reading *reading)
{
	const struct handful *some = reading->some;
	struct store_domain domain;
	enum err err = store_domain_get(reading->txn, some->domain, &domain);

	if (err == ERR_OK && strcmp(domain.handle.s, some->handle->s) != 0)
		err = ERR_NOTFOUND;
	return err == ERR_OK ? fill(reading, some->domain) : err;
}

static enum err next_body(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;
	struct reading reading = {txn, some};

	some->count = 0;
	if (!some->handle)
		return fill(&reading, some->domain);
	return some->domain ? fill_by_both(&reading)
			    : fill_by_handle(&reading);
}

enum { ADDRESS, BOX, FORWARDS, LOGIN, DELIVERY, REASON, EXPIRES };

const struct pager_column pager_addresses[] = {
	[ADDRESS] = {"address", TABLE_NAME, false},
	[BOX] = {"box", TABLE_NAME, false},
	[FORWARDS] = {"forwards", TABLE_NAMES, false},
	[LOGIN] = {"login", TABLE_NAME, false},
	[DELIVERY] = {"delivery", TABLE_NAME, false},
	[REASON] = {"reason", TABLE_TEXT, true},
	[EXPIRES] = {"expires", TABLE_NAME, true},
	{NULL, TABLE_TEXT, false},
};

/* All forwards on one line. */
static void join(const struct store_address *address, struct pager_cells *cells)
{
	char text[2 * STORE_FORWARDS_MAX], written[IDN_WRITTEN];
	size_t len = 0;

	text[0] = 0;
	for (size_t at = 0; at < address->forwards_len && len < sizeof text;
	     at += strlen(address->forwards + at) + 1)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s",
					len ? " " : "",
					idn_written(address->forwards + at,
						    written));
	pager_cell(cells, FORWARDS, text);
}

static bool address_row(const struct site *site, const void *arg, size_t index,
			struct pager_cells *cells, json_t **ret_object)
{
	const struct handful *some = arg;
	const struct store_address *address = &some->address[index];
	const struct holds *holds = &some->holds[index];
	char text[NAME_ADDRESS_TEXT], written[IDN_WRITTEN];

	(void)site;
	if (cells) {
		name_address_text(&address->name, text);
		pager_cell(cells, ADDRESS, idn_written(text, written));
		if (address->has_box)
			name_box_text(&address->box, text);
		pager_cell(cells, BOX, address->has_box ? text : "");
		join(address, cells);
		pager_cell(
			cells, LOGIN,
			address->has_box
				? holds_login_cell(holds, STORE_ADDRESSES, text)
				: "");
		pager_cell(cells, DELIVERY,
			   holds_delivery_cell(holds, STORE_ADDRESSES, text));
		pager_cell(cells, REASON, address->reason);
		pager_cell(cells, EXPIRES,
			   address->expires ? say_time(address->expires, text)
					    : "");
	}
	if (ret_object) {
		*ret_object = json_address(address);
		holds_json(*ret_object, holds);
	}
	return true;
}

static enum err there_body(struct store_txn *txn, void *arg)
{
	struct store_domain domain;

	return store_domain_get(txn, arg, &domain);
}

/* Before the header of a table is printed. */
static int there(struct site *site, const struct name_domain *name)
{
	struct name_domain copy = *name;
	enum err err = store_read(site->store, there_body, &copy);

	if (err != ERR_NOTFOUND)
		return site_failed(site, err, name->s);
	return say_error_as(
		CODE_NO, SAY_UNKNOWN,
		"there is no domain '%s' ('popbox domain list' shows "
		"all)",
		name->s);
}

/* Files made by hand have no rows of the list's form. */
static int list(struct site *site, const struct pager *all,
		const struct pager_view *view, const struct handful *some)
{
	int code = some->domain ? there(site, some->domain) : CODE_DONE;

	if (code == CODE_DONE)
		code = pager_print(site, all, view);
	return code == CODE_DONE && some->domain && !view->chosen &&
			       !view->csv && !view->limit
		       ? unmanaged_list(site, some->domain)
		       : code;
}

int cmd_address_list(struct site *site, const struct args *args)
{
	const char *text = args_get(args, "--handle");
	struct handful *some = calloc(1, sizeof *some);
	struct pager all = {"address list",
			    pager_addresses,
			    3,
			    next_body,
			    address_row,
			    some,
			    NULL};
	struct name_handle handle;
	struct name_domain domain;
	struct pager_view view;
	int code = CODE_DONE;

	if (!some)
		return say_error(CODE_LATER, "no memory");
	if (text)
		code = operand_handle(text, &handle);
	if (code == CODE_DONE && args->operands)
		code = operand_domain(args->operand[0], &domain);
	if (code == CODE_DONE)
		code = pager_read(site, args, &all, NULL, &view);
	if (code == CODE_DONE)
		code = site_open_look(site);
	some->handle = text ? &handle : NULL;
	some->domain = args->operands ? &domain : NULL;
	some->forwards = args_has(args, "--forwards");
	some->suspended = args_has(args, "--suspended");
	some->expiring = args_has(args, "--expiring");
	all.count = &some->count;
	if (code == CODE_DONE)
		code = list(site, &all, &view, some);
	free(some);
	return code;
}

struct shown {
	struct store_address address;
	struct store_domain domain;
	struct holds holds;
	char login[HOLDS_LINE], delivery[HOLDS_LINE];
};

static enum err show_body(struct store_txn *txn, void *arg)
{
	struct shown *shown = arg;
	const struct name_address name = shown->address.name;
	enum err err = store_domain_get(txn, &name.domain, &shown->domain);

	if (err == ERR_OK)
		err = store_address_get(txn, &name, &shown->address);
	shown->address.name = name;
	if (err == ERR_OK)
		err = holds_address(txn, &shown->address, &shown->holds);
	if (err == ERR_OK)
		err = holds_login_line(txn, &shown->holds, shown->login);
	if (err == ERR_OK)
		err = holds_delivery_line(txn, &shown->holds, shown->delivery);
	return err;
}

static void print_shown(const struct site *site, const struct shown *shown)
{
	const struct store_address *address = &shown->address;
	char text[NAME_ADDRESS_TEXT], path[PATH_MAX];
	char name[MAILROOT_QMAIL_NAME];

	name_address_text(&address->name, text);
	say_out("address  %s", text);
	if (address->has_box) {
		name_box_text(&address->box, text);
		say_out("box      %s", text);
	}
	for (size_t at = 0; at < address->forwards_len;
	     at += strlen(address->forwards + at) + 1)
		say_out("forward  %s", address->forwards + at);
	mailroot_qmail_name(&address->name.local, name);
	path_domain(site->config.home, &shown->domain.handle,
			     &address->name.domain, path);
	say_out("file     %s/%s", path, name);
	if (address->has_box)
		say_out("login    %s", shown->login);
	say_out("delivery %s", shown->delivery);
	if (address->expires)
		say_out("expires  %s", say_time(address->expires, text));
}

static int show(struct site *site, struct shown *shown)
{
	char text[NAME_ADDRESS_TEXT];
	enum err err = store_read(site->store, show_body, shown);

	name_address_text(&shown->address.name, text);
	if (err == ERR_NOTFOUND)
		return say_error_as(CODE_NO, SAY_UNKNOWN,
				    "there is no address '%s' ('popbox "
				    "address list' shows all)",
				    text);
	if (err != ERR_OK)
		return site_failed(site, err, text);
	if (site->json) {
		json_t *object = json_address(&shown->address);

		holds_json(object, &shown->holds);
		json_print(object);
	} else {
		print_shown(site, shown);
	}
	return CODE_DONE;
}

int cmd_address_show(struct site *site, const struct args *args)
{
	struct shown *shown = calloc(1, sizeof *shown);
	int code;

	if (!shown)
		return say_error(CODE_LATER, "no memory");
	code = operand_address(args->operand[0], &shown->address.name);
	if (code == CODE_DONE)
		code = site_open_read(site);
	if (code == CODE_DONE)
		code = show(site, shown);
	free(shown);
	return code;
}
