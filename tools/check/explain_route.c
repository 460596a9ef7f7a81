/* SPDX-License-Identifier: MIT */
/* explain_route.c: qmail-smtpd's and qmail-send's part of the way. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/replace.h"
#include "explain_private.h"
#include "qmail/cdbfile.h"

/* Which name of the domain is in morercpthosts.cdb? NULL: none. */
static enum cdbfile in_more(struct walk *walk, const char **ret_name)
{
	enum cdbfile found = CDBFILE_NONE;

	(void)snprintf(walk->path, sizeof walk->path,
		       "%s/control/morercpthosts.cdb",
		       walk->site->config.qmail);
	for (const char *name = walk->domain; name && found == CDBFILE_NONE;
	     name = route_next_name(walk->domain, name)) {
		found = cdbfile_has(walk->path, name);
		*ret_name = name;
	}
	return found;
}

static void accept_more(struct walk *walk)
{
	const char *name = "";

	switch (in_more(walk, &name)) {
	case CDBFILE_FOUND:
		walk_step(walk, true, "accepted",
			  "control/morercpthosts.cdb: %s", name);
		break;
	case CDBFILE_LATER:
		(void)walk_unread(walk, "accepted", errno);
		break;
	case CDBFILE_DAMAGED:
		walk_step(walk, false, "accepted",
			  "control/morercpthosts.cdb is damaged: qmail-smtpd "
			  "takes no mail now (run qmail-newmrh)");
		walk->verdict = EXPLAIN_DEFERRED;
		break;
	case CDBFILE_NONE:
	case CDBFILE_MISSING:
		walk_step(walk, false, "accepted",
			  "the domain is neither in control/rcpthosts nor in "
			  "morercpthosts.cdb: qmail-smtpd refuses it");
		walk->verdict = EXPLAIN_REFUSED;
	}
}

bool walk_accept(struct walk *walk)
{
	struct replace_text text = {0};
	struct route_line line;

	if (!walk_starts(walk, WALK_SMTPD) ||
	    !walk_load(walk, "control/rcpthosts", &text))
		return false;
	if (text.bytes && walk_closed(walk, "control/morercpthosts.cdb")) {
		replace_free(&text);
		return false;
	}
	line = route_rcpthosts(walk_text(&text), walk->domain);
	if (line.number)
		walk_step(walk, true, "accepted",
			  "control/rcpthosts line %lu: %.*s", line.number,
			  walk_width(line.len), line.at);
	else if (text.bytes)
		accept_more(walk);
	else
		walk_step(walk, false, "accepted",
			  "control/rcpthosts is missing: qmail-smtpd takes "
			  "mail for every domain (make it, at least empty, "
			  "then 'popbox sync --full')");
	replace_free(&text);
	return walk->verdict == EXPLAIN_DELIVERED;
}

/* Of an address without a host qmail-send makes one of control/envnoathost, else
 * of control/me. Then comes control/percenthack. */
static bool rewrite(struct walk *walk, const struct replace_text *me)
{
	struct replace_text host = {0}, hack = {0};
	struct route_line line;
	const bool had = walk->domain[0] != 0;
	char *at;

	if (!walk_load(walk, "control/envnoathost", &host) ||
	    !walk_load(walk, "control/percenthack", &hack)) {
		replace_free(&host);
		return false;
	}
	line = route_first(walk_text(host.bytes ? &host : me));
	at = walk->address + strlen(walk->local);
	if (!had && line.number)
		(void)snprintf(at, sizeof walk->address - strlen(walk->local),
			       "@%.*s", (int)(line.len < 255 ? line.len : 255),
			       line.at);
	else
		*at = '@';
	route_percenthack(walk_text(&hack), walk->address);
	at = strrchr(walk->address, '@');
	*at = 0;
	if (strcmp(walk->domain, at + 1) != 0)
		walk_step(walk, true, "rewritten", "%s@%s", walk->address,
			  at + 1);
	walk->domain = at + 1;
	replace_free(&host);
	replace_free(&hack);
	return true;
}

