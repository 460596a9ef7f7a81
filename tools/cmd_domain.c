/* cmd_domain.c: popbox domain add. */
#include <stdlib.h>
#include <string.h>

#include "aim.h"
#include "change.h"
#include "commands.h"
#include "idn.h"
#include "json.h"
#include "operand.h"
#include "preflight.h"
#include "say.h"

const struct args_option cmd_domain_add_options[] = {
	{"--handle", "H", "the customer whose it is; made if new"},
	{"--kind", "KIND", "pop: boxes here [pop]"},
	{"--alias-of", "DOMAIN", "another name for that domain's boxes"},
	{"--no-subdomains", NULL, "not for hosts below it"},
	{"--postmaster", "TARGET",
	 "where postmaster@ leads: a box, or an address [that of the "
	 "handle's first domain, else a new box]"},
	ADOPT_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

/* What is to be added, and where postmaster is to lead. */
struct wish {
	struct store_domain domain;
	const char *target; /* --postmaster, or NULL */
	bool adopt;
	bool new_box; /* postmaster needs one */
	struct store_address postmaster;
};

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

/* A new box: 0000, or if the handle has given numbers before, the next one. */
static enum err aim_new(struct store_txn *txn, struct wish *wish)
{
	struct name_box *box = &wish->postmaster.box;
	enum err err = store_box_number(txn, &wish->domain.handle,
					&box->number);

	box->handle = wish->domain.handle;
	if (box->number == 1)
		box->number = 0;
	wish->postmaster.has_box = wish->new_box = true;
	return err;
}

/* TARGET; else the handle's box 0000; else what its first domain does; else a
 * new box. */
static enum err aim_postmaster(struct store_txn *txn, struct wish *wish)
{
	struct store_address *postmaster = &wish->postmaster;
	struct store_box box;
	enum err err;

	*postmaster = (struct store_address){
		.name = {{"postmaster"}, wish->domain.name}};
	wish->new_box = false;
	if (wish->target)
		return aim_add(txn, wish->target, postmaster);
	postmaster->box = (struct name_box){wish->domain.handle, 0};
	err = store_box_get(txn, &postmaster->box, &box);
	postmaster->has_box = err == ERR_OK;
	if (err == ERR_NOTFOUND)
		err = copy_first(txn, wish);
	return err == ERR_NOTFOUND ? aim_new(txn, wish) : err;
}

/* An alias belongs to whom its target does. */
static enum err take_target_handle(struct store_txn *txn, struct wish *wish)
{
	struct store_domain target;
	enum err err;

	if (wish->domain.kind != STORE_ALIAS)
		return ERR_OK;
	err = store_domain_get(txn, &wish->domain.target, &target);
	if (err == ERR_NOTFOUND)
		return store_refuse(txn, ERR_INVALID, "there is no domain '%s'",
				    wish->domain.target.s);
	if (err == ERR_OK)
		wish->domain.handle = target.handle;
	return err;
}

static enum err add_body(struct store_txn *txn, void *arg)
{
	struct wish *wish = arg;
	const struct name_handle *owner = &wish->domain.handle;
	struct store_handle handle;
	enum err err = take_target_handle(txn, wish);

	if (err == ERR_OK)
		err = store_handle_get(txn, owner, &handle);
	if (err == ERR_NOTFOUND)
		err = store_handle_add(txn, owner);
	if (err == ERR_OK)
		err = store_domain_add(txn, &wish->domain);
	if (err != ERR_OK || wish->domain.kind == STORE_ALIAS)
		return err; /* an alias has its target's postmaster */
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

/* Looks before anything is changed: what the store says against it, then what
 * qmail's files do, and a postmaster file made by hand. */
static int look(struct site *site, struct wish *wish)
{
	int code = change_try(site, add_body, wish, wish->domain.name.s);

	if (code != CODE_DONE)
		return code;
	if (!preflight_domain(site, &wish->domain))
		return say_error(CODE_REFUSED,
				 "domain '%s' was not added: nothing was "
				 "changed",
				 wish->domain.name.s);
	if (wish->domain.kind == STORE_ALIAS)
		return CODE_DONE;
	return preflight_address(site, &wish->domain.handle, &wish->postmaster,
				 wish->adopt);
}

/* The target of an alias, or the handle of any other domain. */
static int read_owner(const struct args *args, struct wish *wish)
{
	const char *handle = args_get(args, "--handle");
	const char *target = args_get(args, "--alias-of");

	if (target && (handle || wish->target || args_has(args, "--kind")))
		return say_error(CODE_USAGE, "an alias takes handle, kind and "
					     "postmaster from its target");
	if (target) {
		wish->domain.kind = STORE_ALIAS;
		return operand_domain(target, &wish->domain.target);
	}
	if (!handle)
		return say_error(CODE_USAGE,
				 "domain '%s': whose is it? say --handle H",
				 wish->domain.name.s);
	return operand_handle(handle, &wish->domain.handle);
}

static int read_wish(const struct args *args, struct wish *wish)
{
	const char *text = args->operand[0];
	const char *kind = args_get(args, "--kind");
	const char *why;

	*wish = (struct wish){.target = args_get(args, "--postmaster"),
			      .adopt = args_has(args, "--adopt")};
	wish->domain.kind = STORE_POP;
	wish->domain.subdomains = !args_has(args, "--no-subdomains");
	why = idn_domain(text, &wish->domain.name, wish->domain.utf8);
	if (why)
		return say_error(CODE_REFUSED, "domain '%s': %s", text, why);
	if (kind && strcmp(kind, "pop") != 0)
		return say_error(CODE_USAGE, "kind '%s' is not known: it is "
					     "'pop'", kind);
	return read_owner(args, wish);
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
