/* SPDX-License-Identifier: MIT */
#include "app_passwd.h"

#include <string.h>

#include "accounts/password_rules.h"
#include "base/json.h"
#include "base/say.h"
#include "base/words.h"
#include "box_operand.h"
#include "publish/change.h"
#include "publish/publish.h"
#include "state_options.h"
#include "store/secret.h"

/* 56 letters and digits are possible at each place: 139 bits, so that a fast digest
 * is enough. */
enum { LENGTH = 24 };

struct app_change {
	struct box_operand target;
	struct store_box box;
	struct store_app app;
	bool revoke;
	char password[LENGTH + 1];
};

static int refuse(const struct args *args, const char *with,
		  const char *const *options)
{
	for (; *options; options++) {
		if (args_has(args, *options))
			return say_error(CODE_USAGE, "%s and %s do not go "
						     "together",
					 with, *options);
	}
	return CODE_DONE;
}

int app_passwd_absent(const struct args *args)
{
	static const char *const options[] = {"--revoke", "--service",
					      "--expires"};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (args_has(args, options[i]))
			return say_error(CODE_USAGE,
					 "%s is for an app password: say which "
					 "with --app NAME",
					 options[i]);
	}
	return CODE_DONE;
}

static int read_services(const char *text, unsigned *ret_services)
{
	*ret_services = STORE_SERVICES;
	if (!text || word_services_list(text, ret_services))
		return CODE_DONE;
	return say_error(CODE_USAGE, "--service takes a list like pop,smtp of "
				     "pop, smtp, imap and webmail, not '%s'",
			 text);
}

static int read_options(const struct args *args, struct app_change *change)
{
	static const char *const others[] = {
		"--stdin", "--fd", "--file", "--generate", "--hash-stdin",
		"--legacy-ok", "--no-password", "--force", "--credentials", NULL};
	static const char *const made[] = {"--service", "--expires", NULL};
	const char *name = args_get(args, "--app");
	int code = refuse(args, "--app, which makes the password,", others);

	change->revoke = args_has(args, "--revoke");
	if (code == CODE_DONE && args->operands == 0)
		code = say_error(CODE_USAGE, "--app is for one box: name its "
					     "address");
	if (code == CODE_DONE && change->revoke)
		code = refuse(args, "--revoke", made);
	if (code == CODE_DONE && !store_app_name(name, change->app.name))
		code = say_error(CODE_REFUSED,
				 "'%s' is no name for an app password: it has "
				 "1 to %d letters a to z, digits, '.', '_' or "
				 "'-', and begins with a letter or digit",
				 name, STORE_APP_NAME);
	if (code == CODE_DONE)
		code = read_services(args_get(args, "--service"),
				     &change->app.services);
	return code == CODE_DONE
		       ? state_options_expires(args, &change->app.expires)
		       : code;
}

static enum err change_body(struct store_txn *txn, void *arg)
{
	struct app_change *change = arg;
	enum err err = box_operand_find(txn, &change->target, &change->box);

	if (err != ERR_OK)
		return err;
	return change->revoke
		       ? store_app_del(txn, &change->box.name, change->app.name)
		       : store_app_add(txn, &change->box.name, &change->app,
				       change->password, LENGTH);
}

static void print_made(struct site *site, const struct app_change *change,
		       const char *box)
{
	const struct store_app *app = &change->app;

	if (site->json)
		change_print(site,
			     json_pack("{s:s, s:s, s:s, s:o, s:o}", "box", box,
				       "app", app->name, "password",
				       change->password, "services",
				       json_services(app->services), "expires",
				       json_time(app->expires)));
	else
		say_out("%s", change->password);
}

static void print(struct site *site, const struct app_change *change)
{
	const struct store_app *app = &change->app;
	char box[NAME_BOX_TEXT], text[WORD_SERVICES], time[SAY_TIME_TEXT];

	name_box_text(&change->box.name, box);
	if (change->revoke) {
		if (site->json)
			change_print(site, json_pack("{s:s, s:s, s:n}", "box", box,
						     "app", app->name,
						     "password"));
		say_note("%s: app password '%s' revoked", box, app->name);
		return;
	}
	print_made(site, change, box);
	say_note("%s: app password '%s' made, for %s%s%s", box, app->name,
		 app->services == STORE_SERVICES
			 ? "all services"
			 : word_services(app->services, text),
		 app->expires ? ", until " : "",
		 app->expires ? say_time(app->expires, time) : "");
}

static int run(struct site *site, struct app_change *wish)
{
	const struct box_operand *target = &wish->target;
	uint64_t last = 0;
	bool changed = false;
	int code;
	enum err err;

	/* It is in no file of qmail's, and waits for nobody's publishing of those. */
	if (site->dry_run)
		return change(site, change_body, wish, target->text, &changed);
	err = change_commit(site, change_body, wish, &last,
			    wish->revoke ? "the app password is revoked"
					 : "the app password is made, but was "
					   "not printed: revoke it");
	if (err == ERR_NOTFOUND)
		return box_operand_missing(target, CODE_REFUSED);
	code = site_failed(site, err, target->text);
	if (err != ERR_OK)
		return code;
	change_made(site, last);
	print(site, wish);
	return code == CODE_DONE ? publish_passwords(site, last) : code;
}

int app_passwd(struct site *site, const struct args *args)
{
	struct app_change wish = {.revoke = false};
	int code = read_options(args, &wish);

	if (code == CODE_DONE)
		code = box_operand_read(args->operand[0], &wish.target);
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code != CODE_DONE)
		return code;
	if (!wish.revoke)
		password_generate(wish.password, LENGTH);
	code = run(site, &wish);
	secret_wipe(&wish, sizeof wish);
	return code;
}
