/* SPDX-License-Identifier: MIT */
#include "mapfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/resource_error.h"
#include "base/safe_open.h"
#include "base/say.h"
#include "qmail/cdbfile.h"
#include "recipients.h"
#include "sqmail.h"
#include "touched.h"

enum map { VALIDRCPTTO, SQMAIL, DOMAINS, RECIPIENTS, FORWARDS, MAPS };

static const char *const names[MAPS] = {
	[VALIDRCPTTO] = "validrcptto.cdb",
	[SQMAIL] = "popbox-recipients.cdb",
	[DOMAINS] = "domains.cdb",
	[RECIPIENTS] = "recipients.cdb",
	[FORWARDS] = "forwards.cdb",
};

#define TEMPORARY ".popbox-tmp"

static bool has_map(const struct config *config, enum map map)
{
	if (map == VALIDRCPTTO)
		return config->validrcptto && config_has_qmail(config);
	if (map == SQMAIL)
		return config->sqmail_recipients && config_has_qmail(config);
	return config->postfix_dir[0] == '/';
}

/* qmail-smtpd reads one that also has the domains of others. */
static bool has_valid(const struct config *config)
{
	return has_map(config, VALIDRCPTTO) || has_map(config, SQMAIL);
}

static bool has_any(const struct config *config)
{
	return has_valid(config) || has_map(config, DOMAINS);
}

static void path_of(const struct config *config, enum map map,
		    char path[PATH_MAX])
{
	if (map == VALIDRCPTTO)
		(void)snprintf(path, PATH_MAX, "%s/control/%s", config->qmail,
			       names[map]);
	else if (map == SQMAIL)
		(void)snprintf(path, PATH_MAX, "%s/" SQMAIL_CDB, config->qmail);
	else
		(void)snprintf(path, PATH_MAX, "%s/%s", config->postfix_dir,
			       names[map]);
}

/* What the files shall say of some domains. */
struct maps {
	const struct site *site;
	struct touched touched;
	bool all; /* of all, and nothing is copied */
	struct recipients recipients;
	struct pairs go;    /* addresses whose files are removed later */
	struct pairs valid; /* of validrcptto: these, and others' domains */
	struct pairs listed; /* of s/qmail: those that are one address */
};

static const struct pairs *pairs_of(const struct maps *maps, enum map map)
{
	switch (map) {
	case DOMAINS:
		return &maps->recipients.domains;
	case FORWARDS:
		return &maps->recipients.forwards;
	case VALIDRCPTTO:
		return &maps->valid;
	case SQMAIL:
		return &maps->listed;
	case RECIPIENTS:
	case MAPS:
		break;
	}
	return &maps->recipients.there;
}

static void maps_free(struct maps *maps)
{
	touched_free(&maps->touched);
	recipients_free(&maps->recipients);
	pairs_free(&maps->valid);
	pairs_free(&maps->listed);
	pairs_free(&maps->go);
}

/* Is a key about one of these domains? */
static bool is_about(const struct maps *maps, const char *key, size_t len)
{
	const char *at = memrchr(key, '@', len);
	struct name_domain name;

	if (maps->all)
		return true;
	if (at)
		len -= (size_t)(at + 1 - key);
	return !name_domain_read(at ? at + 1 : key, len, &name) &&
	       touched_has(&maps->touched, &name);
}

/* What a file says of them now. */
struct old {
	const struct maps *maps;
	struct pairs pairs;
	bool no_memory;
};

static bool put_old(struct pairs *pairs, const char *key, size_t key_len,
		    const char *value, size_t len)
{
	char *text = malloc(key_len + len + 2);
	bool good;

	if (!text)
		return false;
	memcpy(text, key, key_len);
	text[key_len] = 0;
	memcpy(text + key_len + 1, value, len);
	text[key_len + 1 + len] = 0;
	good = pairs_add(pairs, text, text + key_len + 1);
	free(text);
	return good;
}

static bool take_old(void *arg, const char *key, unsigned key_len,
		     const char *value, unsigned len)
{
	struct old *old = arg;

	if (is_about(old->maps, key, key_len) &&
	    !put_old(&old->pairs, key, key_len, value, len))
		old->no_memory = true;
	return !old->no_memory;
}

static void ignore(void *arg, char sign, const char *key)
{
	(void)arg;
	(void)sign;
	(void)key;
}

