/* SPDX-License-Identifier: MIT */
/* cmd_passwd.c: popbox passwd and popbox verify. */
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/json.h"
#include "base/say.h"
#include "cli/app_passwd.h"
#include "cli/box_operand.h"
#include "cli/commands.h"
#include "cli/many.h"
#include "cli/password.h"
#include "cli/repassword.h"
#include "publish/change.h"
#include "publish/publish.h"
#include "store/login.h"
#include "store/secret.h"

const struct args_option cmd_passwd_options[] = {
	PASSWORD_OPTIONS,
	APP_OPTIONS,
	MANY_OPTIONS,
	{"--credentials", "FILE",
	 "with a filter and --generate: where the passwords are written"},
	{"--dry-run", NULL, "show what would change, change nothing"},
	{NULL, NULL, NULL},
};

const struct args_option cmd_verify_options[] = {
	PASSWORD_SOURCES,
	{"--local-ip", "ADDR", "as if the client had connected to ADDR"},
	{"--service", "NAME", "as if it logged in by pop, smtp, imap or webmail "
			      "[pop]"},
	{NULL, NULL, NULL},
};

struct reset {
	struct box_operand target;
	struct store_box box;
	const char *hash;
};

static enum err look_body(struct store_txn *txn, void *arg)
{
	struct reset *reset = arg;

	return box_operand_find(txn, &reset->target, &reset->box);
}

static enum err reset_body(struct store_txn *txn, void *arg)
{
	struct reset *reset = arg;
	enum err err = look_body(txn, reset);

	if (err == ERR_OK)
		err = store_box_password(txn, &reset->box.name, reset->hash);
	return err;
}

static void print_reset(struct site *site, const struct reset *reset,
			const struct password *password)
{
	char box[NAME_BOX_TEXT], text[PWHASH_PASSWORD_MAX + 2] = "";

	name_box_text(&reset->target.box, box);
	if (password->generated)
		memcpy(text, password->bytes, password->len);
	if (site->json)
		change_print(site, json_pack("{s:s, s:s?}", "box", box, "password",
				     password->generated ? text : NULL));
	else if (password->generated)
		say_out("%s", text);
	say_note("%s: %s", box,
		 !password->hash[0] ? "has no password now: it cannot log in"
				    : "password set");
}

static int reset(struct site *site, const struct args *args,
		 struct reset *reset, struct password *password)
{
	const struct box_operand *target = &reset->target;
	uint64_t last = 0;
	bool changed;
	enum err err = store_read(site->store, look_body, reset);
	int code;

	if (err == ERR_NOTFOUND)
		return box_operand_missing(target, CODE_REFUSED);
	if (err != ERR_OK)
		return site_failed(site, err, target->text);
	code = password_new(site, args,
			    target->by_address ? target->address.local.s : "",
			    target->by_address ? target->address.domain.s : "",
			    target->box.handle.s, password);
	if (code != CODE_DONE)
		return code;
	reset->hash = password->hash;
	/* A password is in no file of qmail's: a reset never waits for somebody's
	 * publishing of those. */
	if (site->dry_run) {
		code = change(site, reset_body, reset, target->text, &changed);
	} else {
		err = change_commit(
			site, reset_body, reset, &last,
			password->generated
				? "the new password is set, but was not "
				  "printed: set another"
				: "the new password is set");
		code = site_failed(site, err, target->text);
		changed = err == ERR_OK;
		if (changed)
			change_made(site, last);
	}
	if (changed)
		print_reset(site, reset, password);
	return code == CODE_DONE ? publish_passwords(site, last) : code;
}

static int passwd_one(struct site *site, const struct args *args)
{
	struct password password = {.len = 0};
	struct reset wish = {.hash = ""};
	int code = box_operand_read(args->operand[0], &wish.target);

	if (args_has(args, "--credentials"))
		return say_error(CODE_USAGE, "--credentials needs a filter: "
					     "the password of one box is "
					     "printed");
	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = reset(site, args, &wish, &password);
	password_wipe(&password);
	return code;
}

int cmd_passwd(struct site *site, const struct args *args)
{
	bool by_filter;
	int code = many_asked(args, &by_filter);

	if (code != CODE_DONE)
		return code;
	if (args_has(args, "--app"))
		return app_passwd(site, args);
	code = app_passwd_absent(args);
	if (code != CODE_DONE)
		return code;
	return by_filter ? repassword(site, args) : passwd_one(site, args);
}

static int print_verdict(const struct site *site, enum verdict verdict,
			 const struct login *login, const char *reason)
{
	static const char *const words[] = {[VERDICT_ACCEPT] = "accept",
					    [VERDICT_REFUSE] = "refuse",
					    [VERDICT_CANNOT_TELL] =
						    "cannot tell"};
	static const int codes[] = {[VERDICT_ACCEPT] = CODE_DONE,
				    [VERDICT_REFUSE] = CODE_NO,
				    [VERDICT_CANNOT_TELL] = CODE_LATER};
	char box[NAME_BOX_TEXT] = "";

	if (verdict == VERDICT_ACCEPT)
		name_box_text(&login->box, box);
	if (site->json)
		json_print(json_pack("{s:s, s:s?, s:s?, s:s?, s:s?}", "verdict",
				     words[verdict], "box", box[0] ? box : NULL,
				     "user", box[0] ? login->user : NULL,
				     "app", login->app[0] ? login->app : NULL,
				     "reason", reason[0] ? reason : NULL));
	else if (verdict == VERDICT_ACCEPT)
		say_out("accept box=%s%s%s user=%s", box,
			login->app[0] ? " app=" : "", login->app, login->user);
	else
		say_out("%s: %s", words[verdict], reason);
	return codes[verdict];
}

/* The login program's own way: find, close, decide. */
static int verify(struct site *site, const struct args *args,
		  const struct password *password)
{
	const char *name = args->operand[0];
	const char *service = args_get(args, "--service");
	struct login login = {.found = false};
	enum verdict verdict;
	const char *reason;
	enum err err = login_find(site->store, &site->config, name,
				  strlen(name), args_get(args, "--local-ip"),
				  service ? login_service(service)
					  : (unsigned)STORE_SERVICE_POP,
				  &login);

	if (err != ERR_OK)
		return site_failed(site, err, name);
	store_close(&site->store);
	verdict = login_judge(&login, password->bytes, password->len, &reason);
	login_forget(&login);
	return print_verdict(site, verdict, &login, reason);
}

int cmd_verify(struct site *site, const struct args *args)
{
	struct password password = {.len = 0};
	const char *service = args_get(args, "--service");
	int code = CODE_DONE;

	if (service && !login_service(service))
		return say_error(CODE_USAGE, "--service takes pop, smtp, imap or "
					     "webmail, not '%s'",
				 service);
	code = site_open_read(site);
	if (code == CODE_DONE)
		code = password_read(site, args, false, &password);
	/* What is no password at all is no verdict either. */
	if (code == CODE_REFUSED)
		code = CODE_USAGE;
	if (code == CODE_DONE)
		code = verify(site, args, &password);
	password_wipe(&password);
	return code;
}
