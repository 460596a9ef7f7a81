/* cmd_domain_set.c: popbox domain set, suspend and resume. */
#include <arpa/inet.h>
#include <string.h>

#include "change.h"
#include "commands.h"
#include "json.h"
#include "operand.h"
#include "say.h"
#include "switches.h"

const struct args_option cmd_domain_set_options[] = {
	{"--ip", "ADDR|none", "local address of logins without a domain"},
	SWITCHES_OPTIONS,
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
	struct name_domain name;
	bool set_ip;
	char ip[STORE_IP_MAX + 1];
	struct switches switches;
	struct store_domain is;
};

static enum err edit_body(struct store_txn *txn, void *arg)
{
	struct edit *edit = arg;
	enum err err = store_domain_get(txn, &edit->name, &edit->is);

	if (err != ERR_OK)
		return err;
	if (edit->is.kind == STORE_ALIAS && edit->switches.set_delivery)
		return store_refuse(txn, ERR_INVALID,
				    "an alias has no mail of its own (set it "
				    "for '%s', or delete the alias)",
				    edit->is.target.s);
	if (edit->set_ip)
		memcpy(edit->is.ip, edit->ip, sizeof edit->ip);
	switches_apply(&edit->switches, &edit->is.state);
	return store_domain_set(txn, &edit->is);
}

static int run(struct site *site, const struct args *args, struct edit *edit,
	       const char *done)
{
	bool changed = false;
	int code = operand_domain(args->operand[0], &edit->name);

	if (code == CODE_DONE)
		code = site_open_write(site);
	if (code == CODE_DONE)
		code = change(site, edit_body, edit, edit->name.s, &changed);
	if (changed && site->json)
		json_print(json_domain(&edit->is));
	else if (changed)
		say_note("domain '%s' %s", edit->name.s, done);
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

int cmd_domain_set(struct site *site, const struct args *args)
{
	struct edit edit = {.set_ip = false};
	int code = switches_read(args, &edit.switches);

	if (code == CODE_DONE)
		code = read_ip(args_get(args, "--ip"), &edit);
	if (code != CODE_DONE)
		return code;
	if (!switches_any(&edit.switches) && !edit.set_ip)
		return say_error(CODE_USAGE, "nothing to set: say --ip, "
					     "--login, --delivery or --reason");
	return run(site, args, &edit, "set");
}

int cmd_domain_suspend(struct site *site, const struct args *args)
{
	struct edit edit = {.set_ip = false};
	int code = switches_suspend(args, &edit.switches);

	return code == CODE_DONE
		       ? run(site, args, &edit,
			     "suspended: nobody can log in by it, mail is "
			     "still delivered")
		       : code;
}

int cmd_domain_resume(struct site *site, const struct args *args)
{
	struct edit edit = {.switches = switches_resume()};

	return run(site, args, &edit, "resumed");
}