/* CDBFILE_FOUND, _MISSING, _DAMAGED, or _LATER with errno. */
static enum cdbfile differences(const struct maps *maps, enum map map,
				pairs_differs *each, void *arg, bool *ret_same)
{
	struct old old = {.maps = maps};
	char path[PATH_MAX];
	enum cdbfile found;

	path_of(&maps->site->config, map, path);
	found = cdbfile_walk(path, take_old, &old);
	if (old.no_memory) {
		errno = ENOMEM;
		found = CDBFILE_LATER;
	}
	pairs_sort(&old.pairs);
	if (found != CDBFILE_LATER)
		*ret_same = pairs_compare(pairs_of(maps, map), &old.pairs,
					  each, arg) &&
			    found == CDBFILE_FOUND;
	pairs_free(&old.pairs);
	return found;
}

/* The new file: what is copied, then what is new. */
struct filling {
	const struct maps *maps;
	const struct pairs *pairs;
	char path[PATH_MAX];
	cdbfile_put *put;
	void *to;
	bool failed;
};

static bool copy(void *arg, const char *key, unsigned key_len,
		 const char *value, unsigned len)
{
	struct filling *filling = arg;

	if (is_about(filling->maps, key, key_len))
		return true;
	filling->failed =
		!filling->put(filling->to, key, key_len, value, len);
	return !filling->failed;
}

static bool fill(void *arg, cdbfile_put *put, void *to)
{
	struct filling *filling = arg;
	enum cdbfile found;

	filling->put = put;
	filling->to = to;
	if (!filling->maps->all) {
		found = cdbfile_walk(filling->path, copy, filling);
		if (found != CDBFILE_FOUND || filling->failed)
			return false;
	}
	for (size_t i = 0; i < filling->pairs->count; i++) {
		const char *key = pairs_key(filling->pairs, i);
		const char *value = pairs_value(filling->pairs, i);

		if (!put(to, key, strlen(key), value, strlen(value)))
			return false;
	}
	return true;
}

