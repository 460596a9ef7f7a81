/* cmd_domain.c: popbox domain add, list, show. */
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "commands.h"
#include "idn.h"
#include "json.h"
#include "list.h"
#include "publish.h"
#include "say.h"

const struct args_option cmd_domain_add_options[] = {
	{"--handle", "H", "the customer whose it is; made if new"},
	{"--kind", "KIND", "pop: boxes here [pop]"},
	{"--no-subdomains", NULL, "not for hosts below it"},
	{"--postmaster", "TARGET",
	 "where postmaster@ leads: a box, or an address [that of the "
	 "handle's first domain, else the new box H-0000]"},
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_domain_list_options[] = {
	{"--handle", "H", "only those of this handle"},
	{NULL, NULL, NULL},
};

/* What is to be added, and where postmaster is to lead. */
struct wish {
	struct store_domain domain;
	const char *target; /* --postmaster, or NULL */
	bool new_box;	    /* postmaster needs H-0000 */
	struct store_address postmaster;
};

/* A box of any handle, or an address: of ours the box behind it, any other as
 * a forward. */
static enum err aim(struct store_txn *txn, const char *target,
		    struct store_address *address)
{
	struct store_address other;
	struct name_address name;
	size_t len;
	enum err err;

	if (!name_box_read(target, strlen(target), &address->box)) {
		address->has_box = true;
		return ERR_OK;
	}
	if (idn_address(target, false, &name))
		return store_refuse(txn, ERR_INVALID,
				    "'%s' is neither a box (ex1-0001) nor an "
				    "address",
				    target);
	err = store_address_get(txn, &name, &other);
	if (err == ERR_OK && other.has_box) {
		address->box = other.box;
		address->has_box = true;
		return ERR_OK;
	}
	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	name_address_text(&name, address->forwards);
	len = strlen(address->forwards);
	address->forwards_len = len + 1;
	return ERR_OK;
}

/* The postmaster of the first domain of this handle that has one. */
static enum err copy_first(struct store_txn *txn, struct wish *wish)
{
	struct store_address *postmaster = &wish->postmaster;
	struct name_address name = postmaster->name;
	struct store_domain domain;
	enum err err = store_domain_next(txn, NULL, &domain);

	while (err == ERR_OK) {
		struct name_address there = {name.local, domain.name};

		if (strcmp(domain.handle.s, wish->domain.handle.s) == 0) {
			err = store_address_get(txn, &there, postmaster);
			postmaster->name = name;
			if (err != ERR_NOTFOUND)
				return err;
		}
		err = store_domain_next(txn, &domain.name, &domain);
	}
	return err;
}

/* TARGET; else the handle's box 0000; else what its first domain does; else a
 * new box 0000. */
static enum err aim_postmaster(struct store_txn *txn, struct wish *wish)
{
	struct store_address *postmaster = &wish->postmaster;
	struct store_handle handle;
	struct store_box box;
	enum err err;

	*postmaster = (struct store_address){
		.name = {{"postmaster"}, wish->domain.name}};
	wish->new_box = false;
	if (wish->target)
		return aim(txn, wish->target, postmaster);
	err = store_handle_get(txn, &wish->domain.handle, &handle);
	postmaster->box = (struct name_box){wish->domain.handle, 0};
	postmaster->has_box = true;
	if (err == ERR_OK)
		err = store_box_get(txn, &postmaster->box, &box);
	else if (err == ERR_NOTFOUND)
		wish->new_box = true; /* a new handle has no domain yet */
	if (err == ERR_NOTFOUND && !wish->new_box) {
		err = copy_first(txn, wish);
		if (err == ERR_NOTFOUND) {
			wish->new_box = true;
			postmaster->box =
				(struct name_box){wish->domain.handle, 0};
			postmaster->has_box = true;
		}
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err add_body(struct store_txn *txn, void *arg)
{
	struct wish *wish = arg;
	const struct name_handle *owner = &wish->domain.handle;
	struct store_handle handle;
	enum err err = store_handle_get(txn, owner, &handle);

	if (err == ERR_NOTFOUND)
		err = store_handle_add(txn, owner);
	if (err == ERR_OK)
		err = store_domain_add(txn, &wish->domain);
	if (err == ERR_OK)
		err = aim_postmaster(txn, wish);
	if (err == ERR_OK && wish->new_box)
		err = store_box_add(txn,
				    &(struct store_box){
					    .name = wish->postmaster.box,
					    .title = "postmaster"});
	if (err == ERR_OK)
		err = store_address_add(txn, &wish->postmaster);
	return err;
}

/* Looks before anything is changed: at qmail's files, and at a postmaster
 * file made by hand. */
static enum err look_body(struct store_txn *txn, void *arg)
{
	struct wish *wish = arg;

	return aim_postmaster(txn, wish);
}

static int look(struct site *site, struct wish *wish)
{
	enum err err = store_read(site->store, look_body, wish);

	if (err != ERR_OK)
		return site_failed(site, err, wish->domain.name.s);
	if (!publish_judge_domain(site, &wish->domain))
		return say_error(CODE_REFUSED,
				 "domain '%s' was not added: nothing was "
				 "changed",
				 wish->domain.name.s);
	return publish_judge_address(site, &wish->domain.handle,
				     &wish->postmaster);
}

static int read_wish(const struct args *args, struct wish *wish)
{
	const char *text = args->operand[0];
	const char *handle = args_get(args, "--handle");
	const char *kind = args_get(args, "--kind");
	const char *why;

	*wish = (struct wish){.target = args_get(args, "--postmaster")};
	wish->domain.kind = STORE_POP;
	wish->domain.subdomains = !args_has(args, "--no-subdomains");
	why = idn_domain(text, &wish->domain.name, wish->domain.utf8);
	if (why)
		return say_error(CODE_REFUSED, "domain '%s': %s", text, why);
	if (!handle)
		return say_error(CODE_USAGE,
				 "domain '%s': whose is it? say --handle H",
				 wish->domain.name.s);
	why = name_handle_read(handle, strlen(handle), &wish->domain.handle);
	if (why)
		return say_error(CODE_REFUSED, "handle '%s': %s", handle, why);
	if (kind && strcmp(kind, "pop") != 0)
		return say_error(CODE_USAGE, "kind '%s' is not known: it is "
					     "'pop'", kind);
	return CODE_DONE;
}

int cmd_domain_add(struct site *site, const struct args *args)
{
	struct wish *wish = malloc(sizeof *wish);
	bool changed = false;
	int code;

	if (!wish)
		return say_error(CODE_LATER, "no memory");
	code = read_wish(args, wish);
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = look(site, wish);
	if (code == CODE_DONE)
		code = change(site, add_body, wish, wish->domain.name.s,
			      &changed);
	if (changed && site->json)
		json_print(json_domain(&wish->domain));
	else if (changed)
		say_note("domain '%s' added for handle '%s'",
			 wish->domain.name.s, wish->domain.handle.s);
	free(wish);
	return code;
}

struct handful {
	struct store_domain domain[LIST_HANDFUL];
	size_t count;
	struct name_domain last;
	bool started;
	const char *handle;
};

static enum err next_body(struct store_txn *txn, void *arg)
{
	struct handful *some = arg;
	struct name_domain at = some->last;
	bool started = some->started;
	struct store_domain domain;
	enum err err = ERR_OK;

	some->count = 0;
	while (some->count < LIST_HANDFUL) {
		err = store_domain_next(txn, started ? &at : NULL, &domain);
		if (err != ERR_OK)
			break;
		at = domain.name;
		started = true;
		if (!some->handle ||
		    strcmp(some->handle, domain.handle.s) == 0)
			some->domain[some->count++] = domain;
	}
	some->last = at;
	some->started = started;
	return err;
}

static void print_domain(const struct site *site, struct table *table,
			 const void *arg, size_t index)
{
	const struct handful *some = arg;
	const struct store_domain *domain = &some->domain[index];
	const char *cells[] = {domain->utf8[0] ? domain->utf8 : domain->name.s,
			       domain->handle.s, json_kind(domain->kind),
			       domain->state.login ? "on" : "off",
			       json_delivery(domain->state.delivery)};

	if (site->json)
		json_print(json_domain(domain));
	else
		table_row(table, cells);
}

int cmd_domain_list(struct site *site, const struct args *args)
{
	static const char *const header[] = {"DOMAIN", "HANDLE", "KIND",
					     "LOGIN", "DELIVERY", NULL};
	struct handful *some;
	struct list list = {"domain list", header, next_body, print_domain,
			    NULL, NULL};
	int code = site_open_read(site);

	if (code != CODE_DONE)
		return code;
	some = calloc(1, sizeof *some);
	if (!some)
		return say_error(CODE_LATER, "no memory");
	some->handle = args_get(args, "--handle");
	list.arg = some;
	list.count = &some->count;
	code = list_print(site, &list);
	free(some);
	return code;
}

struct shown {
	struct name_domain name;
	struct store_domain domain;
	unsigned long addresses;
};

static enum err show_body(struct store_txn *txn, void *arg)
{
	struct shown *shown = arg;
	struct name_address at = {{""}, shown->name};
	struct store_address address;
	enum err err = store_domain_get(txn, &shown->name, &shown->domain);

	shown->addresses = 0;
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
	char text[SAY_TIME_TEXT];

	say_out("domain      %s", domain->name.s);
	if (domain->utf8[0])
		say_out("written     %s", domain->utf8);
	say_out("handle      %s", domain->handle.s);
	say_out("kind        %s", json_kind(domain->kind));
	say_out("subdomains  %s", domain->subdomains ? "yes" : "no");
	say_out("login       %s", domain->state.login ? "on" : "off");
	say_out("delivery    %s", json_delivery(domain->state.delivery));
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
		return say_error(CODE_NO, "there is no domain '%s' ('popbox "
				 "domain list' shows all)",
				 shown.name.s);
	if (err != ERR_OK)
		return site_failed(site, err, shown.name.s);
	if (site->json)
		json_print(json_domain(&shown.domain));
	else
		print_shown(&shown);
	return CODE_DONE;
}
