/* SPDX-License-Identifier: MIT */
/* cmd_poppassd.c: popbox poppassd: users change their own password, over a
 * connection that tcpserver hands over; popbox-poppassd(8). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/idn.h"
#include "base/interrupt.h"
#include "base/say.h"
#include "cli/commands.h"
#include "cli/poppassd.h"
#include "popusr/confined.h"
#include "publish/change.h"
#include "publish/publish.h"
#include "store/login.h"
#include "store/secret.h"

const struct args_option cmd_poppassd_options[] = {
	{"--service", "NAME", "the service by which users log in, as webmail"},
	{NULL, NULL, NULL},
};

struct service {
	struct site *site;
	const char *name; /* of the service, or NULL */
	const char *ip; /* of the client, or "-" */
	char *dir, *local_ip; /* out of the environment, which a child wipes */
	struct child_watch talker, judge;
	int reports, answers; /* pipes from the judge, and to the talker */
	bool overtaken;	      /* by another change of the password */
	struct poppassd_report report;
};

static const char *client_ip(void)
{
	const char *text = getenv("TCPREMOTEIP");
	unsigned char scratch[sizeof(struct in6_addr)];

	return text && (inet_pton(AF_INET, text, scratch) == 1 ||
			inet_pton(AF_INET6, text, scratch) == 1)
		       ? text
		       : "-";
}

static void note(const struct service *s, const char *verdict, const char *what,
		 const char *text)
{
	const char *user = s->report.user;
	char service[32] = "";

	if (s->name)
		(void)snprintf(service, sizeof service, " service=%.16s",
			       s->name); /* it fits */
	switch ((enum config_log)s->site->config.log) {
	case CONFIG_LOG_SYSLOG:
		openlog("popbox-poppassd", 0, LOG_MAIL);
		syslog(LOG_INFO, "%s ip=%s %s=%s%s user=%s", verdict, s->ip,
		       what, text, service, user);
		break;
	case CONFIG_LOG_STDERR:
		(void)fprintf(stderr,
			      "popbox-poppassd: %s ip=%s %s=%s%s user=%s\n",
			      verdict, s->ip, what, text, service, user);
		break;
	case CONFIG_LOG_NONE:
		break;
	}
}

struct own {
	struct name_address address;
	bool by_address;
	struct name_box box;
	const char *hash, *verified;
	bool overtaken; /* it has another hash than the judge verified */
};

static enum err set_own(struct store_txn *txn, struct own *own)
{
	struct store_account account;
	enum err err = store_login(txn, &own->box, &account);

	own->overtaken = err == ERR_OK &&
			 strcmp(account.hash, own->verified) != 0;
	secret_wipe(&account, sizeof account);
	if (own->overtaken)
		return ERR_BUSY;
	return err == ERR_OK ? store_box_password(txn, &own->box, own->hash)
			     : err;
}

/* The address leads to the box that the judge found, and the box has the hash that
 * the judge verified: both might have been changed meanwhile. */
static enum err own_body(struct store_txn *txn, void *arg)
{
	struct own *own = arg;
	struct store_address address;
	enum err err = ERR_OK;

	if (own->by_address)
		err = store_address_get(txn, &own->address, &address);
	if (err == ERR_OK && own->by_address &&
	    !(address.has_box && address.box.number == own->box.number &&
	      strcmp(address.box.handle.s, own->box.handle.s) == 0))
		err = ERR_NOTFOUND;
	return err == ERR_OK ? set_own(txn, own) : err;
}

/* The change is the user's own: the journal names the address. */
static int set(struct service *s)
{
	static char noun[] = "poppassd", from[] = "from";
	struct site *site = s->site;
	struct poppassd_report *r = &s->report;
	struct own own = {.by_address = strchr(r->address, '@') != NULL,
			  .hash = r->hash,
			  .verified = r->verified};
	char *words[] = {noun, from, (char *)(uintptr_t)s->ip};
	uint64_t last = 0;
	enum err err;
	int code;

	if (name_box_read(r->box, strlen(r->box), &own.box) ||
	    (own.by_address && idn_address(r->address, true, &own.address)))
		return say_error(CODE_LATER, "the judge's report names no box");
	(void)snprintf(site->actor.name, sizeof site->actor.name, "%.64s",
		       r->address);
	site_command(site, 3, words);
	err = change_commit(site, own_body, &own, &last,
			    "the new password is set");
	s->overtaken = own.overtaken;
	code = own.overtaken ? CODE_LATER : site_failed(site, err, r->address);
	if (err == ERR_OK)
		change_made(site, last);
	/* Of the files with passwords the next `sync` makes what is missing. */
	if (code == CODE_DONE)
		code = publish_passwords(site, last);
	return err == ERR_OK ? CODE_DONE : code;
}

static void tell(const struct service *s, const char *text, const char *more)
{
	struct poppassd_answer answer = {.text = ""};

	(void)snprintf(answer.text, sizeof answer.text, "%s%.*s", text,
		       POPPASSD_WHY, more); /* cut is enough */
	/* If the client is gone, its exit code says enough. */
	(void)!confined_write(s->answers, &answer, sizeof answer);
}