static int open_dir(const struct config *config, enum map map)
{
	char path[PATH_MAX];

	if (map != VALIDRCPTTO && map != SQMAIL)
		return safe_open_dir(config->postfix_dir);
	(void)snprintf(path, sizeof path, "%s/%s", config->qmail,
		       map == SQMAIL ? "users" : "control");
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int replace_map(const struct maps *maps, enum map map)
{
	const struct replace_text like = {
		.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
	struct filling filling = {.maps = maps, .pairs = pairs_of(maps, map)};
	int dir = open_dir(&maps->site->config, map), fd, rc;
	char temporary[64];

	if (dir < 0)
		return errno;
	path_of(&maps->site->config, map, filling.path);
	(void)snprintf(temporary, sizeof temporary, "%s" TEMPORARY, names[map]);
	rc = replace_begin(dir, temporary, &fd);
	if (rc == 0) {
		rc = cdbfile_write(fd, fill, &filling);
		rc = replace_end(dir, names[map], temporary, fd, &like, rc);
	}
	(void)close(dir); /* a directory, read only */
	return rc;
}

/* What is as it shall be may be so by a run that was killed before this. */
static int sync_map(const struct maps *maps, enum map map)
{
	int dir = open_dir(&maps->site->config, map), rc;

	if (dir < 0)
		return errno;
	rc = fsync(dir) == 0 ? 0 : errno;
	(void)close(dir); /* a directory, read only */
	return rc;
}

static bool is_touched(const void *arg, const struct name_domain *name)
{
	return touched_has(arg, name);
}

static struct sqmail sqmail_of(const struct maps *maps, bool joins)
{
	return (struct sqmail){.qmail = maps->site->config.qmail,
			       .domains = &maps->recipients.domains,
			       .valid = &maps->valid,
			       .about = is_touched,
			       .arg = &maps->touched,
			       .all = maps->all,
			       .joins = joins};
}

static int write_cdb(const struct maps *maps, enum map map)
{
	bool same = false;

	if (differences(maps, map, ignore, NULL, &same) == CDBFILE_LATER)
		return errno;
	return same ? sync_map(maps, map) : replace_map(maps, map);
}

/* At no instant a line sends qmail-smtpd to a file that does not have the addresses:
 * domains of which every address is taken get their lines before the file changes,
 * others behind it. */
static int write_map(const struct maps *maps, enum map map)
{
	const struct sqmail before = sqmail_of(maps, true),
			    behind = sqmail_of(maps, false);
	int rc = 0;

	if (map != SQMAIL)
		return write_cdb(maps, map);
	if (sqmail_exists(maps->site->config.qmail))
		rc = sqmail_write(&before);
	if (rc == 0)
		rc = write_cdb(maps, map);
	return rc == 0 ? sqmail_write(&behind) : rc;
}

/* Of the plan: which domains; of everything where a file has to be made anew. */
struct collecting {
	struct maps *maps;
	const struct plan *plan;
};

static bool is_whole(const struct config *config, enum map map)
{
	char path[PATH_MAX];
	enum cdbfile found;

	path_of(config, map, path);
	found = cdbfile_has(path, "x");
	if (map == SQMAIL && !sqmail_exists(config->qmail))
		return false;
	return found == CDBFILE_FOUND || found == CDBFILE_NONE;
}

static enum err collect(struct store_txn *txn, void *arg)
{
	const struct collecting *collecting = arg;
	struct maps *maps = collecting->maps;
	enum err err;

	maps_free(maps); /* a body may be run again */
	err = maps->all ? touched_all(txn, &maps->touched)
			: touched_by(txn, collecting->plan, false,
				     &maps->touched);
	for (size_t i = 0; err == ERR_OK && i < maps->touched.count; i++)
		err = recipients_domain(txn, &maps->site->config,
					&maps->touched.name[i],
					&maps->recipients);
	return err;
}

/* s/qmail's keys have a colon before them, and nothing behind. False: no memory. */
static bool list(struct maps *maps)
{
	bool good = true;

	for (size_t i = 0; good && i < maps->valid.count; i++) {
		const char *address = pairs_key(&maps->valid, i);
		char key[NAME_ADDRESS_TEXT + 1];

		(void)snprintf(key, sizeof key, ":%s", address); /* it fits */
		good = address[0] == '@' ||
		       pairs_add(&maps->listed, key, "");
	}
	pairs_sort(&maps->listed);
	return good;
}

/* Of validrcptto, too. False: no memory. */
static bool sort(struct maps *maps)
{
	const struct pairs *there = &maps->recipients.there;
	bool good = true;

	pairs_sort(&maps->recipients.domains);
	pairs_sort(&maps->recipients.there);
	pairs_sort(&maps->recipients.forwards);
	for (size_t i = 0;
	     good && i < there->count && has_valid(&maps->site->config); i++)
		good = pairs_add(&maps->valid, pairs_key(there, i),
				 pairs_value(there, i));
	pairs_sort(&maps->valid);
	return good && list(maps);
}

/* Domains that others put into rcpthosts: a patch that finds the file refuses what
 * is not in it. A host below one it cannot say. */
static bool add_others(struct maps *maps)
{
	static const char *const files[] = {"rcpthosts", "morercpthosts"};
	struct replace_text text;
	bool good = true;

	for (size_t i = 0; good && i < 2; i++) {
		char path[PATH_MAX];
		int dir;

		(void)snprintf(path, sizeof path, "%s/control",
			       maps->site->config.qmail);
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return true; /* said by others */
		if (replace_read(dir, files[i], &text) != 0)
			text = (struct replace_text){0};
		(void)close(dir); /* a directory, read only */
		for (char *at = text.bytes; good && at && *at;) {
			const size_t len = strcspn(at, "\n");
			struct name_domain name;
			char key[NAME_DOMAIN_MAX + 2];

			if (!name_domain_read(at, len, &name) &&
			    !touched_has(&maps->touched, &name)) {
				(void)snprintf(key, sizeof key, "@%s", name.s);
				good = pairs_add(&maps->valid, key, "OK");
			}
			at += len + (at[len] != 0);
		}
		replace_free(&text);
	}
	return good;
}

static bool add_going(struct maps *maps, const struct plan *plan)
{
	bool good = true;

	for (size_t i = plan_next(plan, 0, STORE_ADDRESSES);
	     good && i < plan->count;
	     i = plan_next(plan, i + 1, STORE_ADDRESSES)) {
		char key[NAME_ADDRESS_TEXT];

		if (plan->item[i].act != PLAN_REMOVE)
			continue;
		name_address_text(&plan->item[i].address, key);
		good = pairs_add(&maps->go, key, "");
	}
	pairs_sort(&maps->go);
	return good;
}

/* Of a directory that popusr cannot list nobody knows what is in it: then all is
 * taken. Without the helper, or memory, nothing is known at all. */
static enum err unlisted(struct maps *maps, const struct name_domain *name,
			 const char *path, int rc)
{
	char key[NAME_DOMAIN_MAX + 2];

	say_error(0, "cannot list '%s': %s", path, strerror(rc));
	errno = rc;
	if (rc == EPIPE || rc == ETIMEDOUT || resource_error(rc))
		return ERR_SYSTEM;
	(void)snprintf(key, sizeof key, "@%s", name->s);
	errno = ENOMEM;
	return pairs_add(&maps->recipients.there, key, "OK") ? ERR_OK
							     : ERR_SYSTEM;
}

/* What popusr's helper lists. */
static enum err add_unmanaged(struct maps *maps)
{
	char path[PATH_MAX] = "";
	enum err err = ERR_OK;
	int rc;

	for (size_t i = 0; err == ERR_OK && i < maps->touched.count; i++) {
		err = recipients_unmanaged(maps->site, &maps->touched.name[i],
					   &maps->go, &maps->recipients, &rc,
					   path);
		if (err == ERR_OK && rc != 0)
			err = unlisted(maps, &maps->touched.name[i], path, rc);
	}
	if (err != ERR_OK)
		return err;
	if ((!maps->all || !has_valid(&maps->site->config) ||
	     add_others(maps)) &&
	    sort(maps))
		return ERR_OK;
	errno = ENOMEM;
	return ERR_SYSTEM;
}

static enum err gather(const struct site *site, const struct plan *plan,
		       struct maps *maps)
{
	struct collecting collecting = {maps, plan};
	enum err err;

	*maps = (struct maps){.site = site, .all = plan->scope == PLAN_ALL};
	for (int map = 0; map < MAPS; map++) {
		if (has_map(&site->config, (enum map)map) &&
		    !is_whole(&site->config, (enum map)map))
			maps->all = true;
	}
	err = store_read(site->store, collect, &collecting);
	if (err == ERR_OK && !add_going(maps, plan)) {
		errno = ENOMEM;
		err = ERR_SYSTEM;
	}
	return err == ERR_OK ? add_unmanaged(maps) : err;
}

static void fail(const struct config *config, struct plan *plan, enum map map,
		 int rc)
{
	char path[PATH_MAX], why[PATH_MAX + 128];

	path_of(config, map, path);
	(void)snprintf(why, sizeof why, "cannot write '%s': %s%s", path,
		       rc == EPERM ? "its directory, or what is above it, can "
				     "be written by others than root"
				   : strerror(rc),
		       rc == ENOENT ? " (make the directory)" : "");
	say_error(0, "%s", why);
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->item[i].table != STORE_BOXES)
			plan_fail(&plan->item[i], why);
	}
}

