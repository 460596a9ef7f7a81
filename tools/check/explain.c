/* SPDX-License-Identifier: MIT */
#include "explain_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/resource_error.h"
#include "base/say.h"
#include "base/words.h"
#include "qmail/notify.h"
#include "store/login.h"

static void print_step(struct walk *walk, bool good, const char *name,
		       const char *text)
{
	if (!good && !walk->broken[0])
		(void)snprintf(walk->broken, sizeof walk->broken, "%s", text);
	if (walk->site->json)
		json_print(json_pack("{s:s, s:b, s:s}", "step", name, "good",
				     (int)good, "text", text));
	else
		say_out("%-10s %s%s", name, good ? "" : "BROKEN: ", text);
}

void walk_step(struct walk *walk, bool good, const char *name,
	       const char *format, ...)
{
	char text[WALK_TEXT];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* cut is enough */
	va_end(args);
	say_clean(text, text, sizeof text);
	if (!good && !walk->here[0])
		memcpy(walk->here, text, sizeof text);
	if (walk_speaks(walk))
		print_step(walk, good, name, text);
}

void walk_say(struct walk *walk, bool good, const char *name,
	      const char *format, ...)
{
	char text[WALK_TEXT];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* cut is enough */
	va_end(args);
	say_clean(text, text, sizeof text);
	print_step(walk, good, name, text);
}

/* What we alone have too little of tells nothing. */
bool walk_unsure(struct walk *walk, int rc)
{
	if (resource_error(rc))
		walk->unsure = rc;
	return resource_error(rc);
}

/* What lies below the mail root `check` looks at, too. */
static const char *who_helps(const struct walk *walk)
{
	const char *home = walk->site->config.home;
	const size_t len = strlen(home);

	return strncmp(walk->path, home, len) == 0 && walk->path[len] == '/'
		       ? " ('popbox check' says how to repair it)"
		       : "";
}

bool walk_unread(struct walk *walk, const char *name, int rc)
{
	if (!walk_unsure(walk, rc))
		walk_step(walk, false, name, "%s: %s: the mail waits%s",
			  walk->path, strerror(rc), who_helps(walk));
	walk->verdict = EXPLAIN_DEFERRED;
	return false;
}

bool walk_defer(struct walk *walk, const char *name, const char *why)
{
	walk_step(walk, false, name, "%s %s: the mail waits%s", walk->path, why,
		  strstr(why, "popbox") ? "" : who_helps(walk));
	walk->verdict = EXPLAIN_DEFERRED;
	return false;
}

void walk_target(struct walk *walk, const char *text)
{
	char clean[WALK_TEXT];

	say_clean(text, clean, sizeof clean);
	if (!walk->reached[0])
		memcpy(walk->reached, clean, sizeof clean);
	if (walk->at == 0)
		(void)json_array_append_new(walk->targets, json_string(clean));
}

static bool add_hop(struct walk *walk, const char *address)
{
	if (walk->hops == walk->room) {
		size_t room = walk->room ? 2 * walk->room : 8;
		struct hop *more = reallocarray(walk->hop, room, sizeof *more);

		if (!more)
			return false;
		walk->hop = more;
		walk->room = room;
	}
	walk->hop[walk->hops] = (struct hop){.address = strdup(address),
					     .from = walk->at};
	return walk->hop[walk->hops++].address != NULL;
}

void walk_forward(struct walk *walk, const char *address)
{
	walk_target(walk, address);
	if (walk->hops > WALK_HOPS || strlen(address) >= WALK_ADDRESS)
		walk->kept = true; /* said in settle, or no address of a mail */
	else if (!add_hop(walk, address))
		walk->unsure = ENOMEM;
}

/* Has the message been there? */
static bool is_loop(const struct walk *walk)
{
	const char *address = walk->hop[walk->at].address;

	for (size_t i = walk->at; i != 0;) {
		i = walk->hop[i].from;
		if (strcmp(walk->hop[i].address, address) == 0)
			return true;
	}
	return false;
}

/* What is accepted goes no further while it is not running. */
static void say_stopped(struct walk *walk)
{
	const struct config *config = &walk->site->config;

	if (walk_speaks(walk) && notify_state(config) == NOTIFY_STOPPED)
		walk_step(walk, true, "waits",
			  "qmail-send is not running, so mail waits in the "
			  "queue: start its service, or run %s/rc",
			  config->qmail);
}

