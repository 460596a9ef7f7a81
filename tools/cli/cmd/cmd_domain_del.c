/* SPDX-License-Identifier: MIT */
/* cmd_domain_del.c: popbox domain del and rename. */
#include <stdlib.h>
#include <string.h>

#include "accounts/references.h"
#include "base/json.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/operand.h"
#include "cli/takedown.h"
#include "publish/change.h"
#include "publish/preflight.h"

const struct args_option cmd_domain_del_options[] = {
	KEEP_BOXES_OPTION,
	CONFIRM_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_domain_rename_options[] = {
	{"--keep", NULL, "the old name stays, as an alias of the new one"},
	FIX_LOCALS_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

static enum err del_body(struct store_txn *txn, void *arg)
{
	struct takedown *down = arg;
	enum err err = takedown_domain(txn, down);

	return err == ERR_OK ? references_list(txn, &down->references) : err;
}

int cmd_domain_del(struct site *site, const struct args *args)
{
	struct takedown down = {.keep_boxes =
					    args_has(args, "--keep-boxes")};
	const char *name = down.name.s;
	char addresses[SAY_COUNT_TEXT], boxes[SAY_COUNT_TEXT];
	bool changed = false;
	int code = operand_domain(args->operand[0], &down.name);

	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = change_try(site, del_body, &down, name);
	if (code == CODE_DONE) {
		references_say(&down.references);
		code = confirm(site, args,
			       "delete the domain '%s' with %s and %s", name,
			       say_count(down.addresses, "address", addresses),
			       say_count(down.boxes, "box", boxes));
	}
	if (code == CODE_DONE)
		code = change(site, del_body, &down, name, &changed);
	references_free(&down.references);
	if (changed)
		say_note("domain '%s' deleted with %s and %s; mail on its way "
			 "is still delivered until 'popbox purge'",
			 name, say_count(down.addresses, "address", addresses),
			 say_count(down.boxes, "box", boxes));
	return code;
}

struct renaming {
	struct name_domain from;
	struct store_domain to; /* its name, and what it takes over */
	bool keep;
	struct store_address address;
	unsigned long addresses;
	struct references references; /* to the old name */
};

/* The boxes stay where they are: only names change. */
static enum err move_addresses(struct store_txn *txn, struct renaming *renaming)
{
	const struct name_address none = {{""}, renaming->from};
	struct store_address *address = &renaming->address;
	enum err err = ERR_OK;

	while (err == ERR_OK) {
		struct name_address old;

		err = store_address_next(txn, &none, address);
		if (err != ERR_OK || strcmp(address->name.domain.s,
					    renaming->from.s) != 0)
			break;
		old = address->name;
		address->name.domain = renaming->to.name;
		err = store_address_add(txn, address);
		if (err == ERR_OK)
			err = store_address_del(txn, &old,
						STORE_GOES_ON);
		renaming->addresses++;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

static enum err move_aliases(struct store_txn *txn, const struct renaming *r)
{
	struct store_domain alias;
	enum err err = store_alias_next(txn, &r->from, NULL, &alias);

	while (err == ERR_OK) {
		alias.target = r->to.name;
		err = store_domain_set(txn, &alias);
		if (err == ERR_OK)
			err = store_alias_next(txn, &r->from, NULL, &alias);
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Everything but the name and the times is the old one's. */
static enum err take_over(struct store_txn *txn, struct renaming *r,
			  const struct store_domain *old)
{
	struct store_domain is;
	enum err err = store_domain_get(txn, &r->to.name, &is);

	if (err != ERR_OK)
		return err;
	memcpy(is.ip, old->ip, sizeof is.ip);
	is.state = old->state;
	err = store_domain_set(txn, &is);
	r->to = is;
	return err;
}

static enum err keep_name(struct store_txn *txn, const struct renaming *r,
			  const struct store_domain *old)
{
	struct store_domain alias = *old;

	if (!r->keep)
		return ERR_OK;
	alias.state.expires = 0; /* of the target it counts */
	if (old->kind != STORE_ALIAS) {
		alias.kind = STORE_ALIAS;
		alias.target = r->to.name;
	}
	return store_domain_add(txn, &alias);
}

static enum err rename_body(struct store_txn *txn, void *arg)
{
	struct renaming *r = arg;
	const struct store_domain to = r->to;
	struct store_domain old;
	enum err err = store_domain_get(txn, &r->from, &old);

	if (err != ERR_OK)
		return err;
	r->addresses = 0;
	r->to = old;
	r->to.name = to.name;
	memcpy(r->to.utf8, to.utf8, sizeof to.utf8);
	if (!r->keep)
		err = references_rename_domain(txn, &r->from, &r->to.name,
					       &r->references);
	if (err == ERR_OK)
		err = store_domain_add(txn, &r->to);
	if (err == ERR_OK)
		err = move_addresses(txn, r);
	if (err == ERR_OK)
		err = move_aliases(txn, r);
	if (err == ERR_OK)
		err = store_domain_del(txn, &r->from);
	if (err == ERR_OK)
		err = take_over(txn, r, &old);
	return err == ERR_OK ? keep_name(txn, r, &old) : err;
}

/* What the store says against it, then what qmail's files do. */
static int look(struct site *site, struct renaming *r)
{
	int code = change_try(site, rename_body, r, r->from.s);

	if (code != CODE_DONE)
		return code;
	code = preflight_domains(site, &r->to, 1, false);
	return code == CODE_DONE
		       ? CODE_DONE
		       : say_error(code, "domain '%s' was not renamed: nothing "
					 "was changed",
				   r->from.s);
}

static void say_renamed(struct site *site, const struct renaming *r)
{
	char count[SAY_COUNT_TEXT];

	if (site->json)
		change_print(site, json_domain(&r->to));
	else
		say_note("domain '%s' is '%s' now, with %s%s", r->from.s,
			 r->to.name.s,
			 say_count(r->addresses, "address", count),
			 r->keep ? "; the old name is an alias of it" : "");
	if (!r->keep && strcmp(site->config.default_domain, r->from.s) == 0)
		say_note("the setting 'default_domain' still names '%s' "
			 "('popbox config set default_domain %s')",
			 r->from.s, r->to.name.s);
}

int cmd_domain_rename(struct site *site, const struct args *args)
{
	struct renaming *r = calloc(1, sizeof *r);
	bool changed = false;
	int code;

	if (!r)
		return say_error(CODE_LATER, "no memory");
	r->keep = args_has(args, "--keep");
	code = operand_domain(args->operand[0], &r->from);
	if (code == CODE_DONE)
		code = operand_new_domain(args->operand[1], &r->to);
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = look(site, r);
	if (code == CODE_DONE)
		code = change(site, rename_body, r, r->from.s, &changed);
	if (changed)
		say_renamed(site, r);
	if (changed || (site->dry_run && code == CODE_DONE))
		references_say(&r->references);
	references_free(&r->references);
	free(r);
	return code;
}
