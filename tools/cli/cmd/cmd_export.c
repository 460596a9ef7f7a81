/* SPDX-License-Identifier: MIT */
/* cmd_export.c: popbox export. */
#include <grp.h>
#include <string.h>

#include "base/say.h"
#include "cli/commands.h"
#include "cli/operand.h"
#include "transfer/export.h"

const struct args_option cmd_export_options[] = {
	{"--format", "FORMAT", "csv, json, dovecot or vpopmail [csv]"},
	{"--output", "FILE", "replace that file, as one [standard output]"},
	{"--group", "G", "who may read FILE too: mode 0640 [0600]"},
	{"--spreadsheet", NULL, "guard cells of a csv that would be formulas"},
	{NULL, NULL, NULL},
};

static int read_format(const char *text, enum export_format *ret_format)
{
	static const char *const words[] = {"csv", "json", "dovecot",
					    "vpopmail"};

	*ret_format = EXPORT_CSV;
	for (int i = 0; text && i <= EXPORT_VPOPMAIL; i++) {
		*ret_format = (enum export_format)i;
		if (strcmp(words[i], text) == 0)
			return CODE_DONE;
	}
	return text ? say_error(CODE_USAGE, "no format '%s' (there are csv, "
					    "json, dovecot, vpopmail)",
				text)
		    : CODE_DONE;
}

static int read_group(const char *text, gid_t *ret_gid)
{
	uint64_t number;
	const struct group *group;

	*ret_gid = (gid_t)-1;
	if (!text)
		return CODE_DONE;
	if (operand_number(text, 0, INT32_MAX, &number)) {
		*ret_gid = (gid_t)number;
		return CODE_DONE;
	}
	group = getgrnam(text);
	if (!group)
		return say_error_as(CODE_REFUSED, SAY_UNKNOWN,
				    "there is no group '%s'", text);
	*ret_gid = group->gr_gid;
	return CODE_DONE;
}

static int judge(const struct export_how *how)
{
	if (how->gid != (gid_t)-1 && !how->output)
		return say_error(CODE_USAGE, "--group needs --output");
	if (how->spreadsheet && how->format != EXPORT_CSV)
		return say_error(CODE_USAGE, "--spreadsheet needs the format "
					     "csv");
	if (how->format == EXPORT_VPOPMAIL && !how->has_domain)
		return say_error(CODE_USAGE, "a vpasswd is about one domain: "
					     "say which");
	return CODE_DONE;
}

int cmd_export(struct site *site, const struct args *args)
{
	const char *what = args->operands ? args->operand[0] : NULL;
	struct export_how how = {.output = args_get(args, "--output"),
				 .spreadsheet = args_has(args,
							 "--spreadsheet")};
	int code = read_format(args_get(args, "--format"), &how.format);

	how.has_domain = what && strchr(what, '.');
	how.has_handle = what && !how.has_domain;
	if (code == CODE_DONE)
		code = read_group(args_get(args, "--group"), &how.gid);
	if (code == CODE_DONE && how.has_domain)
		code = operand_domain(what, &how.domain);
	if (code == CODE_DONE && how.has_handle)
		code = operand_handle(what, &how.handle);
	if (code == CODE_DONE)
		code = judge(&how);
	if (code == CODE_DONE)
		code = site_open_read(site);
	return code == CODE_DONE ? export(site, &how) : code;
}
