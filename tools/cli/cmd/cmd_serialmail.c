/* SPDX-License-Identifier: MIT */
/* cmd_serialmail.c: popbox serialmail run. */
#include "base/say.h"
#include "cli/commands.h"
#include "cli/operand.h"
#include "dialup/serialmail.h"

const struct args_option cmd_serialmail_run_options[] = {
	{"--grace", "SECONDS", "between two starts [1]"},
	{"--jobs", "N", "senders at the same time [20]"},
	{"--limit", "SECONDS", "that one sender may take [3600]"},
	{"--command", "WORDS",
	 "sender, run as WORDS DIR PREFIX RELAYHOST HELO [popbox-maildirsmtp]"},
	{NULL, NULL, NULL},
};

static int number(const struct args *args, const char *name, uint64_t low,
		  uint64_t high, unsigned *number)
{
	const char *text = args_get(args, name);
	uint64_t value = *number;

	if (text && !operand_number(text, low, high, &value))
		return say_error(CODE_USAGE,
				 "%s takes a number from %llu to %llu, not "
				 "'%s'",
				 name, (unsigned long long)low,
				 (unsigned long long)high, text);
	*number = (unsigned)value;
	return CODE_DONE;
}

int cmd_serialmail_run(struct site *site, const struct args *args)
{
	struct serialmail how = {.grace = 1, .jobs = 20, .limit = 3600,
				 .command = args_get(args, "--command")};
	int code = number(args, "--grace", 0, 3600, &how.grace);

	if (code == CODE_DONE)
		code = number(args, "--jobs", 1, 1000, &how.jobs);
	if (code == CODE_DONE)
		code = number(args, "--limit", 1, 86400, &how.limit);
	if (code == CODE_DONE && how.command && !how.command[0])
		return say_error(CODE_USAGE, "--command is empty");
	if (code == CODE_DONE)
		code = site_config(site);
	return code == CODE_DONE ? serialmail(site, &how) : code;
}
