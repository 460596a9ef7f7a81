/* cmd_domain.c: popbox domain add. */
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "commands.h"
#include "json.h"
#include "kind.h"
#include "operand.h"
#include "postmaster.h"
#include "preflight.h"
#include "say.h"

const struct args_option cmd_domain_add_options[] = {
	{"--handle", "H", "the customer whose it is; made if new"},
	KIND_OPTIONS,
	{"--alias-of", "DOMAIN", "another name for that domain's boxes"},
	{"--postmaster", "TARGET",
	 "where postmaster@ leads: a box, or an address [that of the "
	 "handle's first domain, else a new box]"},
	ADOPT_OPTION,
	FIX_LOCALS_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

/* What is to be added, and where postmaster is to lead. */
struct wish {
	struct store_domain domain;
	const char *target; /* --postmaster, or NULL */
	bool adopt;
	struct postmaster postmaster;
};

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
	if (err != ERR_OK || wish->domain.kind != STORE_POP)
		return err; /* an alias has its target's postmaster */
	wish->postmaster = (struct postmaster){.domain = wish->domain.name,
					       .owner = wish->domain.handle,
					       .target = wish->target};
	return postmaster_add(txn, &wish->postmaster);
}

/* Looks before anything is changed: what the store says against it, then what
 * qmail's files do, and a postmaster file made by hand. */
static int look(struct site *site, struct wish *wish)
{
	int code = change_try(site, add_body, wish, wish->domain.name.s);

	if (code != CODE_DONE)
		return code;
	code = preflight_domain(site, &wish->domain, wish->adopt);
	if (code == CODE_DONE && wish->domain.kind == STORE_POP)
		code = preflight_address(site, &wish->domain.handle,
					 &wish->postmaster.address,
					 wish->adopt);
	return code == CODE_DONE
		       ? CODE_DONE
		       : say_error(code,
				   "domain '%s' was not added: nothing was "
				   "changed",
				   wish->domain.name.s);
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
	int code;

	*wish = (struct wish){.target = args_get(args, "--postmaster"),
			      .adopt = args_has(args, "--adopt")};
	code = operand_new_domain(text, &wish->domain);
	if (code == CODE_DONE)
		code = kind_read(args, true, &wish->domain);
	if (code == CODE_DONE && wish->target &&
	    wish->domain.kind != STORE_POP)
		return say_error(CODE_USAGE, "only a pop domain has a "
					     "postmaster here");
	return code == CODE_DONE ? read_owner(args, wish) : code;
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