static void walk_mail(struct walk *walk)
{
	char local[WALK_ADDRESS];

	if (is_loop(walk)) {
		walk_step(walk, false, "follows",
			  "the message came through %s before: qmail bounces "
			  "it as looping",
			  walk->hop[walk->at].address);
		walk->verdict = EXPLAIN_BOUNCED;
		return;
	}
	if (!walk_ask(walk))
		return;
	if (!config_has_qmail(&walk->site->config)) {
		walk_without_qmail(walk);
		return;
	}
	if (walk_speaks(walk) && !walk_accept(walk)) {
		if (!walk->unsure)
			walk_compare_files(walk);
		return;
	}
	say_stopped(walk);
	if (walk_route(walk, local, sizeof local))
		walk_user(walk, local);
	if (walk->verdict == EXPLAIN_DELIVERED)
		walk_concurrency(walk, "control/concurrencylocal");
	else if (walk->verdict == EXPLAIN_REMOTE)
		walk_concurrency(walk, "control/concurrencyremote");
	if (!walk->unsure)
		walk_compare(walk);
}

static const char *verdict_text(enum explain verdict)
{
	switch (verdict) {
	case EXPLAIN_DELIVERED:
		return "delivered";
	case EXPLAIN_REMOTE:
		return "remote";
	case EXPLAIN_LOCAL:
		return "local";
	case EXPLAIN_DEFERRED:
		return "deferred";
	case EXPLAIN_BOUNCED:
		return "bounced";
	case EXPLAIN_REFUSED:
		return "refused";
	}
	return "?";
}

/* One line for a forward that was followed; of one to another host its own line
 * has said all. */
static void say_hop(struct walk *walk)
{
	const struct hop *hop = &walk->hop[walk->at];
	const bool forwards = walk->verdict == EXPLAIN_DELIVERED && !walk->kept;

	if (walk->at == 0 || (walk->verdict == EXPLAIN_REMOTE && !walk->here[0]))
		return;
	walk_say(walk, !walk->here[0], "follows", "%s: %s%s%s%s", hop->address,
		 forwards ? "forwards" : verdict_text(walk->verdict),
		 walk->unseen ? ", not for popusr's eyes" : "",
		 walk->here[0] || walk->reached[0] ? ": " : "",
		 walk->here[0] ? walk->here : walk->reached);
}

static void walk_hop(struct walk *walk)
{
	const char *written = walk->hop[walk->at].address;
	char *at;

	(void)snprintf(walk->address, sizeof walk->address, "%s", written);
	at = strrchr(walk->address, '@');
	if (at)
		*at = 0;
	walk->local = walk->address;
	walk->domain = at ? at + 1 : "";
	walk->here[0] = walk->reached[0] = walk->file[0] = 0;
	walk->verdict = EXPLAIN_DELIVERED;
	walk->kept = walk->hidden = walk->unseen = false;
	walk_mail(walk);
	walk_asked(walk);
	walk->hop[walk->at].verdict = walk->verdict;
	walk->hop[walk->at].kept |= walk->kept;
	say_hop(walk);
}

/* A hop that only forwards gets as far as its forwards do. */
static void settle(struct walk *walk)
{
	if (walk->hops > WALK_HOPS)
		walk_say(walk, true, "follows",
			 "more than %d forwards: popbox follows no more",
			 WALK_HOPS);
	for (size_t i = walk->hops; i-- > 0;) {
		struct hop *hop = &walk->hop[i], *from = &walk->hop[hop->from];

		if (hop->verdict == EXPLAIN_DELIVERED && !hop->kept &&
		    !hop->got)
			hop->verdict = hop->local   ? EXPLAIN_LOCAL
				       : hop->waits ? EXPLAIN_DEFERRED
						    : EXPLAIN_BOUNCED;
		from->got |= i && (hop->verdict == EXPLAIN_DELIVERED ||
				   hop->verdict == EXPLAIN_REMOTE);
		from->waits |= i && hop->verdict == EXPLAIN_DEFERRED;
		from->local |= i && hop->verdict == EXPLAIN_LOCAL;
	}
	walk->verdict = walk->hop[0].verdict;
}

struct asked_terms {
	const struct login *login;
	struct login_terms terms;
};

