/* SPDX-License-Identifier: MIT */
#include "scope_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/idn.h"
#include "base/say.h"
#include "box_operand.h"
#include "operand.h"

/* How the objects are found that a command is about. */
enum how {
	HOW_HANDLE,
	HOW_DOMAIN,
	HOW_ADDRESSES, /* every operand is one */
	HOW_TARGETS,   /* an address, and where it leads */
	HOW_BOX,       /* ADDRESS|BOX, or a filter */
	HOW_DELETED,   /* ADDRESS|BOX of what is retained */
	HOW_BOXES,     /* a filter */
	HOW_DOMAINS,   /* all of a handle */
	HOW_CHANGE,    /* a number of the journal */
};

#define FILTERS " --suspended --never --idle --hash --match --handle --domain "
#define PAGES	" --columns --sort --limit "

/* What is not here is refused. Nothing here changes handles, domains or limits, or
 * names a file of this machine. */
static const struct rule {
	int (*run)(struct site *site, const struct args *args);
	enum how how;
	const char *options; /* each between blanks */
} rules[] = {
	{cmd_handle_show, HOW_HANDLE, " "},
	{cmd_domain_show, HOW_DOMAIN, " "},
	{cmd_domain_list, HOW_DOMAINS, " --handle --suspended" PAGES},
	{cmd_box_add, HOW_ADDRESSES,
	 " --name --stdin --generate --no-password "},
	{cmd_box_show, HOW_BOX, " "},
	{cmd_box_list, HOW_BOXES, FILTERS PAGES},
	{cmd_box_set, HOW_BOX, " --name --apps-only --yes" FILTERS},
	{cmd_box_suspend, HOW_BOX, " --reason --yes" FILTERS},
	{cmd_box_resume, HOW_BOX, " --yes" FILTERS},
	{cmd_box_del, HOW_BOX, " --bounce --keep --yes" FILTERS},
	{cmd_box_undelete, HOW_DELETED, " "},
	{cmd_address_add, HOW_TARGETS, " --expires "},
	{cmd_address_set, HOW_TARGETS, " --expires "},
	{cmd_address_suspend, HOW_ADDRESSES, " --reason "},
	{cmd_address_resume, HOW_ADDRESSES, " "},
	{cmd_address_rename, HOW_ADDRESSES, " --keep "},
	{cmd_address_list, HOW_DOMAIN,
	 " --forwards --suspended --expiring" PAGES},
	{cmd_address_show, HOW_ADDRESSES, " "},
	{cmd_address_del, HOW_ADDRESSES, " --bounce --keep --yes "},
	{cmd_passwd, HOW_BOX,
	 " --stdin --generate --no-password --app --revoke --service --expires "},
	{cmd_undo, HOW_CHANGE, " --yes "},
};

/* Is the domain his? ERR_NOTFOUND: no, whether it is there or not. */
enum err scope_domain(struct store_txn *txn, const struct scope *scope,
			    const struct name_domain *name)
{
	struct store_domain domain;
	enum err err;

	if (scope->by_domain)
		return strcmp(name->s, scope->domain.s) == 0 ? ERR_OK
							     : ERR_NOTFOUND;
	err = store_domain_get(txn, name, &domain);
	if (err == ERR_OK && !scope_same_name(&domain.handle, &scope->handle))
		err = ERR_NOTFOUND;
	return err;
}

