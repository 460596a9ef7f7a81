/* SPDX-License-Identifier: MIT */
/* cmd_init.c: popbox init. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/mail_roots.h"
#include "base/dir.h"
#include "base/mountpoint.h"
#include "base/replace.h"
#include "base/say.h"
#include "cli/commands.h"
#include "store/secret.h"

const struct args_option cmd_init_options[] = {
	{"--user", "NAME", "popusr: the user who owns every box [popusr]"},
	{"--uid", "N", "popusr by number; wants --gid"},
	{"--gid", "N", "popusr's group by number"},
	{"--home", "DIR", "the mail root [/home/popmail]"},
	{"--serialmail", "DIR", "root of dial-up deliveries "
				"[/home/serialmail]"},
	{"--qmail", "DIR", "where qmail is [/var/qmail]"},
	{"--no-qmail", NULL, "there is no qmail on this machine"},
	{NULL, NULL, NULL},
};

/* The text of the new settings file, a line a setting. */
struct draft {
	char text[4096];
	size_t len;
};

static int draft_add(struct draft *draft, const char *key, const char *value)
{
	const char *why = config_judge(key, value);
	int len;

	if (why)
		return say_error(CODE_REFUSED, "%s '%s': %s%s", key, value, why,
				 config_wants(key));
	len = snprintf(draft->text + draft->len,
		       sizeof draft->text - draft->len, "%s = %s\n", key,
		       value);
	if (len < 0 || (size_t)len >= sizeof draft->text - draft->len)
		return say_error(CODE_REFUSED, "the settings are too long");
	draft->len += (size_t)len;
	return CODE_DONE;
}

static int draft_user(struct draft *draft, const struct args *args)
{
	const char *name = args_get(args, "--user");
	const char *uid = args_get(args, "--uid");
	const char *gid = args_get(args, "--gid");
	char uid_text[16], gid_text[16];
	const struct passwd *user;
	int code;

	if ((uid && name) || (!uid != !gid))
		return say_error(CODE_USAGE, "no owner of the boxes is "
					     "given: use --user NAME, or "
					     "--uid N and --gid N");
	if (!uid) {
		name = name ? name : "popusr";
		user = getpwnam(name);
		if (!user)
			return say_error_as(
				CODE_REFUSED, SAY_UNKNOWN,
				"there is no user '%s' (make one: "
				"useradd --system --no-create-home "
				"--shell /bin/false %s; or say --uid "
				"and --gid)",
				name, name);
		(void)snprintf(uid_text, sizeof uid_text, "%u", user->pw_uid);
		(void)snprintf(gid_text, sizeof gid_text, "%u", user->pw_gid);
		uid = uid_text;
		gid = gid_text;
	}
	code = draft_add(draft, "uid", uid);
	if (code == CODE_DONE)
		code = draft_add(draft, "gid", gid);
	if (code == CODE_DONE && name)
		code = draft_add(draft, "popusr", name);
	return code;
}

static int draft_path(struct draft *draft, const struct args *args,
		      const char *option, const char *key, const char *fallback)
{
	const char *path = args_get(args, option);

	return draft_add(draft, key, path ? path : fallback);
}

static int draft_all(struct draft *draft, const struct args *args)
{
	int code;

	if (args_has(args, "--qmail") && args_has(args, "--no-qmail"))
		return say_error(CODE_USAGE, "say --qmail DIR or --no-qmail, "
					     "not both");
	code = draft_user(draft, args);
	if (code == CODE_DONE)
		code = draft_path(draft, args, "--home", "home",
				  "/home/popmail");
	if (code == CODE_DONE)
		code = draft_path(draft, args, "--serialmail", "serialmail",
				  "/home/serialmail");
	if (code == CODE_DONE && args_has(args, "--no-qmail"))
		return draft_add(draft, "qmail", "none");
	if (code == CODE_DONE)
		code = draft_path(draft, args, "--qmail", "qmail",
				  "/var/qmail");
	return code;
}

static int judge_qmail(const struct config *config)
{
	char path[PATH_MAX];

	if (!config_has_qmail(config))
		return CODE_DONE;
	(void)snprintf(path, sizeof path, "%s/control", config->qmail);
	if (access(path, F_OK) == 0)
		return CODE_DONE;
	return say_error_as(
		CODE_REFUSED, SAY_UNKNOWN,
		"there is no qmail in '%s': no '%s' (say where it is "
		"with --qmail DIR, or --no-qmail)",
		config->qmail, path);
}

/* LMDB syncs its data, but no names. */
static int synced(int rc, const char *dir)
{
	return rc == 0 ? CODE_DONE
		       : say_error(CODE_LATER, "cannot sync '%s': %s", dir,
				   strerror(rc));
}

/* The store is made beside its place and renamed there whole: an init that
 * was killed has made none. */
static void remove_draft(const char *dir)
{
	static const char *const names[] = {"config", "config.popbox-tmp",
					    "data.mdb", "lock.mdb"};
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)unlinkat(fd, names[i], 0); /* rmdir tells if one stays */
	(void)close(fd);			 /* a directory, read only */
	(void)rmdir(dir);			 /* mkdir tells if it stays */
}

