/* SPDX-License-Identifier: MIT */
#include "dovecot_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "accounts/dovecot.h"
#include "base/replace.h"
#include "base/safe_open.h"
#include "base/say.h"
#include "touched.h"

#define TEMPORARY ".popbox-tmp"

/* The directory, open, and its group. */
struct place {
	const char *path;
	int dir;
	gid_t gid;
};

struct widening {
	const struct plan *plan;
	struct touched *touched;
};

static enum err widen(struct store_txn *txn, void *arg)
{
	const struct widening *widening = arg;

	return touched_by(txn, widening->plan, true, widening->touched);
}

static void wrapped(void *arg, const char *user)
{
	(void)arg;
	say_note("%s: Dovecot cannot compute its hash: no login there "
		 "(a new password, or popbox-askpw(8), helps)",
		 user);
}

struct reading {
	const struct config *config;
	const struct name_domain *name;
	bool says; /* names what Dovecot cannot compute */
	struct text text;
};

static enum err read_domain(struct store_txn *txn, void *arg)
{
	struct reading *reading = arg;

	if (reading->text.bytes)
		explicit_bzero(reading->text.bytes, reading->text.len);
	reading->text.len = 0; /* a body may be run again */
	return dovecot_domain(txn, reading->config, reading->name,
			      reading->says ? wrapped : NULL, NULL,
			      &reading->text);
}

/* Why it cannot be; NULL: it is open. */
static const char *open_place(const struct config *config, struct place *place)
{
	const struct group *group;

	*place = (struct place){config->dovecot_dir, -1, (gid_t)-1};
	errno = 0;
	group = getgrnam(config->dovecot_group);
	if (!group)
		return errno ? strerror(errno)
			     : "there is no group of the setting dovecot_group";
	place->gid = group->gr_gid;
	place->dir = safe_open_dir(config->dovecot_dir);
	if (place->dir >= 0)
		return NULL;
	return errno == EPERM ? "it, or what is above it, can be written by "
				"others than root"
			      : strerror(errno);
}

static void close_place(struct place *place)
{
	if (place->dir >= 0)
		(void)close(place->dir); /* a directory, read only */
}

/* What the file says now, with its mode and group as they are to be? */
static int compare(const struct place *place, const char *name,
		   const struct text *text, bool *ret_same)
{
	struct replace_text is = {0};
	int rc = replace_read(place->dir, name, &is);

	*ret_same = rc == 0 && is.len == text->len &&
		    (!is.bytes || !text->bytes ||
		     memcmp(is.bytes, text->bytes, is.len) == 0) &&
		    (is.mode & 07777) == 0640 && is.gid == place->gid &&
		    is.uid == geteuid();
	if (is.bytes)
		explicit_bzero(is.bytes, is.len);
	replace_free(&is);
	return rc;
}

/* Dovecot reads a file anew whose second or size is another. So a file that takes
 * the place of one of this second, or of a later one, is given one more. */
static void age(const struct place *place, const char *name, int fd)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
	struct stat was;

	if (fstatat(place->dir, name, &was, AT_SYMLINK_NOFOLLOW) != 0 ||
	    was.st_mtime < time(NULL))
		return;
	times[1].tv_sec = was.st_mtime + 1;
	(void)futimens(fd, times); /* else it is read a second later */
}

static int put_file(const struct place *place, const char *name,
		    const struct text *text)
{
	const struct replace_text like = {
		.mode = 0640, .uid = geteuid(), .gid = place->gid};
	bool same;
	int fd, rc = compare(place, name, text, &same);

	if (rc == 0 && same) /* of a run that was killed before this */
		return fsync(place->dir) == 0 ? 0 : errno;
	if (rc != 0 && rc != ENOENT)
		return rc;
	rc = replace_begin(place->dir, TEMPORARY, &fd);
	if (rc != 0)
		return rc;
	rc = replace_write(fd, text->bytes, text->len);
	age(place, name, fd);
	return replace_end(place->dir, name, TEMPORARY, fd, &like, rc);
}