/* It wins over virtualdomains, which is wrong where the store has the domain. */
static void say_local(struct walk *walk, bool me, unsigned long number)
{
	const char *wins = walk->ours ? ", which wins over virtualdomains" : "";

	if (me)
		walk_step(walk, !walk->ours, "locals",
			  "control/locals is missing, and control/me, which "
			  "stands in for it, has the domain%s: the mail goes "
			  "to a user of this machine",
			  wins);
	else
		walk_step(walk, !walk->ours, "locals",
			  "control/locals line %lu has the domain%s: the mail "
			  "goes to a user of this machine",
			  number, wins);
}

/* True: the domain is none of control/locals, or of control/me for want of
 * that file. */
static bool is_virtual(struct walk *walk, const struct replace_text *me,
		       bool *ret_local)
{
	struct replace_text text = {0};
	struct route_line line;
	const bool missing = walk_load(walk, "control/locals", &text) &&
			     !text.bytes;

	*ret_local = false;
	if (walk->verdict == EXPLAIN_DEFERRED)
		return false;
	line = route_locals(walk_text(&text), walk_text(me), walk->domain);
	replace_free(&text);
	if (missing && !me->bytes) {
		walk_step(walk, false, "locals",
			  "control/locals and control/me are missing: "
			  "qmail-send does not start");
		walk->verdict = EXPLAIN_DEFERRED;
		return false;
	}
	*ret_local = line.number != 0;
	if (line.number)
		say_local(walk, missing, line.number);
	return !line.number;
}

/* What no host's name has: qmail-remote asks the DNS for it all the same. */
static bool is_no_host(const char *route)
{
	const char *end = strchrnul(route, ':');

	for (const char *c = route; c < end; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return true;
	}
	return end == route;
}

static void walk_to_host(struct walk *walk, const struct route_line *line)
{
	const bool cr = line->value[line->value_len - 1] == '\r';
	char host[WALK_TEXT];

	(void)snprintf(host, sizeof host, "%.*s", walk_width(line->value_len),
		       line->value);
	if (is_no_host(host)) {
		walk_step(walk, false, "routed",
			  "control/smtproutes line %lu: %.*s: no host has such "
			  "a name%s",
			  line->number, walk_width(line->len), line->at,
			  cr ? " (a carriage return ends the line)" : "");
		walk->verdict = EXPLAIN_BOUNCED;
		return;
	}
	walk_step(walk, true, "routed", "control/smtproutes line %lu: %.*s",
		  line->number, walk_width(line->len), line->at);
	walk_target(walk, host);
}

static void walk_remote(struct walk *walk)
{
	struct replace_text text = {0};
	struct route_line line;

	if (!walk_starts(walk, WALK_REMOTE) ||
	    !walk_load(walk, "control/smtproutes", &text))
		return;
	line = route_smtproutes(walk_text(&text), walk->domain);
	walk->verdict = EXPLAIN_REMOTE;
	if (line.number && line.value_len) {
		walk_to_host(walk, &line);
	} else {
		walk_step(walk, true, "routed",
			  "not virtual, no route: to the host of the domain's "
			  "MX");
		walk_target(walk, "mx");
	}
	replace_free(&text);
}

/* False: it is not virtual, or that cannot be told. */
static bool walk_virtual(struct walk *walk, char *ret_local, size_t room)
{
	struct replace_text text = {0};
	struct route_line line;
	bool virtual;

	if (!walk_load(walk, "control/virtualdomains", &text))
		return false;
	line = route_virtualdomains(walk_text(&text), walk->local,
				    walk->domain);
	virtual = line.number && line.value_len;
	if (virtual) {
		(void)snprintf(ret_local, room, "%.*s-%s",
			       walk_width(line.value_len), line.value,
			       walk->local);
		walk_step(walk, true, "routed",
			  "control/virtualdomains line %lu: %.*s", line.number,
			  walk_width(line.len), line.at);
	}
	replace_free(&text);
	if (!virtual)
		walk_remote(walk);
	return virtual;
}

bool walk_route(struct walk *walk, char *ret_local, size_t room)
{
	struct replace_text me = {0};
	bool local = false, more = walk_starts(walk, WALK_SEND) &&
				   walk_load(walk, "control/me", &me) &&
				   rewrite(walk, &me);

	more = more && is_virtual(walk, &me, &local);
	replace_free(&me);
	if (local)
		(void)snprintf(ret_local, room, "%s", walk->local);
	return local || (more && walk_virtual(walk, ret_local, room));
}
