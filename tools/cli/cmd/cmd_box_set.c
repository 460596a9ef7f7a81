/* SPDX-License-Identifier: MIT */
/* cmd_box_set.c: popbox box set, suspend and resume. */
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "cli/box_operand.h"
#include "cli/commands.h"
#include "cli/difference.h"
#include "cli/many.h"
#include "cli/operand.h"
#include "cli/quota_options.h"
#include "cli/state_options.h"
#include "cli/vacation_options.h"
#include "publish/change.h"

const struct args_option cmd_box_set_options[] = {
	{"--name", "TEXT", "the name of a person or thing"},
	QUOTA_OPTIONS,
	VACATION_OPTIONS,
	STATE_OPTIONS,
	{"--apps-only", "on|off",
	 "take app passwords alone for POP and SMTP, not the box's own"},
	MANY_OPTIONS,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_box_suspend_options[] = {
	{"--reason", "TEXT", "why, for those who ask"},
	MANY_OPTIONS,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

const struct args_option cmd_box_resume_options[] = {
	MANY_OPTIONS,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

struct edit {
	struct box_operand target;
	bool set_title;
	char title[STORE_TITLE_MAX + 1];
	struct quota_options quota;
	struct vacation_options vacation;
	struct state_options switches;
	bool set_apps_only, apps_only;
	bool suspend; /* by that name */
	bool resume;
	struct store_box was, is;
};

/* Of the box in edit->is. */
static enum err apply(struct store_txn *txn, struct edit *edit)
{
	enum err err;

	if (edit->set_title)
		memcpy(edit->is.title, edit->title, sizeof edit->title);
	quota_options_apply(&edit->quota, &edit->is.quota);
	state_options_apply(&edit->switches, &edit->is.state);
	if (edit->set_apps_only)
		edit->is.apps_only = edit->apps_only;
	err = vacation_options_apply(txn, &edit->vacation, &edit->is);
	return err == ERR_OK ? store_box_set(txn, &edit->is) : err;
}

static enum err edit_each(struct store_txn *txn, const struct store_box *box,
			  size_t number, void *arg)
{
	struct edit *edit = arg;

	(void)number;
	edit->is = *box;
	return apply(txn, edit);
}

static enum err edit_body(struct store_txn *txn, void *arg)
{
	struct edit *edit = arg;
	enum err err = box_operand_find(txn, &edit->target, &edit->is);

	if (err == ERR_NOTFOUND)
		return store_unknown(
			txn,
			"there is no such %s ('popbox box list' "
			"shows all)",
			edit->target.by_address ? "address with a box" : "box");
	if (err != ERR_OK)
		return err;
	edit->was = edit->is;
	err = apply(txn, edit);
	/* What is printed is what there is. */
	return err == ERR_OK ? store_box_get(txn, &edit->is.name, &edit->is)
			     : err;
}

static int run_one(struct site *site, const struct args *args,
		   struct edit *edit, const char *done)
{
	char text[NAME_BOX_TEXT];
	bool changed = false;
	int code = box_operand_read(args->operand[0], &edit->target);

	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = change(site, edit_body, edit, edit->target.text,
			      &changed);
	if (!changed)
		return code;
	name_box_text(&edit->is.name, text);
	if (site->json)
		change_print(site, json_box(&edit->is));
	else
		say_note("box '%s' %s%s", text, done,
			 edit->suspend ? ": it cannot log in, mail is still "
					 "delivered"
				       : "");
	if (!site->json && !edit->suspend && !edit->resume)
		difference_say(text, json_box(&edit->was),
			       json_box(&edit->is));
	if (edit->set_apps_only && edit->apps_only && !edit->is.apps)
		say_note("box '%s' has no app password: nobody can log in by POP "
			 "or SMTP ('popbox passwd %s --app NAME' makes one)",
			 text, text);
	return code;
}

static int run(struct site *site, const struct args *args, struct edit *edit,
	       const char *verb, const char *done)
{
	bool by_filter;
	int code = many_asked(args, &by_filter);

	if (code != CODE_DONE)
		return code;
	return by_filter ? many(site, args, verb, edit_each, edit, done)
			 : run_one(site, args, edit, done);
}

static int read_apps_only(const char *text, struct edit *edit)
{
	if (!text)
		return CODE_DONE;
	edit->set_apps_only = true;
	edit->apps_only = strcmp(text, "on") == 0;
	if (edit->apps_only || strcmp(text, "off") == 0)
		return CODE_DONE;
	return say_error(CODE_USAGE, "--apps-only takes on or off, not '%s'",
			 text);
}

int cmd_box_set(struct site *site, const struct args *args)
{
	const char *title = args_get(args, "--name");
	struct edit edit = {.set_title = title};
	int code = state_options_read(args, &edit.switches);

	if (code == CODE_DONE)
		code = operand_text("name", title, edit.title,
				    sizeof edit.title);
	if (code == CODE_DONE)
		code = quota_options_read(args, &edit.quota);
	if (code == CODE_DONE)
		code = vacation_options_read(args, &edit.vacation);
	if (code == CODE_DONE)
		code = read_apps_only(args_get(args, "--apps-only"), &edit);
	if (code != CODE_DONE)
		return code;
	if (!title && !edit.set_apps_only && !quota_options_any(&edit.quota) &&
	    !vacation_options_any(&edit.vacation) &&
	    !state_options_any(&edit.switches))
		return say_error(CODE_USAGE,
				 "nothing to set: say --name, --quota, "
				 "--messages, --vacation, --login, --expires, "
				 "--delivery, --reason or --apps-only");
	return run(site, args, &edit, "change", "set");
}

int cmd_box_suspend(struct site *site, const struct args *args)
{
	struct edit edit = {.suspend = true};
	int code = state_options_suspend(args, &edit.switches);

	return code == CODE_DONE
		       ? run(site, args, &edit, "suspend", "suspended")
		       : code;
}

int cmd_box_resume(struct site *site, const struct args *args)
{
	struct edit edit = {.switches = state_options_resume(), .resume = true};

	return run(site, args, &edit, "resume", "resumed");
}