static int accepted(struct service *s)
{
	const int code = set(s);

	if (code == CODE_DONE) {
		note(s, "changed", "box", s->report.box);
		tell(s, "200 password changed, thank you", "");
		return CODE_DONE;
	}
	note(s, "error", "reason", s->overtaken ? "changed-meanwhile" : "store");
	tell(s, "500 not changed for now, please try again later", "");
	return CODE_LATER;
}

static int answer(struct service *s)
{
	switch ((enum poppassd_verdict)s->report.verdict) {
	case POPPASSD_ACCEPT:
		return accepted(s);
	case POPPASSD_REFUSE:
		note(s, "refuse", "reason", s->report.reason);
		tell(s, "500 user name or old password is wrong", "");
		return CODE_NO;
	case POPPASSD_WEAK:
		note(s, "weak", "box", s->report.box);
		tell(s, "500 ", s->report.why);
		return CODE_REFUSED;
	case POPPASSD_LATER:
	case POPPASSD_VERDICTS:
		break;
	}
	note(s, "error", "reason", s->report.reason);
	tell(s, "500 not changed for now, please try again later", "");
	return CODE_LATER;
}

/* The report, whole; false: there is none. */
static bool receive(struct service *s)
{
	char *bytes = (char *)&s->report;
	size_t at = 0;
	ssize_t got = 1;

	while (got > 0 && at < sizeof s->report) {
		got = child_read(&s->judge, s->reports, bytes + at,
				 sizeof s->report - at);
		at += got > 0 ? (size_t)got : 0;
	}
	return at == sizeof s->report;
}

/* The ends of the pipes between the processes, and the client's two. */
struct ends {
	int in, out;
	int ask[2], say[2], tell[2];
};

static bool make_ends(struct ends *e)
{
	e->in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	e->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return e->in >= 0 && e->out >= 0 && pipe2(e->ask, O_CLOEXEC) == 0 &&
	       pipe2(e->say, O_CLOEXEC) == 0 && pipe2(e->tell, O_CLOEXEC) == 0;
}

/* Those of the children. */
static void close_ends(const struct ends *e)
{
	const int theirs[] = {e->in,	 e->out,    e->ask[0],
			      e->ask[1], e->say[1], e->tell[0]};

	for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++) {
		if (theirs[i] >= 0)
			(void)close(theirs[i]); /* copies */
	}
}

static bool start_children(struct service *s, const struct ends *e)
{
	const struct child_keep talker = {e->out, -1,
					  {e->in, e->ask[1], e->tell[0]}};
	const struct child_keep judge = {-1, -1, {e->ask[0], e->say[1], -1}};

	child_watch(&s->talker, child_fork(&talker), 0);
	if (s->talker.pid == 0)
		poppassd_talk(e->in, e->ask[1], e->tell[0]);
	child_watch(&s->judge, child_fork(&judge), 0);
	if (s->judge.pid == 0)
		poppassd_judge(s->site, s->dir, s->local_ip,
			       s->name ? login_service(s->name) : 0, e->ask[0],
			       e->say[1]);
	return s->talker.pid > 0 && s->judge.pid > 0;
}

/* Both children, before the store is opened here. */
static int start(struct service *s)
{
	const char *local_ip = getenv("TCPLOCALIP");
	struct ends ends = {-1, -1, {-1, -1}, {-1, -1}, {-1, -1}};
	int code = CODE_DONE;

	s->dir = strdup(s->site->dir);
	s->local_ip = local_ip ? strdup(local_ip) : NULL;
	if (!s->dir || (local_ip && !s->local_ip) || !make_ends(&ends) ||
	    !start_children(s, &ends))
		code = say_error(CODE_LATER, "cannot serve: %s",
				 strerror(errno));
	close_ends(&ends);
	s->reports = ends.say[0];
	s->answers = ends.tell[1];
	return code;
}

static int serve(struct service *s)
{
	int code = start(s);

	if (code == CODE_DONE)
		code = site_open_write(s->site);
	if (code != CODE_DONE || !receive(s))
		return code;
	if (poppassd_is_report(&s->report))
		return answer(s);
	return say_error(CODE_LATER, "the judge did not report what it must");
}

/* The talker has the client's quit to answer. */
static int end(struct service *s, int code)
{
	if (s->answers >= 0)
		(void)close(s->answers); /* written by then */
	if (s->reports >= 0)
		(void)close(s->reports); /* read only */
	if (s->talker.pid > 0)
		(void)child_end(&s->talker); /* the client may do what it likes */
	if (s->judge.pid > 0 && child_end(&s->judge) != 0 && code == CODE_DONE)
		code = say_error(CODE_LATER, "the process that judges passwords "
					     "did not end as it must");
	return code;
}

int cmd_poppassd(struct site *site, const struct args *args)
{
	const char *name = args_get(args, "--service");
	struct service *s;
	int code;

	if (name && !login_is_service(name))
		return say_error(CODE_USAGE, "--service: up to 16 of a-z, 0-9 and -");
	s = calloc(1, sizeof *s);
	if (!s)
		return say_error(CODE_LATER, "no memory");
	s->site = site;
	s->name = name;
	s->reports = s->answers = -1;
	s->ip = client_ip();
	code = site_config(site);
	if (code == CODE_DONE)
		code = serve(s);
	code = end(s, code);
	site->told = site->same = true; /* the client has been told */
	site->entry = 0;
	free(s->dir);
	free(s->local_ip);
	secret_wipe(s, sizeof *s);
	free(s);
	return code;
}