static int remove_file(const struct place *place, const char *name)
{
	/* It may be gone by a run that was killed before this. */
	if (unlinkat(place->dir, name, 0) != 0 && errno != ENOENT)
		return errno;
	return fsync(place->dir) == 0 ? 0 : errno;
}

/* One file, as the store says it. ERR_SYSTEM with *ret_rc: the file's fault. */
static enum err write_one(const struct site *site, const struct place *place,
			  const struct name_domain *name, bool says,
			  int *ret_rc)
{
	struct reading reading = {&site->config, name, says,
				  {.secret = true}};
	enum err err = store_read(site->store, read_domain, &reading);

	*ret_rc = 0;
	if (err == ERR_OK)
		*ret_rc = put_file(place, name->s, &reading.text);
	else if (err == ERR_NOTFOUND)
		*ret_rc = remove_file(place, name->s);
	text_wipe(&reading.text);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

/* Items of this domain fail; so do all boxes, of which nobody knows whose addresses
 * they have. */
static void fail(struct plan *plan, const struct name_domain *name,
		 const char *why)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct plan_item *item = &plan->item[i];

		if (item->table == STORE_BOXES || !name ||
		    strcmp(item->address.domain.s, name->s) == 0)
			plan_fail(item, why);
	}
}

static void fail_one(struct plan *plan, const struct place *place,
		     const struct name_domain *name, int rc)
{
	char why[PATH_MAX + 128];

	(void)snprintf(why, sizeof why, "cannot write '%s/%s': %s", place->path,
		       name->s,
		       rc == EINVAL ? "something else stands in its place"
				    : strerror(rc));
	say_error(0, "%s", why);
	fail(plan, name, why);
}

/* Calls each with the names of files that are those of no domain here. */
typedef void stray(void *arg, const char *name);
static int each_stray(const struct place *place, const struct touched *names,
		      stray *each, void *arg)
{
	int fd = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct name_domain name;
	struct dirent *entry;
	int rc = dir ? 0 : errno;

	while (dir && rc == 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			rc = errno;
			break;
		}
		if (!name_domain_read(entry->d_name, strlen(entry->d_name),
				      &name) &&
		    strcmp(name.s, entry->d_name) == 0 && !touched_has(names, &name))
			each(arg, entry->d_name);
	}
	if (dir)
		(void)closedir(dir); /* read only */
	else if (fd >= 0)
		(void)close(fd); /* read only */
	return rc;
}

static void remove_stray(void *arg, const char *name)
{
	const struct place *place = arg;
	int rc = remove_file(place, name);

	if (rc != 0)
		say_error(0, "cannot remove '%s/%s': %s", place->path, name,
			  strerror(rc));
}

static bool write_all(const struct site *site, struct plan *plan,
		      struct place *place, const struct touched *names)
{
	const bool all = plan->scope == PLAN_ALL;
	enum err err = ERR_OK;
	int rc;

	for (size_t i = 0; err == ERR_OK && i < names->count; i++) {
		err = write_one(site, place, &names->name[i], all, &rc);
		if (err == ERR_OK && rc != 0)
			fail_one(plan, place, &names->name[i], rc);
	}
	if (err == ERR_OK && all) {
		rc = each_stray(place, names, remove_stray, place);
		if (rc != 0)
			say_error(0, "cannot read '%s': %s", place->path,
				  strerror(rc));
	}
	return err == ERR_OK ||
	       say_error(0, "publishing stopped: %s (run 'popbox sync')",
			 err == ERR_SYSTEM ? strerror(errno) : err_text(err));
}

bool dovecot_files_write(const struct site *site, struct plan *plan)
{
	struct touched names = {0};
	struct widening widening = {plan, &names};
	char text[PATH_MAX + 200];
	struct place place;
	const char *why;
	bool good = true;
	enum err err;

	if (!config_has_dovecot(&site->config) ||
	    (!plan->count && plan->scope != PLAN_ALL))
		return true;
	why = open_place(&site->config, &place);
	if (why) {
		(void)snprintf(text, sizeof text,
			       "cannot write below '%s': %s (correct it, or "
			       "the settings dovecot_dir and dovecot_group)",
			       place.path, why);
		say_error(0, "%s", text);
		fail(plan, NULL, text);
	} else {
		err = store_read(site->store, widen, &widening);
		good = err == ERR_OK
			       ? write_all(site, plan, &place, &names)
			       : say_error(0, "publishing stopped: %s",
					   err_text(err));
	}
	close_place(&place);
	touched_free(&names);
	return good;
}