/* Is it about what the maps say? A box is not. */
static bool concerns(const struct plan *plan)
{
	return plan->scope == PLAN_ALL ||
	       plan_next(plan, 0, STORE_DOMAINS) < plan->count ||
	       plan_next(plan, 0, STORE_ADDRESSES) < plan->count;
}

bool mapfiles_write(const struct site *site, struct plan *plan)
{
	struct maps maps;
	enum err err;

	if (!has_any(&site->config) || !concerns(plan))
		return true;
	err = gather(site, plan, &maps);
	for (int map = 0; err == ERR_OK && map < MAPS; map++) {
		int rc = has_map(&site->config, (enum map)map)
				 ? write_map(&maps, (enum map)map)
				 : 0;

		if (rc != 0)
			fail(&site->config, plan, (enum map)map, rc);
	}
	maps_free(&maps);
	return err == ERR_OK ||
	       say_error(0, "publishing stopped: %s (run 'popbox sync')",
			 err == ERR_SYSTEM ? strerror(errno) : err_text(err));
}

struct showing {
	const struct pairs *domains;
	char path[PATH_MAX];
};

/* What goes may be an unmanaged file's, which stays; of a domain that goes all does. */
static void show(void *arg, char sign, const char *key)
{
	const struct showing *showing = arg;
	const char *at = strrchr(key, '@');

	for (size_t i = 0; sign == '-' && i < showing->domains->count; i++) {
		if (strcmp(pairs_key(showing->domains, i),
			   at ? at + 1 : key) == 0)
			return;
	}
	say_out("%s: %c %s", showing->path, sign, key);
}

