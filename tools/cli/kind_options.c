/* SPDX-License-Identifier: MIT */
#include "kind_options.h"

#include "base/json.h"
#include "base/say.h"
#include "base/words.h"
#include "operand.h"

bool kind_options_any(const struct args *args)
{
	return args_has(args, "--kind") || args_has(args, "--host") ||
	       args_has(args, "--subdomains") ||
	       args_has(args, "--no-subdomains");
}

/* A relay has a host, a dial-up domain may have one, the others have none. */
static int judge_host(const struct store_domain *domain, bool given)
{
	const bool takes = domain->kind == STORE_RELAY ||
			   domain->kind == STORE_DIALUP;

	if (given && !takes)
		return say_error(CODE_USAGE, "a domain of kind %s has no host",
				 word_kind(domain->kind));
	if (domain->kind == STORE_RELAY && !domain->host[0])
		return say_error(CODE_USAGE, "where does its mail go? say "
					     "--host HOST[:PORT]");
	return CODE_DONE;
}

static int read_subdomains(const struct args *args, bool usual,
			   struct store_domain *domain)
{
	const bool with = args_has(args, "--subdomains");
	const bool without = args_has(args, "--no-subdomains");

	if (with && without)
		return say_error(CODE_USAGE,
				 "say --subdomains or --no-subdomains");
	if (with || without)
		domain->subdomains = with;
	else if (usual)
		domain->subdomains = domain->kind != STORE_DIALUP;
	return CODE_DONE;
}

int kind_options_read(const struct args *args, bool fresh,
		      struct store_domain *domain)
{
	const enum store_kind was = domain->kind;
	const char *kind = args_get(args, "--kind");
	const char *host = args_get(args, "--host");
	int code = kind ? operand_kind(kind, &domain->kind) : CODE_DONE;

	if (domain->kind != was) {
		domain->host[0] = 0;
		domain->port = 0;
	}
	if (code == CODE_DONE && host)
		code = operand_host(host, domain);
	if (code == CODE_DONE)
		code = read_subdomains(args, fresh || domain->kind != was,
				       domain);
	return code == CODE_DONE ? judge_host(domain, host != NULL) : code;
}