enum err dovecot_files_show(const struct site *site, struct store_txn *txn,
			    const struct plan *plan)
{
	struct touched names = {0};
	struct widening widening = {plan, &names};
	struct place place;
	enum err err;
	bool same;

	if (!config_has_dovecot(&site->config))
		return ERR_OK;
	(void)open_place(&site->config, &place); /* all are new, then */
	err = widen(txn, &widening);
	for (size_t i = 0; err == ERR_OK && i < names.count; i++) {
		struct reading reading = {&site->config, &names.name[i], false,
					  {.secret = true}};
		int rc;

		err = read_domain(txn, &reading);
		rc = compare(&place, names.name[i].s, &reading.text, &same);
		if (err == ERR_OK && !same)
			say_out("%s/%s: %s", place.path, names.name[i].s,
				rc == ENOENT ? "file" : "logins");
		else if (err == ERR_NOTFOUND && rc == 0)
			say_out("%s/%s: - file", place.path, names.name[i].s);
		text_wipe(&reading.text);
		err = err == ERR_NOTFOUND ? ERR_OK : err;
	}
	close_place(&place);
	touched_free(&names);
	return err;
}

struct auditing {
	const struct place *place;
	control_found *found;
	void *arg;
};

static void tell(const struct auditing *a, const char *name, const char *what)
{
	char text[PATH_MAX + 128];

	(void)snprintf(text, sizeof text, "%s/%s %s", a->place->path, name,
		       what);
	a->found(a->arg, "dovecot", true, text);
}

static void tell_stray(void *arg, const char *name)
{
	tell(arg, name, "is the file of no domain");
}

static enum err audit_one(const struct site *site, struct auditing *a,
			  const struct name_domain *name)
{
	struct reading reading = {&site->config, name, false, {.secret = true}};
	enum err err = store_read(site->store, read_domain, &reading);
	bool same = true;
	int rc = ENOENT;

	if (err == ERR_OK || err == ERR_NOTFOUND)
		rc = compare(a->place, name->s, &reading.text, &same);
	if (err == ERR_NOTFOUND && rc == 0)
		tell_stray(a, name->s);
	else if (err == ERR_OK && rc == ENOENT)
		tell(a, name->s, "is missing");
	else if (err == ERR_OK && rc != 0)
		tell(a, name->s, "cannot be read");
	else if (err == ERR_OK && !same)
		tell(a, name->s,
		     "is not what the store says, or not root's with mode "
		     "0640 and the group of dovecot_group");
	text_wipe(&reading.text);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}

void dovecot_files_audit(const struct site *site, const struct plan *plan,
			 control_found *found, void *arg)
{
	struct touched names = {0};
	struct widening widening = {plan, &names};
	struct place place;
	struct auditing a = {&place, found, arg};
	const char *why;
	enum err err = ERR_OK;

	if (!config_has_dovecot(&site->config))
		return;
	why = open_place(&site->config, &place);
	if (why) {
		char text[PATH_MAX + 200];

		(void)snprintf(text, sizeof text, "%s: %s", place.path, why);
		found(arg, "dovecot", false, text);
	} else {
		err = store_read(site->store, widen, &widening);
		for (size_t i = 0; err == ERR_OK && i < names.count; i++)
			err = audit_one(site, &a, &names.name[i]);
		if (err == ERR_OK)
			(void)each_stray(&place, &names, tell_stray, &a);
	}
	if (err != ERR_OK)
		say_error(0, "the files for Dovecot were not compared: %s",
			  err_text(err));
	close_place(&place);
	touched_free(&names);
}
