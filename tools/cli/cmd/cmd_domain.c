/* SPDX-License-Identifier: MIT */
/* cmd_domain.c: popbox domain add. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts/postmaster.h"
#include "base/json.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/kind_options.h"
#include "cli/operand.h"
#include "cli/state_options.h"
#include "publish/change.h"
#include "publish/preflight.h"

const struct args_option cmd_domain_add_options[] = {
	{"--handle", "H", "the handle of the domain; made if new"},
	KIND_OPTIONS,
	{"--alias-of", "DOMAIN", "another name for that domain's boxes"},
	STATE_EXPIRES,
	{"--from", "FILE", "also the domains of a list, one a line; - is "
			   "standard input"},
	{"--postmaster", "TARGET",
	 "where postmaster@ leads: a box, or an address [that of the "
	 "handle's first domain, else a new box]"},
	ADOPT_OPTION,
	FIX_LOCALS_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

/* What is to be added, all with the same owner and of the same kind, and where
 * postmaster is to lead. */
struct wish {
	struct store_domain *domain;
	size_t count, room;
	struct store_domain like; /* what they have in common */
	const char *target;	  /* --postmaster, or NULL */
	bool adopt;
	struct numbers numbers;
	struct postmaster postmaster;	/* of the last one */
	char at[NAME_DOMAIN_MAX + 1];	/* which one is being added */
	bool new_handle;
};

/* An alias belongs to whom its target does. */
static enum err take_target_handle(struct store_txn *txn,
				   struct store_domain *domain)
{
	struct store_domain target;
	enum err err;

	if (domain->kind != STORE_ALIAS)
		return ERR_OK;
	err = store_domain_get(txn, &domain->target, &target);
	if (err == ERR_NOTFOUND)
		return store_unknown(txn,
				     "there is no domain '%s' ('popbox domain "
				     "list' shows all)",
				     domain->target.s);
	if (err == ERR_OK)
		domain->handle = target.handle;
	return err;
}

static enum err add_one(struct store_txn *txn, struct wish *wish,
			struct store_domain *domain)
{
	struct store_handle handle;
	enum err err = take_target_handle(txn, domain);

	if (err == ERR_OK)
		err = store_handle_get(txn, &domain->handle, &handle);
	if (err == ERR_NOTFOUND) {
		wish->new_handle = true; /* a misspelt one is one, too */
		err = store_handle_add(txn, &domain->handle);
	}
	if (err == ERR_OK)
		err = store_domain_add(txn, domain);
	if (err != ERR_OK || domain->kind != STORE_POP)
		return err; /* an alias has its target's postmaster */
	wish->postmaster = (struct postmaster){.domain = domain->name,
					       .owner = domain->handle,
					       .numbers = &wish->numbers,
					       .target = wish->target};
	return postmaster_add(txn, &wish->postmaster);
}

static enum err add_body(struct store_txn *txn, void *arg)
{
	struct wish *wish = arg;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < wish->count; i++) {
		memcpy(wish->at, wish->domain[i].name.s, sizeof wish->at);
		err = add_one(txn, wish, &wish->domain[i]);
		if (err == ERR_OK) /* what is printed is what there is */
			err = store_domain_get(txn, &wish->domain[i].name,
					       &wish->domain[i]);
	}
	return err;
}

/* A postmaster file made by hand, in the way of one domain or of several. */
static int look_postmasters(struct site *site, struct wish *wish)
{
	char text[MAILROOT_QMAIL_MAX], path[PATH_MAX];

	if (wish->count == 1)
		return preflight_address(site, &wish->domain->handle,
					 &wish->postmaster.address,
					 wish->adopt);
	for (size_t i = 0; i < wish->count; i++) {
		const struct name_address name = {{"postmaster"},
						  wish->domain[i].name};
		size_t len;
		int rc = asuser_peek(site->asuser, &wish->domain[i].handle,
				     &name, text, &len, path);

		if (rc != ENOENT)
			return say_error(CODE_REFUSED,
					 "'%s' is there already (add that "
					 "domain by itself)",
					 path);
	}
	return CODE_DONE;
}

/* Looks before anything is changed: what the store says against it, then what
 * qmail's files do, and postmaster files made by hand. */
