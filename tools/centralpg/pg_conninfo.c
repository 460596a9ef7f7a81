/* SPDX-License-Identifier: MIT */
#include "pg_conninfo.h"

#include <stdbool.h>
#include <string.h>

static const char *judge_option(const PQconninfoOption *o, bool remote)
{
	if (strcmp(o->keyword, "password") == 0 ||
	    strcmp(o->keyword, "passfile") == 0)
		return "it has a password (use a client certificate: sslcert "
		       "and sslkey)";
	if (strcmp(o->keyword, "service") == 0)
		return "it names a service (say host and dbname)";
	if (remote && strcmp(o->keyword, "sslmode") == 0 &&
	    strcmp(o->val, "verify-full") != 0)
		return "its sslmode is not verify-full";
	return NULL;
}

const char *pg_conninfo_value(const PQconninfoOption *options, const char *word)
{
	for (const PQconninfoOption *o = options; o->keyword; o++) {
		if (o->val && o->val[0] && strcmp(o->keyword, word) == 0)
			return o->val;
	}
	return NULL;
}

/* A host that is none of this machine's sockets. */
static bool is_remote(const PQconninfoOption *options)
{
	const char *host = pg_conninfo_value(options, "host");

	if (pg_conninfo_value(options, "hostaddr"))
		return true;
	for (const char *at = host; at && *at;) {
		if (*at != '/')
			return true;
		at += strcspn(at, ",");
		at += *at == ',';
	}
	return false;
}

const char *pg_conninfo_judge(const PQconninfoOption *options)
{
	const bool remote = is_remote(options);

	for (const PQconninfoOption *o = options; o->keyword; o++) {
		const char *why =
			o->val && o->val[0] ? judge_option(o, remote) : NULL;

		if (why)
			return why;
	}
	if (remote && !pg_conninfo_value(options, "sslmode"))
		return "it does not say sslmode=verify-full";
	return NULL;
}