static int fill_store(const char *dir, const struct draft *draft)
{
	const struct replace_text like = {.mode = 0644, .uid = (uid_t)-1};
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err err;
	int rc;

	if (fd < 0)
		return say_error(CODE_LATER, "cannot open '%s': %s", dir,
				 strerror(errno));
	rc = replace_file(fd, "config", "config.popbox-tmp", &like, draft->text,
			  draft->len);
	(void)close(fd); /* a directory, read only */
	if (rc != 0)
		return say_error(CODE_LATER, "cannot write '%s/config': %s",
				 dir, strerror(rc));
	err = store_create(dir);
	if (err == ERR_INVALID)
		return say_error(CODE_REFUSED,
				 "'%s' lies on a network file system, where "
				 "locks do not hold (choose a local disk)",
				 dir);
	if (err != ERR_OK)
		return say_error(CODE_LATER, "cannot make a store in '%s': %s",
				 dir,
				 err == ERR_SYSTEM || err == ERR_FULL
					 ? strerror(errno)
					 : err_text(err));
	return CODE_DONE;
}

/* A mount point keeps its place: the files move into it one by one, data.mdb
 * last, without which there is no store. */
static int move_files(const char *temporary, const char *dir)
{
	static const char *const names[] = {"config", "lock.mdb", "data.mdb"};
	char from[PATH_MAX], to[PATH_MAX];

	if (chmod(dir, 0700) != 0)
		return say_error(CODE_REFUSED, "cannot chmod '%s': %s%s", dir,
				 strerror(errno), site_as_root(errno));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (snprintf(from, sizeof from, "%s/%s", temporary, names[i]) >=
			    (int)sizeof from ||
		    snprintf(to, sizeof to, "%s/%s", dir, names[i]) >=
			    (int)sizeof to)
			return say_error(CODE_REFUSED, "'%s' is too long", dir);
		if (rename(from, to) != 0 && errno != ENOENT)
			return say_error(CODE_LATER, "cannot make '%s': %s", to,
					 strerror(errno));
	}
	return synced(replace_sync(dir), dir);
}

/* Takes the place of an empty directory, of nothing else. */
static int put_store(const char *temporary, const char *dir, bool mounted)
{
	if (mounted)
		return move_files(temporary, dir);
	if (rename(temporary, dir) != 0)
		return say_error(CODE_REFUSED, "cannot make '%s': %s", dir,
				 strerror(errno));
	return CODE_DONE;
}

static int make_store(const char *dir, const struct draft *draft)
{
	const bool mounted = mountpoint_is(dir);
	char temporary[PATH_MAX];
	int len = snprintf(temporary, sizeof temporary, "%s%s", dir,
			   mounted ? "/.popbox-new" : ".popbox-new");
	int code;

	if (len < 0 || (size_t)len >= sizeof temporary)
		return say_error(CODE_REFUSED, "'%s' is too long", dir);
	remove_draft(temporary);
	if (mkdir(temporary, 0700) != 0)
		return say_error(CODE_REFUSED, "cannot make '%s': %s%s",
				 temporary, strerror(errno),
				 site_as_root(errno));
	code = fill_store(temporary, draft);
	if (code == CODE_DONE)
		code = synced(replace_sync(temporary), temporary);
	if (code == CODE_DONE)
		code = put_store(temporary, dir, mounted);
	if (code != CODE_DONE || mounted)
		remove_draft(temporary);
	if (code != CODE_DONE)
		return code;
	return synced(replace_sync_parent(dir), dir);
}

static int directory_is_empty(const char *path, bool *ret_empty)
{
	DIR *dir = opendir(path);
	int rc;

	if (!dir)
		return errno;
	*ret_empty = dir_is_empty(dir, &rc);
	(void)closedir(dir); /* read only */
	return rc;
}

/* Missing, or an empty directory; or a mount point with no more in it than an
 * init leaves there that was killed. */
static int judge_place(const char *path)
{
	static const char *const left[] = {".popbox-new", "config", "lock.mdb",
					   NULL};
	char data[PATH_MAX];
	bool empty = false;
	int rc;

	(void)snprintf(data, sizeof data, "%s/data.mdb", path);
	if (access(data, F_OK) == 0)
		return say_error(CODE_REFUSED,
				 "there is a store in '%s' already: nothing "
				 "was changed ('popbox stats' shows it, -d "
				 "names another)",
				 path);
	rc = mountpoint_is(path) ? mountpoint_is_empty(path, left, &empty)
				 : directory_is_empty(path, &empty);
	if (rc == ENOENT)
		return CODE_DONE;
	if (rc == ENOTDIR || rc == EACCES || rc == ELOOP)
		return say_error(CODE_REFUSED, "cannot use '%s': %s%s", path,
				 strerror(rc), site_as_root(rc));
	if (rc)
		return say_error(CODE_LATER, "cannot list '%s': %s", path,
				 strerror(rc));
	if (empty)
		return CODE_DONE;
	return say_error(CODE_REFUSED,
			 "'%s' is not an empty directory: nothing was changed "
			 "(name another with -d)",
			 path);
}

int cmd_init(struct site *site, const struct args *args)
{
	struct draft draft = {.len = 0};
	struct config_fault fault;
	int code = draft_all(&draft, args);

	if (code != CODE_DONE)
		return code;
	if (config_parse(draft.text, draft.len, &site->config, &fault) !=
	    ERR_OK)
		return say_error(CODE_REFUSED, "settings: %s", fault.why);
	if (secret_start() != ERR_OK)
		return say_error(CODE_LATER, "cannot get random numbers: %s",
				 strerror(errno));
	code = judge_qmail(&site->config);
	if (code == CODE_DONE)
		code = judge_place(site->dir);
	if (code == CODE_DONE)
		code = mail_roots_make(&site->config);
	if (code == CODE_DONE)
		code = make_store(site->dir, &draft);
	if (code == CODE_DONE)
		say_note("store made in '%s'; next: popbox domain add DOMAIN "
			 "--handle HANDLE",
			 site->dir);
	return code;
}