/* A box is a domain's if each of its addresses is, and there is one. */
enum err scope_addresses(struct store_txn *txn, const struct scope *scope,
			       const struct name_box *box, bool *ret_any)
{
	struct name_address at, *after = NULL;
	enum err err;

	*ret_any = false;
	while ((err = store_box_address_next(txn, box, after, &at)) == ERR_OK) {
		err = scope_domain(txn, scope, &at.domain);
		if (err != ERR_OK)
			return err;
		*ret_any = true;
		after = &at;
	}
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

enum err scope_box(struct store_txn *txn, const struct scope *scope,
			 const struct name_box *box)
{
	bool any;
	enum err err;

	if (!scope->by_domain)
		return scope_same_name(&box->handle, &scope->handle) ? ERR_OK
							       : ERR_NOTFOUND;
	err = scope_addresses(txn, scope, box, &any);
	return err == ERR_OK && !any ? ERR_NOTFOUND : err;
}

/* An address of his, and what it leads to, if it is there. */
static enum err find_address(struct store_txn *txn, struct scope *scope,
			     const struct name_address *name)
{
	enum err err = scope_domain(txn, scope, &name->domain);

	if (err != ERR_OK)
		return err;
	err = store_address_get(txn, name, &scope->address);
	if (err == ERR_NOTFOUND)
		return ERR_OK;
	if (err == ERR_OK && scope->address.has_box)
		err = scope_box(txn, scope, &scope->address.box);
	return err;
}

/* Whether what is asked for is in the store is no matter here: who may not see it
 * does not learn it. */
struct question {
	struct scope *scope;
	enum how how;
	const char *operand;
	struct name_handle handle;
	struct name_domain domain;
	struct box_operand box;
	uint64_t number;
};

/* All entries of that change. */
static enum err find_change(struct store_txn *txn, struct question *q)
{
	struct scope *scope = q->scope;
	uint64_t at = q->number, group = 0, first = 0, last = 0;
	enum err err = ERR_OK;

	for (; err == ERR_OK; at++) {
		err = store_journal_next(txn, at - 1, &scope->entry);
		if (err == ERR_OK && scope->entry.number != at)
			err = ERR_NOTFOUND;
		if (err != ERR_OK)
			break;
		if (!group)
			first = group = scope->entry.group;
		if (scope->entry.group != group)
			break;
		last = at;
	}
	if (err != ERR_OK && err != ERR_NOTFOUND)
		return err;
	return last ? scope_entries(txn, scope, first, last) : ERR_NOTFOUND;
}

/* Another address of this site may only be aimed at if it is his, and any other
 * address of the world. */
static enum err find_target(struct store_txn *txn, struct question *q)
{
	struct store_domain domain;
	struct name_address name;
	struct name_box box;
	enum err err;

	if (!name_box_read(q->operand, strlen(q->operand), &box))
		return scope_box(txn, q->scope, &box);
	if (idn_address(q->operand, false, &name))
		return ERR_OK; /* the command says what it is */
	err = store_domain_get(txn, &name.domain, &domain);
	if (err == ERR_NOTFOUND)
		return ERR_OK;
	return err == ERR_OK ? find_address(txn, q->scope, &name) : err;
}

static enum err question_body(struct store_txn *txn, void *arg)
{
	struct question *q = arg;
	const struct scope *scope = q->scope;

	switch (q->how) {
	case HOW_HANDLE:
	case HOW_DOMAINS:
	case HOW_BOXES:
		return !scope->by_domain && scope_same_name(&q->handle, &scope->handle)
			       ? ERR_OK
			       : ERR_NOTFOUND;
	case HOW_DOMAIN:
		return scope_domain(txn, scope, &q->domain);
	case HOW_ADDRESSES:
	case HOW_BOX:
		return q->box.by_address
			       ? find_address(txn, q->scope, &q->box.address)
			       : scope_box(txn, scope, &q->box.box);
	case HOW_DELETED:
		if (q->box.by_address)
			return scope_domain(txn, scope, &q->box.address.domain);
		return scope->by_domain ? ERR_NOTFOUND
					: scope_box(txn, scope, &q->box.box);
	case HOW_TARGETS:
		return find_target(txn, q);
	case HOW_CHANGE:
		return find_change(txn, q);
	}
	return ERR_NOTFOUND;
}

static int refuse(const struct scope *scope, const char *what)
{
	say_about(what);
	return say_error_as(CODE_REFUSED, SAY_SCOPE,
			    "'%s' is outside of '%s' (what it needs is the "
			    "administrator's)",
			    what, scope->text);
}

static int ask(struct question *q)
{
	struct site *site = q->scope->site;
	int code = site_open_write(site);
	enum err err;

	if (code != CODE_DONE)
		return code;
	err = store_read(site->store, question_body, q);
	if (err == ERR_NOTFOUND)
		return refuse(q->scope, q->operand);
	return site_failed(site, err, q->operand);
}

static int ask_operand(struct scope *scope, enum how how, const char *operand)
{
	struct question q = {.scope = scope, .how = how, .operand = operand};
	int code = CODE_DONE;

	switch (how) {
	case HOW_HANDLE:
	case HOW_BOXES:
	case HOW_DOMAINS:
		code = operand_handle(operand, &q.handle);
		break;
	case HOW_DOMAIN:
		code = operand_domain(operand, &q.domain);
		break;
	case HOW_ADDRESSES:
		q.box.by_address = true;
		code = operand_address(operand, &q.box.address);
		break;
	case HOW_BOX:
	case HOW_DELETED:
		code = box_operand_read(operand, &q.box);
		break;
	case HOW_CHANGE:
		if (!operand_number(operand, 1, UINT64_MAX - 1, &q.number))
			return refuse(scope, operand);
		break;
	case HOW_TARGETS:
		break;
	}
	return code == CODE_DONE ? ask(&q) : code;
}

static const struct rule *find_rule(const struct command *c)
{
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		if (rules[i].run == c->run)
			return &rules[i];
	}
	return NULL;
}

static int judge_options(const struct scope *scope, const struct rule *rule,
			 const struct args *args)
{
	for (size_t i = 0; args->options && args->options[i].name; i++) {
		char word[64] = " ";

		if (!args->given[i])
			continue;
		(void)stpcpy(stpcpy(word + 1, args->options[i].name), " ");
		if (!strstr(rule->options, word))
			return refuse(scope, args->options[i].name);
	}
	return CODE_DONE;
}

