#include "explain_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdbfile.h"
#include "lack.h"
#include "login.h"
#include "replace.h"
#include "say.h"

void walk_step(struct walk *walk, bool good, const char *name,
	       const char *format, ...)
{
	char text[WALK_TEXT], clean[WALK_TEXT];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* cut is enough */
	va_end(args);
	say_clean(text, clean, sizeof clean);
	if (!good && !walk->broken[0])
		memcpy(walk->broken, clean, sizeof clean);
	if (walk->site->json)
		json_print(json_pack("{s:s, s:b, s:s}", "step", name, "good",
				     (int)good, "text", clean));
	else
		say_out("%-10s %s%s", name, good ? "" : "BROKEN: ", clean);
}

/* What we alone have too little of tells nothing. */
static bool is_unsure(struct walk *walk, int rc)
{
	if (lack_of_ours(rc))
		walk->unsure = rc;
	return lack_of_ours(rc);
}

bool walk_unread(struct walk *walk, const char *name, int rc)
{
	if (!is_unsure(walk, rc))
		walk_step(walk, false, name, "%s: %s: the mail waits",
			  walk->path, strerror(rc));
	walk->verdict = EXPLAIN_DEFERRED;
	return false;
}

void walk_target(struct walk *walk, const char *text)
{
	char clean[WALK_TEXT];

	say_clean(text, clean, sizeof clean);
	(void)json_array_append_new(walk->targets, json_string(clean));
}

static int line_width(const struct route_line *line)
{
	return line->len < 400 ? (int)line->len : 400;
}

/* One of qmail's files; one that is not there has bytes NULL. 0 or an errno. */
static int read_file(struct walk *walk, const char *name,
		     struct replace_text *ret_text)
{
	int dir, rc;

	(void)snprintf(walk->path, sizeof walk->path, "%s/%s",
		       walk->site->config.qmail, name);
	dir = open(walk->site->config.qmail,
		   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dir < 0 ? errno : replace_read(dir, name, ret_text);
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	if (rc == ENOENT)
		*ret_text = (struct replace_text){0};
	return rc == ENOENT ? 0 : rc;
}

/* A control file. False: it cannot be read, and that is the broken link. */
static bool load(struct walk *walk, const char *name,
		 struct replace_text *ret_text)
{
	int rc = read_file(walk, name, ret_text);

	return rc == 0 || walk_unread(walk, "file", rc);
}

static struct route_text text_of(const struct replace_text *text)
{
	return (struct route_text){text->bytes, text->len};
}

/* Which name of the domain is in morercpthosts.cdb? NULL: none. False: errno, for
 * what we lack. */
static bool in_more(struct walk *walk, const char **ret_name)
{
	(void)snprintf(walk->path, sizeof walk->path,
		       "%s/control/morercpthosts.cdb",
		       walk->site->config.qmail);
	*ret_name = NULL;
	for (const char *name = walk->domain; name && !*ret_name;
	     name = route_next_name(walk->domain, name)) {
		enum cdbfile found = cdbfile_has(walk->path, name);

		if (found == CDBFILE_LATER)
			return false;
		if (found == CDBFILE_FOUND)
			*ret_name = name;
	}
	return true;
}

static bool walk_rcpthosts(struct walk *walk)
{
	struct replace_text text = {0};
	struct route_line line;
	const char *more;

	if (!load(walk, "control/rcpthosts", &text))
		return false;
	line = route_rcpthosts(text_of(&text), walk->domain);
	if (line.number) {
		walk_step(walk, true, "accepted",
			  "control/rcpthosts line %lu: %.*s", line.number,
			  line_width(&line), line.at);
	} else if (!text.bytes) {
		walk_step(
			walk, false, "accepted",
			"control/rcpthosts is missing: qmail-smtpd takes mail "
			"for every domain");
	} else if (!in_more(walk, &more)) {
		(void)walk_unread(walk, "accepted", errno);
	} else if (more) {
		walk_step(walk, true, "accepted",
			  "control/morercpthosts.cdb: %s", more);
	} else {
		walk_step(walk, false, "accepted",
			  "the domain is neither in control/rcpthosts nor in "
			  "morercpthosts.cdb: qmail-smtpd refuses it");
		walk->verdict = EXPLAIN_REFUSED;
	}
	replace_free(&text);
	return walk->verdict != EXPLAIN_REFUSED && !walk->unsure;
}

static bool walk_locals(struct walk *walk)
{
	struct replace_text text = {0};
	struct route_line line;

	if (!load(walk, "control/locals", &text))
		return false;
	line = route_locals(text_of(&text), walk->domain);
	replace_free(&text);
	if (!line.number)
		return true;
	walk_step(walk, false, "locals",
		  "control/locals line %lu has the domain, which wins over "
		  "virtualdomains: the mail goes to a user of this machine",
		  line.number);
	walk->verdict = EXPLAIN_LOCAL;
	walk_target(walk, walk->local);
	return false;
}

static void walk_remote(struct walk *walk)
{
	struct replace_text text = {0};
	struct route_line line;
	char host[WALK_TEXT];

	if (!load(walk, "control/smtproutes", &text))
		return;
	line = route_smtproutes(text_of(&text), walk->domain);
	walk->verdict = EXPLAIN_REMOTE;
	if (line.number && line.value_len) {
		(void)snprintf(
			host, sizeof host, "%.*s",
			(int)(line.value_len < 400 ? line.value_len : 400),
			line.value);
		walk_step(walk, true, "routed",
			  "control/smtproutes line %lu: %.*s", line.number,
			  line_width(&line), line.at);
		walk_target(walk, host);
	} else {
		walk_step(walk, true, "routed",
			  "not virtual, no route: to the host of the domain's "
			  "MX");
		walk_target(walk, "mx");
	}
	replace_free(&text);
}

/* False: it is not virtual, or that cannot be told. */
static bool walk_virtualdomains(struct walk *walk, char *ret_id, size_t room)
{
	struct replace_text text = {0};
	struct route_line line;
	bool virtual;

	if (!load(walk, "control/virtualdomains", &text))
		return false;
	line = route_virtualdomains(text_of(&text), walk->local, walk->domain);
	virtual = line.number && line.value_len && line.value_len < room;
	if (virtual) {
		memcpy(ret_id, line.value, line.value_len);
		ret_id[line.value_len] = 0;
		walk_step(walk, true, "routed",
			  "control/virtualdomains line %lu: %.*s", line.number,
			  line_width(&line), line.at);
	}
	replace_free(&text);
	if (!virtual)
		walk_remote(walk);
	return virtual;
}

/* What users/assign would say, had qmail-newu been run. */
static void compare_assign(struct walk *walk, const char *local,
			   const struct route_user *user, bool found)
{
	struct route_user *wanted = calloc(1, sizeof *wanted);
	struct replace_text text = {0};
	struct route_line line = {0};
	bool same = true;
	int rc = wanted ? read_file(walk, "users/assign", &text) : ENOMEM;

	if (rc == 0)
		line = route_assign(text_of(&text), local);
	else if (!is_unsure(walk, rc)) /* mail goes its way all the same */
		walk_step(walk, false, "assigned", "%s cannot be read: %s",
			  walk->path, strerror(rc));
	if (line.number &&
	    route_fields(line.value, line.value_len, ':', wanted)) {
		same = found;
		for (int i = 0; same && i < 6; i++)
			same = strcmp(wanted->field[i], user->field[i]) == 0;
		if (!same)
			walk_step(walk, false, "assigned",
				  "users/assign line %lu says something else "
				  "than "
				  "users/cdb: run qmail-newu, or popbox sync "
				  "--full",
				  line.number);
	}
	replace_free(&text);
	free(wanted);
}

static bool walk_users(struct walk *walk, const char *local,
		       struct route_user *user)
{
	enum cdbfile found;