static void show_line(void *arg, char sign, const char *line)
{
	const struct showing *showing = arg;

	say_out("%s: %c %s", showing->path, sign, line);
}

static bool show_lines(const struct maps *maps, struct showing *showing)
{
	const struct sqmail sqmail = sqmail_of(maps, false);
	bool same;

	(void)snprintf(showing->path, sizeof showing->path,
		       "%s/control/recipients", sqmail.qmail);
	return sqmail_compare(&sqmail, show_line, showing, &same);
}

enum err mapfiles_show(const struct site *site, struct store_txn *txn,
		       const struct plan *plan)
{
	struct maps maps = {.site = site};
	struct collecting collecting = {&maps, plan};
	struct showing showing = {.domains = &maps.recipients.domains};
	enum err err;
	bool same;

	/* Of everything there would be too much that unmanaged files say. */
	if (!has_any(&site->config) || !concerns(plan) ||
	    plan->scope == PLAN_ALL)
		return ERR_OK;
	err = collect(txn, &collecting);
	if (err == ERR_OK && !sort(&maps)) {
		errno = ENOMEM;
		err = ERR_SYSTEM;
	}
	for (int map = 0; err == ERR_OK && map < MAPS; map++) {
		if (!has_map(&site->config, (enum map)map))
			continue;
		path_of(&site->config, (enum map)map, showing.path);
		if (differences(&maps, (enum map)map, show, &showing, &same) ==
			    CDBFILE_LATER ||
		    (map == SQMAIL && !show_lines(&maps, &showing)))
			err = ERR_SYSTEM;
	}
	maps_free(&maps);
	return err;
}

struct auditing {
	const char *path;
	control_found *found;
	void *arg;
};

static void tell(void *arg, char sign, const char *key)
{
	const struct auditing *a = arg;
	char text[PATH_MAX + NAME_ADDRESS_TEXT + 64];

	(void)snprintf(text, sizeof text, "%s: the key '%s' %s", a->path, key,
		       sign == '+' ? "is missing, or says something else"
				   : "should not be there");
	a->found(a->arg, "maps", true, text);
}

static void tell_line(void *arg, char sign, const char *line)
{
	const struct auditing *a = arg;
	char text[PATH_MAX + 512];

	(void)snprintf(text, sizeof text, "%s: the line '%.300s' %s", a->path,
		       line, sign == '+' ? "is missing" : "should not be there");
	a->found(a->arg, "maps", true, text);
}

static void audit_lines(const struct maps *maps, control_found *found, void *arg)
{
	const struct sqmail sqmail = sqmail_of(maps, false);
	char path[PATH_MAX], text[PATH_MAX + 64];
	struct auditing auditing = {path, found, arg};
	bool same = true;

	(void)snprintf(path, sizeof path, "%s/control/recipients",
		       sqmail.qmail);
	if (!sqmail_compare(&sqmail, tell_line, &auditing, &same)) {
		say_error(0, "cannot read '%s': %s", path, strerror(errno));
	} else if (!same) {
		(void)snprintf(text, sizeof text, "%s is to be written again",
			       path);
		found(arg, "maps", true, text);
	}
}

static void audit_map(const struct maps *maps, enum map map,
		      control_found *found, void *arg)
{
	char path[PATH_MAX], text[PATH_MAX + 64];
	struct auditing auditing = {path, found, arg};
	const bool whole = is_whole(&maps->site->config, map);
	bool same;

	path_of(&maps->site->config, map, path);
	if (!whole) {
		(void)snprintf(text, sizeof text, "%s is missing or damaged",
			       path);
		found(arg, "maps", true, text);
	} else if (differences(maps, map, tell, &auditing, &same) ==
		   CDBFILE_LATER) {
		say_error(0, "cannot read '%s': %s", path, strerror(errno));
	}
}

void mapfiles_audit(const struct site *site, const struct plan *plan,
		    control_found *found, void *arg)
{
	struct maps maps;
	enum err err;

	if (!has_any(&site->config))
		return;
	err = gather(site, plan, &maps);
	for (int map = 0; err == ERR_OK && map < MAPS; map++) {
		if (!has_map(&site->config, (enum map)map))
			continue;
		audit_map(&maps, (enum map)map, found, arg);
		if (map == SQMAIL)
			audit_lines(&maps, found, arg);
	}
	if (err != ERR_OK)
		say_error(0, "the maps were not compared: %s", err_text(err));
	maps_free(&maps);
}