/* The option's value, or the scope's own in its place. */
static int judge_filter(struct scope *scope, struct args *args,
			const char *name, enum how how, bool own)
{
	const struct args_option *option =
		args_find(args->options, name, strlen(name));
	const char **given =
		option ? &args->given[option - args->options] : NULL;

	if (given && *given)
		return ask_operand(scope, how, *given);
	if (given && own)
		*given = scope->text;
	return given || !own ? CODE_DONE : refuse(scope, name);
}

static enum err owner_body(struct store_txn *txn, void *arg)
{
	struct scope *scope = arg;
	struct store_domain domain;
	enum err err = store_domain_get(txn, &scope->domain, &domain);

	if (err == ERR_OK)
		scope->handle = domain.handle;
	return err;
}

/* An address of a domain may lead to a box of another customer, which its filter
 * would find. */
static int add_owner(struct scope *scope, struct args *args)
{
	const struct args_option *option =
		args_find(args->options, "--handle", strlen("--handle"));
	int code = site_open_write(scope->site);

	if (code == CODE_DONE)
		code = site_failed(scope->site,
				   store_read(scope->site->store, owner_body,
					      scope),
				   scope->text);
	if (code == CODE_DONE && option)
		args->given[option - args->options] = scope->handle.s;
	return code;
}

static int judge_filters(struct scope *scope, struct args *args)
{
	int code = judge_filter(scope, args, "--handle", HOW_HANDLE,
				!scope->by_domain);

	if (code == CODE_DONE)
		code = judge_filter(scope, args, "--domain", HOW_DOMAIN,
				    scope->by_domain);
	if (code == CODE_DONE && scope->by_domain)
		code = add_owner(scope, args);
	return code;
}

static bool has_filter(const struct args *args)
{
	return args_has(args, "--handle") || args_has(args, "--domain") ||
	       args_has(args, "--suspended") || args_has(args, "--never") ||
	       args_has(args, "--idle") || args_has(args, "--hash") ||
	       args_has(args, "--match");
}

/* An operand that is missing is judged like one of others. */
static int judge_operands(struct scope *scope, const struct rule *rule,
			  const struct args *args)
{
	const bool targets = rule->how == HOW_TARGETS;
	int code = args->operands ? CODE_DONE : refuse(scope, "all");

	for (size_t i = 0; code == CODE_DONE && i < args->operands; i++)
		code = ask_operand(scope,
				   targets && !i ? HOW_ADDRESSES : rule->how,
				   args->operand[i]);
	return code;
}

int scope_judge(struct scope *scope, struct site *site, const struct command *c,
		struct args *args)
{
	const struct rule *rule = find_rule(c);
	char words[64];
	int code;

	scope->site = site;
	site->outside = false;
	if (!rule) {
		(void)stpcpy(stpcpy(stpcpy(words, c->noun), c->verb ? " " : ""),
			     c->verb ? c->verb : ""); /* of the table: short */
		return refuse(scope, words);
	}
	code = judge_options(scope, rule, args);
	if (code != CODE_DONE)
		return code;
	if (rule->how == HOW_BOXES || rule->how == HOW_DOMAINS ||
	    (rule->how == HOW_BOX && !args->operands && has_filter(args)))
		return judge_filters(scope, args);
	return judge_operands(scope, rule, args);
}

int scope_new(const char *text, struct site *site, struct scope **ret_scope)
{
	struct scope *scope = calloc(1, sizeof *scope);
	int code;

	if (!scope)
		return say_error(CODE_LATER, "no memory");
	scope->site = site;
	scope->by_domain = strchr(text, '.') != NULL;
	code = scope->by_domain ? operand_domain(text, &scope->domain)
				: operand_handle(text, &scope->handle);
	scope->text = scope->by_domain ? scope->domain.s : scope->handle.s;
	if (code != CODE_DONE) {
		scope_free(&scope);
		return code;
	}
	site->scoped = true;
	site->guard = scope_guard;
	site->guard_arg = scope;
	*ret_scope = scope;
	return CODE_DONE;
}

static enum err exists_body(struct store_txn *txn, void *arg)
{
	struct scope *scope = arg;
	struct store_handle handle;
	struct store_domain domain;

	return scope->by_domain ? store_domain_get(txn, &scope->domain, &domain)
				: store_handle_get(txn, &scope->handle, &handle);
}

int scope_exists(struct scope *scope, const struct site *site)
{
	return site_failed(site, store_read(site->store, exists_body, scope),
			   scope->text);
}

void scope_free(struct scope **scope)
{
	free(*scope);
	*scope = NULL;
}

const char *scope_text(const struct scope *scope)
{
	return scope->text;
}
