/* SPDX-License-Identifier: MIT */
/* cmd_import.c: popbox import. */
#include <string.h>

#include "base/say.h"
#include "cli/commands.h"
#include "cli/operand.h"
#include "publish/change.h"
#include "publish/preflight.h"
#include "transfer/import.h"

const struct args_option cmd_import_options[] = {
	{"--format", "FORMAT",
	 "csv, cpanel, google, postfixadmin, modoboa, sql, ldif, vuserinfo, "
	 "hestia, virtualmin, vpopmail, vmailmgr, dovecot, shadow or qmail [by its "
	 "name or content]"},
	{"--encoding", "NAME",
	 "utf-8, latin-1, windows-1252 or utf-16 [by its bytes]"},
	{"--handle", "H", "the customer of domains that are new"},
	{"--handles", "FILE", "the customer of each new domain: a csv domain,handle"},
	{"--domain", "D", "the domain of names without one"},
	{"--update", NULL, "change what is there already"},
	{"--undelete", NULL, "bring back what was deleted under such a name"},
	{"--skip-bad", "FILE", "take the other rows, write the bad ones there"},
	{"--generate", NULL, "make passwords where there are none"},
	{"--credentials", "FILE", "where the generated ones are written"},
	{"--locked", NULL, "rows without a password: a box that cannot log in yet"},
	{"--force", NULL, "take forwards to addresses that are not there yet"},
	{"--legacy-ok", NULL, "take hashes of DES"},
	{"--refuse-breached", NULL, "rows with a breached password are bad"},
	{"--ignore-unknown", NULL, "pass over columns that are not known"},
	{"--map", "THEIRS=OURS", "which column is which of ours"},
	{"--maildir", NULL, "copy the old mail too"},
	{"--maildir-base", "DIR", "the directory that relative Maildir paths start from"},
	{"--subdomains", NULL,
	 "new domains: hosts below them too [as qmail's files have it]"},
	{"--no-subdomains", NULL, "new domains: never"},
	FIX_LOCALS_OPTION,
	CHANGE_OPTIONS,
	{NULL, NULL, NULL},
};

/* A site taken over by hand knows no passwords. */
static bool is_site(const struct import_how *how)
{
	return how->source.format &&
	       strcmp(how->source.format, "qmail") == 0;
}

static int judge(const struct site *site, const struct import_how *how)
{
	if (how->mail && site->no_sync)
		return say_error(CODE_USAGE, "--maildir wants the boxes to be "
					     "there: leave out --no-sync");
	if (how->generate && !how->credentials)
		return say_error(CODE_USAGE, "--generate wants --credentials "
					     "FILE: where else shall the "
					     "passwords go?");
	if (how->credentials && !how->generate)
		return say_error(CODE_USAGE, "--credentials needs --generate");
	if (how->generate && how->locked)
		return say_error(CODE_USAGE, "say --generate or --locked");
	if (how->mail_base[0] && !how->mail)
		return say_error(CODE_USAGE, "--maildir-base needs --maildir");
	if (how->skip_bad && strcmp(how->source.path, "-") == 0)
		return say_error(CODE_USAGE,
				 "--skip-bad wants a file that can be read "
				 "twice, not standard input");
	return CODE_DONE;
}

static int read_how(struct site *site, const struct args *args,
		    struct name_domain *domain, struct import_how *how)
{
	const char *base = args_get(args, "--maildir-base");
	const char *handle = args_get(args, "--handle");
	const char *handles = args_get(args, "--handles");
	const char *in = args_get(args, "--domain");
	const char *encoding = args_get(args, "--encoding");
	const bool with = args_has(args, "--subdomains");
	const bool without = args_has(args, "--no-subdomains");
	int code = CODE_DONE;

	if (with && without)
		return say_error(CODE_USAGE,
				 "say --subdomains or --no-subdomains");
	*how = (struct import_how){
		.source = {.site = site,
			   .path = args->operand[0],
			   .format = args_get(args, "--format"),
			   .map = args_get(args, "--map"),
			   .ignore_unknown =
				   args_has(args, "--ignore-unknown")},
		.upsert = {.update = args_has(args, "--update"),
			   .undelete = args_has(args, "--undelete")},
		.has_handle = handle != NULL,
		.skip_bad = args_get(args, "--skip-bad"),
		.generate = args_has(args, "--generate"),
		.credentials = args_get(args, "--credentials"),
		.legacy_ok = args_has(args, "--legacy-ok"),
		.refuse_breached = args_has(args, "--refuse-breached"),
		.force = args_has(args, "--force"),
		.subdomains_said = with || without,
		.subdomains = with,
		.locked = args_has(args, "--locked"),
		.mail = args_has(args, "--maildir"),
		.mail_base = base ? base : ""};
	if (encoding && !encoding_read(encoding, &how->source.encoding))
		return say_error(CODE_USAGE, "no encoding '%s' (there are %s)",
				 encoding, ENCODING_NAMES);
	if (handle)
		code = operand_handle(handle, &how->handle);
	if (code == CODE_DONE && handles)
		code = handlemap_read(handles, &how->map);
	if (code == CODE_DONE && in)
		code = operand_domain(in, domain);
	if (in)
		how->source.domain = domain->s;
	if (code == CODE_DONE)
		code = judge(site, how);
	how->locked = how->locked || is_site(how);
	return code;
}

int cmd_import(struct site *site, const struct args *args)
{
	struct numbers numbers = {.asuser = NULL};
	struct name_domain domain;
	struct import_how how = {.has_handle = false};
	int code = read_how(site, args, &domain, &how);

	if (code == CODE_DONE)
		code = site_open_write(site);
	numbers.asuser = site->asuser;
	how.upsert.numbers = &numbers;
	if (code == CODE_DONE)
		code = import(site, &how);
	numbers_free(&numbers);
	handlemap_free(&how.map);
	return code;
}
