/* SPDX-License-Identifier: MIT */
/* cmd_domain_show.c: popbox domain list and show. */
#include <stdlib.h>
#include <string.h>

#include "accounts/holds.h"
#include "base/idn.h"
#include "base/json.h"
#include "base/say.h"
#include "base/words.h"
#include "cli/box_usage.h"
#include "cli/commands.h"
#include "cli/operand.h"
#include "cli/pager.h"
#include "qmail/lines.h"

const struct args_option cmd_domain_list_options[] = {
	{"--handle", "H", "only those of this handle"},
	{"--suspended", NULL, "only those by which nobody can log in"},
	PAGER_OPTIONS,
	{NULL, NULL, NULL},
};

struct handful {
	struct store_domain domain[PAGER_HANDFUL];
	struct holds holds[PAGER_HANDFUL];
	size_t count;
	struct name_domain last;
	bool started;
	const struct name_handle *handle; /* only of this one, or NULL */
	bool suspended;
};

static enum err next_body(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;
	struct name_domain at = some->last;
	bool started = some->started;
	struct store_domain domain;
	enum err err = ERR_OK;

	some->count = 0;
	while (some->count < PAGER_HANDFUL) {
		const struct name_domain *after = started ? &at : NULL;

		err = some->handle ? store_handle_domain_next(txn, some->handle,
							      after, &domain)
				   : store_domain_next(txn, after, &domain);
		if (err != ERR_OK)
			break;
		at = domain.name;
		started = true;
		err = holds_domain(txn, &domain, &some->holds[some->count]);
		if (err != ERR_OK)
			break;
		if (!some->suspended || !some->holds[some->count].login)
			some->domain[some->count++] = domain;
	}
	some->last = at;
	some->started = started;
	return err;
}

enum { DOMAIN, HANDLE, KIND, LOGIN, DELIVERY, TARGET, REASON, EXPIRES, CREATED };

const struct pager_column pager_domains[] = {
	[DOMAIN] = {"domain", TABLE_NAME, false},
	[HANDLE] = {"handle", TABLE_NAME, false},
	[KIND] = {"kind", TABLE_NAME, false},
	[LOGIN] = {"login", TABLE_NAME, false},
	[DELIVERY] = {"delivery", TABLE_NAME, false},
	[TARGET] = {"target", TABLE_NAME, true},
	[REASON] = {"reason", TABLE_TEXT, true},
	[EXPIRES] = {"expires", TABLE_NAME, true},
	[CREATED] = {"created", TABLE_NAME, true},
	{NULL, TABLE_TEXT, false},
};

static bool domain_row(const struct site *site, const void *arg, size_t index,
		       struct pager_cells *cells, json_t **ret_object)
{
	const struct handful *some = arg;
	const struct store_domain *domain = &some->domain[index];
	const struct holds *holds = &some->holds[index];
	const int64_t end = holds->terms.expires;
	char text[IDN_WRITTEN];

	(void)site;
	if (cells) {
		pager_cell(cells, DOMAIN, idn_written(domain->name.s, text));
		pager_cell(cells, HANDLE, domain->handle.s);
		pager_cell(cells, KIND, word_kind(domain->kind));
		pager_cell(cells, LOGIN,
			   holds_login_cell(holds, STORE_DOMAINS, text));
		pager_cell(cells, DELIVERY,
			   holds_delivery_cell(holds, STORE_DOMAINS, text));
		pager_cell(cells, TARGET,
			   domain->kind == STORE_ALIAS
				   ? idn_written(domain->target.s, text)
				   : domain->host);
		pager_cell(cells, REASON, domain->state.reason);
		pager_cell(cells, EXPIRES, end ? say_time(end, text) : "");
		pager_cell(cells, CREATED,
			   say_time(domain->state.created, text));
	}
	if (ret_object) {
		*ret_object = json_domain(domain);
		holds_json(*ret_object, holds);
	}
	return true;
}

