/* SPDX-License-Identifier: MIT */
/* cmd_handle.c: popbox handle add, set, suspend, resume and del. */
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/difference.h"
#include "cli/operand.h"
#include "cli/quota_options.h"
#include "cli/state_options.h"
#include "publish/change.h"

const struct args_option cmd_handle_add_options[] = {
	{"--name", "TEXT", "the name of a person or company"},
	STATE_EXPIRES,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_handle_set_options[] = {
	{"--name", "TEXT", "the name of a person or company"},
	QUOTA_OPTIONS,
	{"--max-boxes", "N|none", "how many boxes it may have"},
	{"--max-addresses", "N|none", "how many addresses its domains may have"},
	{"--max-domains", "N|none", "how many domains it may have"},
	STATE_OPTIONS,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_handle_del_options[] = {
	CONFIRM_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

enum { MAX_BOXES, MAX_ADDRESSES, MAX_DOMAINS, MAXIMA, MAX_MOST = 1000000000 };

static const char *const maximum_names[] = {[MAX_BOXES] = "--max-boxes",
					    [MAX_ADDRESSES] =
						    "--max-addresses",
					    [MAX_DOMAINS] = "--max-domains"};

/* How many of each there may be. */
struct maxima {
	bool set[MAXIMA];
	uint32_t most[MAXIMA]; /* 0: any number */
};

struct edit {
	struct name_handle name;
	bool add, set; /* by that name */
	bool set_title;
	char title[STORE_TITLE_MAX + 1];
	struct quota_options quota;
	struct maxima maxima;
	struct state_options switches;
	struct store_handle was, is;
};

static int maxima_read(const struct args *args, struct maxima *maxima)
{
	for (int i = 0; i < MAXIMA; i++) {
		const char *text = args_get(args, maximum_names[i]);
		uint64_t most = 0;

		if (text && strcmp(text, "none") != 0 &&
		    !operand_number(text, 1, MAX_MOST, &most))
			return say_error(CODE_USAGE,
					 "%s takes a number up to %d, or none, "
					 "not '%s'",
					 maximum_names[i], MAX_MOST, text);
		maxima->set[i] = text;
		maxima->most[i] = (uint32_t)most;
	}
	return CODE_DONE;
}

static bool maxima_any(const struct maxima *maxima)
{
	return maxima->set[MAX_BOXES] || maxima->set[MAX_ADDRESSES] ||
	       maxima->set[MAX_DOMAINS];
}

static void maxima_apply(const struct maxima *maxima,
			 struct store_handle *handle)
{
	if (maxima->set[MAX_BOXES])
		handle->max_boxes = maxima->most[MAX_BOXES];
	if (maxima->set[MAX_ADDRESSES])
		handle->max_addresses = maxima->most[MAX_ADDRESSES];
	if (maxima->set[MAX_DOMAINS])
		handle->max_domains = maxima->most[MAX_DOMAINS];
}

static enum err edit_body(struct store_txn *txn, void *arg)
{
	struct edit *edit = arg;
	enum err err = ERR_OK;

	if (edit->add)
		err = store_handle_add(txn, &edit->name);
	if (err == ERR_OK)
		err = store_handle_get(txn, &edit->name, &edit->is);
	if (err != ERR_OK)
		return err;
	edit->was = edit->is;
	if (edit->set_title)
		memcpy(edit->is.title, edit->title, sizeof edit->title);
	quota_options_apply(&edit->quota, &edit->is.quota);
	maxima_apply(&edit->maxima, &edit->is);
	state_options_apply(&edit->switches, &edit->is.state);
	err = store_handle_set(txn, &edit->is);
	/* What is printed is what there is. */
	return err == ERR_OK ? store_handle_get(txn, &edit->name, &edit->is)
			     : err;
}

static int run(struct site *site, const struct args *args, struct edit *edit,
	       const char *done)
{
	const char *title = args_get(args, "--name");
	bool changed = false;
	int code = operand_handle(args->operand[0], &edit->name);

	edit->set_title = title != NULL;
	if (code == CODE_DONE)
		code = operand_text("name", title, edit->title,
				    sizeof edit->title);
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = change(site, edit_body, edit, edit->name.s, &changed);
	if (changed && site->json)
		change_print(site, json_handle(&edit->is));
	else if (changed)
		say_note("handle '%s' %s", edit->name.s, done);
	if (changed && !site->json && edit->set)
		difference_say(edit->name.s, json_handle(&edit->was),
			       json_handle(&edit->is));
	return code;
}

int cmd_handle_add(struct site *site, const struct args *args)
{
	struct edit edit = {.add = true};
	int code = state_options_expires(args, &edit.switches.expires);

	edit.switches.set_expires = args_has(args, "--expires");
	return code == CODE_DONE ? run(site, args, &edit, "added") : code;
}

int cmd_handle_set(struct site *site, const struct args *args)
{
	struct edit edit = {.set = true};
	int code = state_options_read(args, &edit.switches);

	if (code == CODE_DONE)
		code = quota_options_read(args, &edit.quota);
	if (code == CODE_DONE)
		code = maxima_read(args, &edit.maxima);
	if (code != CODE_DONE)
		return code;
	if (!state_options_any(&edit.switches) &&
	    !quota_options_any(&edit.quota) && !maxima_any(&edit.maxima) &&
	    !args_has(args, "--name"))
		return say_error(CODE_USAGE,
				 "nothing to set: say --name, --quota, "
				 "--messages, --max-boxes, --max-addresses, "
				 "--max-domains, --login, --expires, --delivery or "
				 "--reason");
	return run(site, args, &edit, "set");
}

int cmd_handle_suspend(struct site *site, const struct args *args)
{
	struct edit edit = {.add = false};
	int code = state_options_suspend(args, &edit.switches);

	return code == CODE_DONE
		       ? run(site, args, &edit,
			     "suspended: none of its boxes can log in, mail is "
			     "still delivered")
		       : code;
}

int cmd_handle_resume(struct site *site, const struct args *args)
{
	struct edit edit = {.switches = state_options_resume()};

	return run(site, args, &edit, "resumed");
}

static enum err del_body(struct store_txn *txn, void *arg)
{
	return store_handle_del(txn, arg);
}

int cmd_handle_del(struct site *site, const struct args *args)
{
	struct name_handle name;
	bool changed = false;
	int code = operand_handle(args->operand[0], &name);

	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = confirm(site, args, "delete the handle '%s'", name.s);
	if (code == CODE_DONE)
		code = change(site, del_body, &name, name.s, &changed);
	if (changed)
		say_note("handle '%s' deleted", name.s);
	return code;
}
