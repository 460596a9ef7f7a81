/* SPDX-License-Identifier: MIT */
#include "site.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/say.h"
#include "store/secret.h"
#include "store/store_whole.h"

const char *site_as_root(int number)
{
	return (number == EACCES || number == EPERM) && geteuid() != 0
		       ? " (run popbox as root: sudo popbox ...)"
		       : "";
}

static const char *denied(int number)
{
	return number == EACCES || number == EPERM ? SAY_DENIED : "later";
}

/* Where the setting says nothing, a program lies beside this one, in a place that may
 * stand in a .qmail file; else where it is installed to. While a program is replaced its
 * link says so behind the name. */
static void find_program(const char *setting, const char *name,
			 const char said[CONFIG_TEXT_MAX + 1],
			 char ret_path[CONFIG_TEXT_MAX + 1])
{
	char self[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *slash;

	self[len > 0 ? len : 0] = 0;
	slash = strrchr(self, '/');
	memcpy(ret_path, said, CONFIG_TEXT_MAX + 1);
	if (ret_path[0] ||
	    (slash &&
	     snprintf(ret_path, CONFIG_TEXT_MAX + 1, "%.*s%s",
		      (int)(slash + 1 - self), self, name) <= CONFIG_TEXT_MAX &&
	     !config_judge(setting, ret_path)))
		return;
	(void)snprintf(ret_path, CONFIG_TEXT_MAX + 1, "/usr/sbin/%s", name);
}

void site_find_programs(struct config *config)
{
	find_program("quota_program", "popbox-quota", config->quota_program,
		     config->quota_path);
	find_program("vacation_program", "popbox-vacation",
		     config->vacation_program, config->vacation_path);
}

int site_config(struct site *site)
{
	struct config_fault fault = {0, NULL};
	enum err err = config_read(site->dir, &site->config, &fault);

	switch (err) {
	case ERR_OK:
		site_find_programs(&site->config);
		return CODE_DONE;
	case ERR_NOTFOUND:
		return say_error(CODE_LATER,
				 "no store in '%s' (make one with 'popbox "
				 "init', or name it with -d)",
				 site->dir);
	case ERR_INVALID:
		if (fault.line)
			return say_error(CODE_LATER,
					 "%s/config:%u: %s", site->dir,
					 fault.line, fault.why);
		return say_error(CODE_LATER, "'%s/config': %s", site->dir,
				 fault.why);
	case ERR_SYSTEM:
	case ERR_EXISTS:
	case ERR_INUSE:
	case ERR_FULL:
	case ERR_BUSY:
	case ERR_DAMAGED:
	case ERR_SCHEMA:
		break;
	}
	return say_error_as(CODE_LATER, denied(errno),
			    "cannot read '%s/config': %s%s", site->dir,
			    err == ERR_SYSTEM ? strerror(errno) : err_text(err),
			    err == ERR_SYSTEM ? site_as_root(errno) : "");
}

typedef enum err open_store(const char *dir, struct store **ret_store);

/* Without secret_start checksums would be computed by the slowest code. */
static int open_with(struct site *site, open_store *how)
{
	enum err err;

	if (secret_start() != ERR_OK)
		return say_error(CODE_LATER, "cannot get random numbers: %s",
				 strerror(errno));
	err = how(site->dir, &site->store);
	if (err == ERR_OK) {
		store_guard(site->store, site->guard, site->guard_arg);
		return CODE_DONE;
	}
	if (err == ERR_NOTFOUND)
		return say_error(CODE_LATER,
				 "no store in '%s' (make one with 'popbox "
				 "init', or name it with -d)",
				 site->dir);
	if (err == ERR_INVALID)
		return say_error(CODE_LATER,
				 "'%s' lies on a network file system, where "
				 "locks do not hold (move the store to a "
				 "local disk)",
				 site->dir);
	if (err == ERR_DAMAGED)
		return say_error(CODE_LATER,
				 "the store in '%s' is damaged: nothing was "
				 "changed ('popbox restore' puts a backup in "
				 "its place)",
				 site->dir);
	return site_failed(site, err, "the store");
}

/* In a batch everything is opened for the strongest of its commands: LMDB has a
 * file open once in a process. */
static bool is_open(const struct site *site)
{
	return site->batch && site->store && site->asuser;
}

int site_open_read(struct site *site)
{
	int code;

	if (site->batch)
		return site_open_local(site);
	code = site_config(site);
	if (code != CODE_DONE)
		return code;
	return open_with(site, store_open_read);
}

int site_open_look(struct site *site)
{
	int code;

	if (site->batch)
		return site_open_local(site);
	code = site_config(site);
	if (code != CODE_DONE)
		return code;
	site->asuser = asuser_start(&site->config);
	if (!site->asuser)
		return CODE_LATER;
	return open_with(site, store_open_read);
}

/* Before the store is opened, which crosses no fork. */
static int start_central(struct site *site, const char *conninfo)
{
	char why[FRAMES_TEXT];

	if (!conninfo[0])
		return CODE_DONE;
	if (central_start(&site->config, conninfo, &site->copy.central, why) !=
	    CENTRAL_OK)
		return say_error(CODE_LATER, "%s", why);
	if (store_writeset_new(site->dir, &site->copy.set) != ERR_OK)
		return say_error(CODE_LATER, "no memory");
	return CODE_DONE;
}

int site_central_failed(const struct site *site, enum central_answer answer,
			const char *what)
{
	const char *why = site->copy.why;

	switch (answer) {
	case CENTRAL_OK:
		return CODE_DONE;
	case CENTRAL_AWAY:
		return say_error(CODE_LATER,
				 "%s: the central database cannot be reached "
				 "(%s): nothing was changed; logins go on",
				 what, why);
	case CENTRAL_BUSY:
	case CENTRAL_AGAIN:
		return say_error_as(CODE_LATER, SAY_BUSY,
				    "%s: another popbox holds the central "
				    "database: nothing was changed (try again)",
				    what);
	case CENTRAL_DENIED:
		return say_error_as(CODE_LATER, SAY_DENIED,
				    "%s: the role of this host may not do it "
				    "in the central database: %s",
				    what, why);
	case CENTRAL_NONE:
		return say_error(CODE_LATER,
				 "%s: that database is no central database of "
				 "popbox: %s ('popbox cluster init' makes it "
				 "one)",
				 what, why);
	case CENTRAL_UNKNOWN:
		return say_error(CODE_LATER,
				 "%s: the answer of the central database was "
				 "lost: %s (give the command again)",
				 what, why);
	case CENTRAL_OTHER:
	case CENTRAL_SYSTEM:
	case CENTRAL_STORE:
		break;
	}
	return say_error(CODE_LATER, "%s: the central database: %s", what, why);
}

static int open_changes(struct site *site, bool local)
{
	int code = is_open(site) ? CODE_DONE : site_config(site);

	if (code != CODE_DONE || is_open(site))
		return code;
	if (!site->asuser)
		site->asuser = asuser_start(&site->config);
	if (!site->asuser)
		return CODE_LATER;
	code = start_central(site, site->config.central);
	if (code != CODE_DONE && !local)
		return code;
	interrupt_start();
	code = open_with(site, store_open_write);
	if (code == CODE_DONE && config_has_dovecot(&site->config))
		store_publish_logins(site->store);
	site->copy.store = site->store;
	return code;
}

int site_open_local(struct site *site)
{
	return open_changes(site, true);
}

int site_open_write(struct site *site)
{
	int code = open_changes(site, false);

	if (code != CODE_DONE || !site->copy.central)
		return code;
	return site_central_failed(site, copy_pull(&site->copy), "the store");
}

int site_open_central(struct site *site, const char *conninfo)
{
	int code = CODE_DONE;

	if (site->batch)
		return say_error(CODE_REFUSED, "a batch has no commands about "
					       "the central database");
	code = start_central(site, conninfo);
	if (code == CODE_DONE)
		code = open_with(site, store_open_write);
	if (code == CODE_DONE && config_has_dovecot(&site->config))
		store_publish_logins(site->store);
	site->copy.store = site->store;
	return code;
}

void site_close(struct site *site)
{
	central_stop(&site->copy.central);
	store_writeset_free(&site->copy.set);
	store_close(&site->store);
	asuser_stop(&site->asuser);
	breached_site_close(site);
}

/* The command that lists names of this form. */
static const char *noun_of(const char *name)
{
	if (strchr(name, '@'))
		return "address";
	if (strchr(name, '.'))
		return "domain";
	return strchr(name, '-') ? "box" : "handle";
}

/* The kind of a rule's refusal. */
static const char *word_of(const struct site *site, enum err err)
{
	if (err == ERR_EXISTS)
		return SAY_EXISTS;
	if (err == ERR_INUSE)
		return SAY_IN_USE;
	if (site->outside)
		return SAY_SCOPE;
	return store_is_unknown(site->store) ? SAY_UNKNOWN : "invalid";
}

/* A row of a later popbox has a form of its own in a store of this format. */
static int say_schema(const struct site *site, const char *what)
{
	uint64_t format = STORE_FORMAT;

	if (site->store && store_format(site->store, &format) == ERR_OK &&
	    format < STORE_FORMAT)
		return say_error(CODE_LATER,
				 "%s: the store in '%s' is of format %llu, "
				 "this popbox needs format %d: nothing was "
				 "changed (run 'popbox upgrade'; logins go on "
				 "meanwhile)",
				 what, site->dir, (unsigned long long)format,
				 STORE_FORMAT);
	return say_error(CODE_LATER,
			 "%s: the store in '%s' is of another format "
			 "version than this popbox",
			 what, site->dir);
}

int site_failed(const struct site *site, enum err err, const char *what)
{
	if (err != ERR_OK && what[0] && !strchr(what, ' '))
		say_about(what);
	switch (err) {
	case ERR_OK:
		return CODE_DONE;
	case ERR_NOTFOUND:
		return say_error_as(
			CODE_REFUSED, SAY_UNKNOWN,
			"%s: not found ('popbox %s list' shows all)", what,
			noun_of(what));
	case ERR_EXISTS:
	case ERR_INVALID:
	case ERR_INUSE:
		return say_error_as(CODE_REFUSED, word_of(site, err), "%s: %s",
				    what, store_reason(site->store));
	case ERR_FULL:
		return say_error_as(CODE_LATER, SAY_FULL,
				    "%s: no space left: nothing was changed "
				    "(%s)",
				    what, strerror(errno));
	case ERR_BUSY:
		return say_error_as(
			CODE_LATER, SAY_BUSY,
			"%s: another popbox holds the store: nothing was "
			"changed (try again)",
			what);
	case ERR_DAMAGED:
		return say_error_as(CODE_LATER, SAY_DAMAGED,
				    "%s: the store in '%s' is damaged: "
				    "nothing was changed ('popbox check' "
				    "shows where, 'popbox restore' puts a "
				    "backup in its place)",
				    what, site->dir);
	case ERR_SCHEMA:
		return say_schema(site, what);
	case ERR_SYSTEM:
		break;
	}
	if (site->store && store_has_reason(site->store, err))
		return say_error(CODE_LATER, "%s: %s", what,
				 store_reason(site->store));
	return say_error_as(CODE_LATER, denied(errno),
			    "%s: cannot use the store in '%s': %s%s", what,
			    site->dir, strerror(errno), site_as_root(errno));
}

void site_actor(struct site *site, int argc, char **argv)
{
	const char *name = getenv("SUDO_USER");
	struct store_actor *actor = &site->actor;

	actor->uid = (uint32_t)getuid();
	/* Of the usual one nobody needs to be asked; glibc 2.36 dies of that
	 * question where memory is short. */
	if (!name && actor->uid == 0) {
		name = "root";
	} else if (!name) {
		const struct passwd *user = getpwuid(actor->uid);

		name = user ? user->pw_name : "-";
	}
	say_clean(name, actor->name, sizeof actor->name);
	site_command(site, argc, argv);
}

void site_command(struct site *site, int argc, char **argv)
{
	struct store_actor *actor = &site->actor;
	size_t at = 0;

	actor->command[0] = 0;
	for (int i = 0; i < argc && at < STORE_COMMAND_MAX; i++) {
		if (i)
			actor->command[at++] = ' ';
		say_clean(argv[i], actor->command + at,
			  sizeof actor->command - at);
		at += strlen(actor->command + at);
	}
}