	(void)snprintf(walk->path, sizeof walk->path, "%s/users/cdb",
		       walk->site->config.qmail);
	found = cdbfile_user(walk->path, local, user);
	if (found == CDBFILE_LATER)
		return walk_unread(walk, "assigned", errno);
	if (found != CDBFILE_DAMAGED)
		compare_assign(walk, local, user, found == CDBFILE_FOUND);
	if (found == CDBFILE_FOUND) {
		walk_step(walk, true, "assigned",
			  "users/cdb: %s as user %s, %s:%s, in %s, extension "
			  "'%s%s%s'",
			  local, user->field[ROUTE_USER],
			  user->field[ROUTE_UID], user->field[ROUTE_GID],
			  user->field[ROUTE_HOME], user->field[ROUTE_DASH],
			  user->field[ROUTE_EXT], user->rest);
		return true;
	}
	walk->verdict =
		found == CDBFILE_DAMAGED ? EXPLAIN_DEFERRED : EXPLAIN_BOUNCED;
	walk_step(walk, false, "assigned",
		  found == CDBFILE_DAMAGED
			  ? "users/cdb is damaged: mail waits (run qmail-newu)"
		  : found == CDBFILE_MISSING
			  ? "users/cdb is missing (run qmail-newu)"
			  : "users/cdb has no entry for '%s'",
		  local);
	return false;
}

static void walk_user(struct walk *walk, const char *local)
{
	struct route_user *user = calloc(1, sizeof *user);

	if (!user)
		walk->unsure = ENOMEM;
	else if (walk_users(walk, local, user))
		walk_deliver(walk, user);
	free(user);
}

static void walk_mail(struct walk *walk)
{
	char id[512], local[1024];

	if (!config_has_qmail(&walk->site->config)) {
		walk_step(walk, true, "qmail", "there is none on this machine");
		return;
	}
	if (!walk_rcpthosts(walk) || !walk_locals(walk) ||
	    !walk_virtualdomains(walk, id, sizeof id))
		return;
	(void)snprintf(local, sizeof local, "%s-%s", id, walk->local);
	walk_user(walk, local);
}

/* What the store says, of the address and of a login by it. */
static int walk_login(struct walk *walk)
{
	struct site *site = walk->site;
	struct login login = {.found = false};
	char name[NAME_ADDRESS_TEXT], box[NAME_BOX_TEXT];
	char ip[MAILROOT_IP_MAX + 1] = "", when[SAY_TIME_TEXT];
	int64_t last = 0;
	enum err err;

	(void)snprintf(name, sizeof name, "%.64s@%.253s", walk->local,
		       walk->domain);
	err = login_find(site->store, &site->config, name, strlen(name), NULL,
			 &login);
	memset(login.hash, 0, sizeof login.hash);
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
	walk_step(walk, true, "login", "%s: %s, last %s%s%s", box,
		  login.reason ? login.reason : "with its password",
		  last ? say_time(last, when) : "never", ip[0] ? " from " : "",
		  ip);
	return CODE_DONE;
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

int explain(struct site *site, const char *local, const char *domain)
{
	struct walk walk = {.site = site,
			    .local = local,
			    .domain = domain,
			    .targets = json_array()};
	int code, login;

	walk_mail(&walk);
	login = walk_login(&walk);
	code = conclude(&walk);
	json_decref(walk.targets);
	return login != CODE_DONE ? login : code;
}
