/* SPDX-License-Identifier: MIT */
/* cmd_domain_set.c: popbox domain set, suspend and resume. */
#include <arpa/inet.h>
#include <string.h>

#include "accounts/postmaster.h"
#include "base/json.h"
#include "base/say.h"
#include "base/words.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/difference.h"
#include "cli/kind_options.h"
#include "cli/operand.h"
#include "cli/quota_options.h"
#include "cli/state_options.h"
#include "cli/takedown.h"
#include "publish/change.h"
#include "publish/preflight.h"

const struct args_option cmd_domain_set_options[] = {
	KIND_OPTIONS,
	{"--postmaster", "TARGET", "where postmaster@ leads, once it is pop"},
	KEEP_BOXES_OPTION,
	{"--ip", "ADDR|none", "local address of logins without a domain"},
	{"--extension", "+|none", "joe+tag@ reaches joe@, whatever the tag"},
	QUOTA_OPTIONS,
	STATE_OPTIONS,
	ADOPT_OPTION,
	FIX_LOCALS_OPTION,
	CONFIRM_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_suspend_options[] = {
	{"--reason", "TEXT", "why, for those who ask"},
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_resume_options[] = {
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

struct edit {
	bool set; /* by that name */
	struct name_domain name;
	const char *target; /* --postmaster, or NULL */
	bool set_ip;
	char ip[STORE_IP_MAX + 1];
	bool set_extension;
	char extension; /* 0: none */
	struct quota_options quota;
	struct state_options switches;
	struct store_domain was;  /* when we looked first */
	struct store_domain wish; /* kind, host and subdomains to be */
	struct takedown down;	  /* what goes when it is pop no more */
	struct numbers numbers;
	struct store_domain is;	  /* what it is in the end */
};

/* Only what is delivered here can be sent back or held here. */
static enum err judge_delivery(struct store_txn *txn, const struct edit *edit,
			       const struct store_domain *domain)
{
	if (!edit->switches.set_delivery || store_kind_is_local(domain->kind))
		return ERR_OK;
	if (domain->kind == STORE_ALIAS)
		return store_refuse(txn, ERR_INVALID,
				    "an alias has no mail of its own (set it "
				    "for '%s', or delete the alias)",
				    domain->target.s);
	return store_refuse(txn, ERR_INVALID,
			    "no mail of a domain of kind %s is delivered here",
			    word_kind(domain->kind));
}

/* The others have no addresses of their own. */
static enum err judge_extension(struct store_txn *txn, const struct edit *edit,
				const struct store_domain *domain)
{
	if (!edit->extension || domain->kind == STORE_POP)
		return ERR_OK;
	if (domain->kind == STORE_ALIAS)
		return store_refuse(txn, ERR_INVALID,
				    "an alias has the extension of its domain "
				    "(set it for '%s')",
				    domain->target.s);
	return store_refuse(txn, ERR_INVALID,
			    "a domain of kind %s has no addresses to extend",
			    word_kind(domain->kind));
}

/* So has none a box. */
static enum err judge_quota(struct store_txn *txn, const struct edit *edit,
			    const struct store_domain *domain)
{
	if (!quota_options_any(&edit->quota) || domain->kind == STORE_POP)
		return ERR_OK;
	return store_refuse(txn, ERR_INVALID,
			    "a domain of kind %s has no boxes of its own",
			    word_kind(domain->kind));
}

/* Another kind is another domain of this name: what was ends as if deleted,
 * for mail that is on its way, and the new one begins. */
static enum err change_kind(struct store_txn *txn, struct edit *edit)
{
	struct postmaster postmaster = {.domain = edit->name,
					.owner = edit->was.handle,
					.numbers = &edit->numbers,
					.target = edit->target};
	enum store_delivery delivery;
	struct store_domain is;
	enum err err;

	edit->down.name = edit->name;
	err = takedown_domain(txn, &edit->down);
	if (err == ERR_OK)
		err = store_domain_add(txn, &edit->wish);
	if (err == ERR_OK && edit->wish.kind == STORE_POP)
		err = postmaster_add(txn, &postmaster);
	if (err == ERR_OK)
		err = store_domain_get(txn, &edit->name, &is);
	if (err != ERR_OK)
		return err;
	memcpy(is.ip, edit->was.ip, sizeof is.ip);
	delivery = is.state.delivery;
	is.state = edit->was.state;
	if (!store_kind_is_local(is.kind))
		is.state.delivery = delivery;
	return store_domain_set(txn, &is);
}

static enum err edit_body(struct store_txn *txn, void *arg)
{
	struct edit *edit = arg;
	struct store_domain *is = &edit->is;
	enum err err = store_domain_get(txn, &edit->name, is);

	if (err == ERR_OK && is->kind != edit->was.kind)
		return store_refuse(txn, ERR_INUSE,
				    "it was changed just now (look, and say it "
				    "again)");
	if (err == ERR_OK && edit->wish.kind != is->kind) {
		err = change_kind(txn, edit);
		if (err == ERR_OK)
			err = store_domain_get(txn, &edit->name, is);
	}
	if (err == ERR_OK)
		err = judge_delivery(txn, edit, is);
	if (err == ERR_OK)
		err = judge_extension(txn, edit, is);
	if (err == ERR_OK)
		err = judge_quota(txn, edit, is);
	if (err != ERR_OK)
		return err;
	memcpy(is->host, edit->wish.host, sizeof is->host);
	is->port = edit->wish.port;
	is->subdomains = edit->wish.subdomains;
	if (edit->set_ip)
		memcpy(is->ip, edit->ip, sizeof edit->ip);
	if (edit->set_extension)
		is->extension = edit->extension;
	quota_options_apply(&edit->quota, &is->quota);
	state_options_apply(&edit->switches, &is->state);
	err = store_domain_set(txn, is);
	/* What is printed is what there is. */
	return err == ERR_OK ? store_domain_get(txn, &edit->name, is) : err;
}

static enum err look_body(struct store_txn *txn, void *arg)
{
	struct edit *edit = arg;

	return store_domain_get(txn, &edit->name, &edit->was);
}

/* A change of the kind is tried, looked at in qmail's files, and asked about
 * where something is taken away. */
static int look_kind(struct site *site, const struct args *args,
		     struct edit *edit)
{
	char addresses[SAY_COUNT_TEXT], boxes[SAY_COUNT_TEXT];
	int code;

	if (edit->was.kind == STORE_ALIAS && kind_options_any(args))
		return say_error(CODE_REFUSED,
				 "domain '%s' is an alias, with kind and host "
				 "of '%s' (delete it and add it anew)",
				 edit->name.s, edit->was.target.s);
	code = kind_options_read(args, false, &edit->wish);
	if (code != CODE_DONE || !kind_options_any(args))
		return code;
	code = change_try(site, edit_body, edit, edit->name.s);
	if (code == CODE_DONE)
		code = preflight_domains(site, &edit->wish, 1,
					 args_has(args, "--adopt"));
	if (code == CODE_DONE && edit->was.kind == STORE_POP &&
	    edit->wish.kind != STORE_POP)
		code = confirm(
			site, args,
			"make '%s' a %s domain, and delete its %s and %s",
			edit->name.s, word_kind(edit->wish.kind),
			say_count(edit->down.addresses, "address", addresses),
			say_count(edit->down.boxes, "box", boxes));
	return code;
}

static int run(struct site *site, const struct args *args, struct edit *edit,
	       const char *done)
{
	bool changed = false;
	int code = operand_domain(args->operand[0], &edit->name);

	if (code == CODE_DONE)
		code = site_open_write(site);
	edit->numbers.asuser = site->asuser;
	if (code == CODE_DONE)
		code = site_failed(site,
				   store_read(site->store, look_body, edit),
				   edit->name.s);
	edit->wish = edit->was;
	if (code == CODE_DONE)
		code = look_kind(site, args, edit);
	if (code == CODE_DONE && edit->extension &&
	    edit->was.kind == STORE_POP && !edit->was.extension)
		code = preflight_extension(site, &edit->was,
					   args_has(args, "--adopt"));
	if (code == CODE_DONE)
		code = change(site, edit_body, edit, edit->name.s, &changed);
	if (changed && site->json)
		change_print(site, json_domain(&edit->is));
	else if (changed)
		say_note("domain '%s' %s", edit->name.s, done);
	if (changed && !site->json && edit->set)
		difference_say(edit->name.s, json_domain(&edit->was),
			       json_domain(&edit->is));
	numbers_free(&edit->numbers);
	return code;
}

/* The address as the store writes it, whatever was typed. */
static int read_ip(const char *text, struct edit *edit)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	int family = text && strchr(text, ':') ? AF_INET6 : AF_INET;

	_Static_assert(INET6_ADDRSTRLEN <= STORE_IP_MAX + 1, "an IP fits");
	edit->set_ip = text != NULL;
	if (!text || strcmp(text, "none") == 0)
		return CODE_DONE;
	if (inet_pton(family, text, bytes) != 1 ||
	    !inet_ntop(family, bytes, edit->ip, sizeof edit->ip))
		return say_error(CODE_REFUSED,
				 "'%s' is not an IP address, nor 'none'", text);
	return CODE_DONE;
}

static int read_extension(const char *text, struct edit *edit)
{
	edit->set_extension = text != NULL;
	if (!text || strcmp(text, "none") == 0)
		return CODE_DONE;
	if (strcmp(text, "+") != 0)
		return say_error(CODE_USAGE,
				 "--extension takes + or none, not '%s'", text);
	edit->extension = '+';
	return CODE_DONE;
}

int cmd_domain_set(struct site *site, const struct args *args)
{
	struct edit edit = {.set = true};
	int code = state_options_read(args, &edit.switches);

	if (code == CODE_DONE)
		code = read_ip(args_get(args, "--ip"), &edit);
	if (code == CODE_DONE)
		code = read_extension(args_get(args, "--extension"), &edit);
	if (code == CODE_DONE)
		code = quota_options_read(args, &edit.quota);
	if (code != CODE_DONE)
		return code;
	if (!state_options_any(&edit.switches) && !edit.set_ip &&
	    !quota_options_any(&edit.quota) && !edit.set_extension &&
	    !kind_options_any(args))
		return say_error(CODE_USAGE,
				 "nothing to set: say --kind, --host, "
				 "--subdomains, --ip, --extension, --quota, "
				 "--messages, --login, --expires, --delivery or "
				 "--reason");
	edit.target = args_get(args, "--postmaster");
	edit.down.keep_boxes = args_has(args, "--keep-boxes");
	return run(site, args, &edit, "set");
}

int cmd_domain_suspend(struct site *site, const struct args *args)
{
	struct edit edit = {.set_ip = false};
	int code = state_options_suspend(args, &edit.switches);

	return code == CODE_DONE
		       ? run(site, args, &edit,
			     "suspended: nobody can log in by it, mail is "
			     "still delivered")
		       : code;
}

int cmd_domain_resume(struct site *site, const struct args *args)
{
	struct edit edit = {.switches = state_options_resume()};

	return run(site, args, &edit, "resumed");
}
