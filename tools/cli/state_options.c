/* SPDX-License-Identifier: MIT */
#include "state_options.h"

#include <string.h>
#include <time.h>

#include "base/say.h"
#include "base/words.h"
#include "operand.h"
#include "store/login.h"

static int read_login(const char *text, struct state_options *switches)
{
	if (!text)
		return CODE_DONE;
	switches->set_login = true;
	switches->login = strcmp(text, "on") == 0;
	if (switches->login || strcmp(text, "off") == 0)
		return CODE_DONE;
	switches->set_login = false;
	if (word_services_read(text, &switches->set_services, &switches->off))
		return CODE_DONE;
	return say_error(CODE_USAGE, "--login takes on, off or a list like "
				     "pop=off,smtp=on of pop, smtp, imap and "
				     "webmail, not '%s'",
			 text);
}

static int read_delivery(const char *text, struct state_options *switches)
{
	static const struct {
		const char *word;
		enum store_delivery delivery;
	} words[] = {{"on", STORE_DELIVER},
		     {"off", STORE_BOUNCE},
		     {"hold", STORE_HOLD}};

	if (!text)
		return CODE_DONE;
	switches->set_delivery = true;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(text, words[i].word) == 0) {
			switches->delivery = words[i].delivery;
			return CODE_DONE;
		}
	}
	return say_error(CODE_USAGE,
			 "--delivery takes on, off or hold, not '%s'", text);
}

static int read_reason(const struct args *args, struct state_options *switches)
{
	const char *reason = args_get(args, "--reason");

	switches->set_reason = reason != NULL;
	return operand_text("reason", reason, switches->reason,
			    sizeof switches->reason);
}

int state_options_expires(const struct args *args, int64_t *ret_expires)
{
	const char *text = args_get(args, "--expires");

	*ret_expires = 0;
	return text ? expiry_read(text, time(NULL), ret_expires) : CODE_DONE;
}

int state_options_read(const struct args *args,
		       struct state_options *ret_switches)
{
	int code;

	*ret_switches = (struct state_options){.login = true};
	code = read_login(args_get(args, "--login"), ret_switches);
	if (code == CODE_DONE)
		code = read_delivery(args_get(args, "--delivery"),
				     ret_switches);
	ret_switches->set_expires = args_has(args, "--expires");
	if (code == CODE_DONE)
		code = state_options_expires(args, &ret_switches->expires);
	return code == CODE_DONE ? read_reason(args, ret_switches) : code;
}

int state_options_suspend(const struct args *args,
			  struct state_options *ret_switches)
{
	*ret_switches = (struct state_options){.set_login = true};
	return read_reason(args, ret_switches);
}

struct state_options state_options_resume(void)
{
	return (struct state_options){
		.set_login = true, .login = true, .set_reason = true,
		.resume = true};
}

bool state_options_any(const struct state_options *switches)
{
	return switches->set_login || switches->set_delivery ||
	       switches->set_services || switches->set_expires ||
	       switches->set_reason;
}

void state_options_apply(const struct state_options *switches,
			 struct store_state *state)
{
	if (switches->set_login)
		state->login = switches->login;
	state->off = (state->off & ~switches->set_services) | switches->off;
	if (switches->set_expires)
		state->expires = switches->expires;
	if (switches->resume && login_ended(state->expires))
		state->expires = 0;
	if (switches->set_delivery)
		state->delivery = switches->delivery;
	if (switches->set_reason)
		memcpy(state->reason, switches->reason, sizeof state->reason);
}