int cmd_domain_list(struct site *site, const struct args *args)
{
	struct handful *some = calloc(1, sizeof *some);
	struct pager list = {"domain list", pager_domains, 1,	next_body,
			     domain_row,    some,	   NULL};
	const char *text = args_get(args, "--handle");
	struct name_handle handle;
	struct pager_view view;
	int code = text ? operand_handle(text, &handle) : CODE_DONE;

	if (!some)
		return say_error(CODE_LATER, "no memory");
	if (code == CODE_DONE)
		code = pager_read(site, args, &list, NULL, &view);
	if (code == CODE_DONE)
		code = site_open_read(site);
	some->handle = text ? &handle : NULL;
	some->suspended = args_has(args, "--suspended");
	list.count = &some->count;
	if (code == CODE_DONE)
		code = pager_print(site, &list, &view);
	free(some);
	return code;
}

struct shown {
	struct name_domain name;
	struct store_domain domain;
	struct holds holds;
	char login[HOLDS_LINE], delivery[HOLDS_LINE];
	unsigned long addresses;
};

static enum err show_body(struct store_txn *txn, void *arg)
{
	struct shown *shown = arg;
	struct name_address at = {{""}, shown->name};
	struct store_address address;
	enum err err = store_domain_get(txn, &shown->name, &shown->domain);

	shown->addresses = 0;
	if (err == ERR_OK)
		err = holds_domain(txn, &shown->domain, &shown->holds);
	if (err == ERR_OK)
		err = holds_login_line(txn, &shown->holds, shown->login);
	if (err == ERR_OK)
		err = holds_delivery_line(txn, &shown->holds, shown->delivery);
	while (err == ERR_OK) {
		err = store_address_next(txn, &at, &address);
		if (err != ERR_OK ||
		    strcmp(address.name.domain.s, shown->name.s) != 0)
			return err == ERR_NOTFOUND ? ERR_OK : err;
		at = address.name;
		shown->addresses++;
	}
	return err;
}

static void print_shown(const struct shown *shown)
{
	const struct store_domain *domain = &shown->domain;
	char text[SAY_TIME_TEXT], host[NAME_DOMAIN_MAX + 16];
	char quota[BOX_USAGE_TEXT];
	struct maildirsize limit;

	say_out("domain      %s", domain->name.s);
	if (domain->utf8[0])
		say_out("written     %s", domain->utf8);
	say_out("handle      %s", domain->handle.s);
	say_out("kind        %s", word_kind(domain->kind));
	if (domain->kind == STORE_ALIAS)
		say_out("alias of    %s", domain->target.s);
	if (lines_host(domain, false, host, sizeof host) &&
	    (domain->kind == STORE_RELAY || domain->kind == STORE_DIALUP))
		say_out("host        %s", host);
	if (domain->ip[0])
		say_out("local ip    %s", domain->ip);
	say_out("subdomains  %s", domain->subdomains ? "yes" : "no");
	if (domain->extension)
		say_out("extension   %c", domain->extension);
	say_out("login       %s", shown->login);
	say_out("delivery    %s", shown->delivery);
	limit.bytes = domain->quota.bytes;
	limit.messages = domain->quota.messages;
	box_usage_text(&limit, quota);
	if (limit.bytes || limit.messages)
		say_out("quota       %s", quota);
	if (domain->state.expires)
		say_out("expires     %s",
			say_time(domain->state.expires, text));
	say_out("addresses   %lu", shown->addresses);
	say_out("created     %s", say_time(domain->state.created, text));
}

int cmd_domain_show(struct site *site, const struct args *args)
{
	struct shown shown;
	char utf8[NAME_DOMAIN_MAX + 1];
	const char *why = idn_domain(args->operand[0], &shown.name, utf8);
	enum err err;
	int code;

	if (why)
		return say_error(CODE_REFUSED, "domain '%s': %s",
				 args->operand[0], why);
	code = site_open_read(site);
	if (code != CODE_DONE)
		return code;
	err = store_read(site->store, show_body, &shown);
	if (err == ERR_NOTFOUND)
		return say_error_as(CODE_NO, SAY_UNKNOWN,
				    "there is no domain '%s' ('popbox "
				    "domain list' shows all)",
				    shown.name.s);
	if (err != ERR_OK)
		return site_failed(site, err, shown.name.s);
	if (site->json) {
		json_t *object = json_domain(&shown.domain);

		holds_json(object, &shown.holds);
		json_print(object);
	} else {
		print_shown(&shown);
	}
	return CODE_DONE;
}