static int look(struct site *site, struct wish *wish)
{
	int code = change_try(site, add_body, wish, wish->at);

	if (code == CODE_DONE)
		code = preflight_domains(site, wish->domain, wish->count,
					 wish->adopt);
	if (code == CODE_DONE && wish->like.kind == STORE_POP)
		code = look_postmasters(site, wish);
	if (code != CODE_DONE && wish->count == 1)
		say_error(0, "domain '%s' was not added: nothing was changed",
			  wish->at);
	else if (code != CODE_DONE)
		say_error(0, "none of the %zu domains was added: nothing was "
			     "changed",
			  wish->count);
	return code;
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
		wish->like.kind = STORE_ALIAS;
		return operand_domain(target, &wish->like.target);
	}
	if (!handle)
		return say_error(CODE_USAGE, "no handle is given: use "
					     "--handle H");
	return operand_handle(handle, &wish->like.handle);
}

static int add_name(struct wish *wish, const char *text)
{
	if (wish->count == wish->room) {
		size_t room = wish->room ? wish->room * 2 : 16;
		struct store_domain *more =
			reallocarray(wish->domain, room, sizeof *more);

		if (!more)
			return say_error(CODE_LATER, "no memory");
		wish->domain = more;
		wish->room = room;
	}
	wish->domain[wish->count] = wish->like;
	return operand_new_domain(text, &wish->domain[wish->count++]);
}

/* One domain a line; every line that is none is told of. */
static int read_lines(struct wish *wish, FILE *file, const char *path)
{
	unsigned long number = 0;
	int code = CODE_DONE;
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, file) > 0) {
		number++;
		line[strcspn(line, "\r\n")] = 0;
		if (!line[0] || line[0] == '#')
			continue;
		if (add_name(wish, line) != CODE_DONE)
			code = say_error(CODE_REFUSED, "%s:%lu: that line",
					 path, number);
	}
	if (ferror(file))
		code = say_error(CODE_LATER, "cannot read '%s': %s", path,
				 strerror(errno));
	free(line);
	return code;
}

static int read_from(struct wish *wish, const char *path)
{
	const bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "re");
	int code;

	if (!file)
		return say_error(CODE_REFUSED, "cannot open '%s': %s", path,
				 strerror(errno));
	code = read_lines(wish, file, path);
	if (!standard)
		(void)fclose(file); /* read only */
	return code;
}

static int read_names(const struct args *args, struct wish *wish)
{
	const char *from = args_get(args, "--from");
	int code = CODE_DONE;

	for (size_t i = 0; code == CODE_DONE && i < args->operands; i++)
		code = add_name(wish, args->operand[i]);
	if (code == CODE_DONE && from)
		code = read_from(wish, from);
	if (code == CODE_DONE && wish->count == 0)
		return say_error(CODE_USAGE, "which domain? give its name, or "
					     "a list of names with --from");
	return code;
}

static int read_wish(const struct args *args, struct wish *wish)
{
	int code;

	*wish = (struct wish){.target = args_get(args, "--postmaster"),
			      .adopt = args_has(args, "--adopt")};
	code = kind_options_read(args, true, &wish->like);
	if (code == CODE_DONE)
		code = state_options_expires(args, &wish->like.state.expires);
	if (code == CODE_DONE && wish->target && wish->like.kind != STORE_POP)
		return say_error(CODE_USAGE, "only a pop domain has a "
					     "postmaster here");
	if (code == CODE_DONE)
		code = read_owner(args, wish);
	return code == CODE_DONE ? read_names(args, wish) : code;
}

static void print_added(struct site *site, const struct wish *wish)
{
	const char *new = wish->new_handle ? "the new " : "";
	char count[SAY_COUNT_TEXT];

	for (size_t i = 0; site->json && i < wish->count; i++)
		change_print(site, json_domain(&wish->domain[i]));
	if (!site->json && wish->count == 1)
		say_note("domain '%s' added for %shandle '%s'",
			 wish->domain->utf8[0] ? wish->domain->utf8
					       : wish->domain->name.s,
			 new, wish->domain->handle.s);
	else if (!site->json)
		say_note("%s added for %shandle '%s'",
			 say_count(wish->count, "domain", count), new,
			 wish->domain->handle.s);
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
	wish->numbers.asuser = site->asuser;
	if (code == CODE_DONE)
		code = look(site, wish);
	if (code == CODE_DONE)
		code = change(site, add_body, wish, wish->at, &changed);
	if (changed)
		print_added(site, wish);
	numbers_free(&wish->numbers);
	free(wish->domain);
	free(wish);
	return code;
}