static enum err terms_body(struct store_txn *txn, void *arg)
{
	struct asked_terms *asked = arg;
	const struct login *login = asked->login;
	const bool named = login->domain.s[0];
	struct store_domain domain;
	struct store_box box;
	enum err err = store_box_get(txn, &login->box, &box);

	if (err == ERR_OK && named)
		err = store_domain_get(txn, &login->domain, &domain);
	return err == ERR_OK ? login_terms(txn, &box, named ? &domain : NULL,
					   &asked->terms)
			     : err;
}

/* ", until ..., not by smtp"; "" where neither is said. */
enum { TERMS = 128 };

static enum err read_terms(const struct site *site, const struct login *login,
			   char ret_text[TERMS])
{
	struct asked_terms asked = {.login = login};
	char when[SAY_TIME_TEXT], services[WORD_SERVICES];
	enum err err = store_read(site->store, terms_body, &asked);
	const struct login_terms *terms = &asked.terms;

	if (err == ERR_OK) /* it fits */
		(void)snprintf(ret_text, TERMS, "%s%s%s%s",
			       terms->expires ? ", until " : "",
			       terms->expires ? say_time(terms->expires, when)
					      : "",
			       terms->off ? ", not by " : "",
			       word_services(terms->off, services));
	return err;
}

/* What the store says of a login by the address. */
static int walk_login(struct walk *walk, const char *name)
{
	struct site *site = walk->site;
	struct login login = {.found = false};
	char box[NAME_BOX_TEXT];
	char ip[MAILROOT_IP_MAX + 1] = "", when[SAY_TIME_TEXT];
	char terms[TERMS] = "";
	int64_t last = 0;
	enum err err;

	err = login_find(site->store, &site->config, name, strlen(name), NULL,
			 0, &login);
	memset(login.hash, 0, sizeof login.hash);
	if (err == ERR_OK && login.box.handle.s[0] && !login.reason)
		err = read_terms(site, &login, terms);
	if (err != ERR_OK)
		return site_failed(site, err, name);
	if (!login.box.handle.s[0]) {
		walk_step(walk, true, "login",
			  "none: the store has no box behind %s", name);
		return CODE_DONE;
	}
	name_box_text(&login.box, box);
	if (asuser_lastlogin(site->asuser, &login.box, &last, ip, walk->path) !=
	    0)
		last = 0; /* never, or nobody can tell: the box is not there */
	walk_step(walk, true, "login", "%s: %s%s%s, last login %s%s%s", box,
		  login.reason ? "refused: " : "with its password",
		  login.reason ? login.reason : "", terms,
		  last ? say_time(last, when) : "never", ip[0] ? " from " : "",
		  ip);
	return CODE_DONE;
}

static int conclude(struct walk *walk)
{
	const bool good = walk->verdict == EXPLAIN_DELIVERED ||
			  walk->verdict == EXPLAIN_REMOTE;
	const char *verdict = verdict_text(walk->verdict);

	if (walk->unsure)
		return say_error(CODE_LATER, "cannot look any further: %s",
				 strerror(walk->unsure));
	if (walk->site->json) {
		json_print(json_pack("{s:s, s:O, s:s?}", "verdict", verdict,
				     "targets", walk->targets, "broken",
				     walk->broken[0] ? walk->broken : NULL));
	} else {
		say_out("%-10s %s", "mail", verdict);
		if (walk->broken[0])
			say_note("first broken link: %s", walk->broken);
	}
	return good && !walk->broken[0] ? CODE_DONE : CODE_NO;
}

int explain(struct site *site, const char *address)
{
	struct walk *walk = calloc(1, sizeof *walk);
	int code = CODE_DONE, login = CODE_DONE;

	if (!walk || !add_hop(walk, address)) {
		free(walk);
		return say_error(CODE_LATER, "no memory");
	}
	walk->site = site;
	walk->targets = json_array();
	for (; walk->at < walk->hops && !walk->unsure; walk->at++)
		walk_hop(walk);
	walk->at = 0;
	settle(walk);
	if (!walk->unsure)
		walk_history(walk);
	login = walk_login(walk, address);
	code = conclude(walk);
	json_decref(walk->targets);
	for (size_t i = 0; i < walk->hops; i++)
		free(walk->hop[i].address);
	free(walk->hop);
	free(walk);
	return login != CODE_DONE ? login : code;
}
