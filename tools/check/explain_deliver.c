/* SPDX-License-Identifier: MIT */
/* explain_deliver.c: qmail-local's part of the way, up to the .qmail file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explain_private.h"
#include "qmail/defaultdelivery.h"

/* What the mode lets this user do. */
static int rights(const struct mailroot_look *look, uid_t uid, gid_t gid)
{
	const int shift = look->uid == uid ? 6 : look->gid == gid ? 3 : 0;

	return (int)(look->mode >> shift) & (R_OK | W_OK | X_OK);
}

static bool is_popusr(const struct walk *walk)
{
	return walk->uid == walk->site->config.uid &&
	       walk->gid == walk->site->config.gid;
}

/* May the user enter all directories above walk->path? */
static int see_above(struct walk *walk)
{
	char path[PATH_MAX];
	struct mailroot_look look;
	size_t len;
	char *text = malloc(MAILROOT_QMAIL_MAX);
	int rc = text ? 0 : ENOMEM;

	for (const char *at = strchr(walk->path + 1, '/'); at && rc == 0;
	     at = strchr(at + 1, '/')) {
		(void)snprintf(path, sizeof path, "%.*s",
			       (int)(at - walk->path), walk->path);
		rc = asuser_look(walk->site->asuser, path, &look, text, &len);
		walk->hidden = rc == EACCES;
		if (rc == 0 && !(rights(&look, walk->uid, walk->gid) & X_OK))
			rc = EACCES;
	}
	free(text);
	return rc;
}

int walk_see(struct walk *walk, struct sight *ret_sight, char *text,
	     size_t *len)
{
	struct mailroot_look look;
	const int above = is_popusr(walk) ? 0 : see_above(walk);
	int rc = above;

	if (rc == 0)
		rc = asuser_look(walk->site->asuser, walk->path, &look, text,
				 len);
	if (rc != 0) {
		walk->hidden |= rc == EACCES && above == 0 && !is_popusr(walk);
		return rc;
	}
	*ret_sight = (struct sight){
		.mode = look.mode,
		.device = look.device,
		.size = look.size,
		.may = is_popusr(walk)
			       ? look.may
			       : rights(&look, walk->uid, walk->gid)};
	if (!S_ISREG(look.mode) || !look.unread)
		return 0;
	/* The user may read it, and popusr may not. */
	walk->hidden = !is_popusr(walk) && (ret_sight->may & R_OK);
	return look.unread;
}

/* Somebody else's file that only he sees. */
static bool walk_hidden(struct walk *walk, const char *name)
{
	walk_step(walk, true, name,
		  "%s is not for popusr's eyes: popbox looks no further",
		  walk->path);
	walk->unseen = true;
	walk->verdict = EXPLAIN_LOCAL;
	return false;
}

static bool walk_home(struct walk *walk, const struct route_user *user,
		      char *text)
{
	struct sight home;
	size_t len;
	int rc;

	walk->uid = (uid_t)strtoul(user->field[ROUTE_UID], NULL, 10);
	walk->gid = (gid_t)strtoul(user->field[ROUTE_GID], NULL, 10);
	(void)snprintf(walk->path, sizeof walk->path, "%s",
		       user->field[ROUTE_HOME]);
	if (walk->uid == 0)
		return walk_defer(walk, "directory",
				  "would be root's, for whom qmail delivers "
				  "nothing");
	if (walk->path[0] != '/') {
		walk_step(walk, false, "directory",
			  "'%s' is no absolute path: qmail-local refuses it",
			  walk->path);
		walk->verdict = EXPLAIN_BOUNCED;
		return false;
	}
	rc = walk_see(walk, &home, text, &len);
	if (walk->hidden)
		return walk_hidden(walk, "directory");
	if (rc != 0)
		return walk_unread(walk, "directory", rc);
	if (!S_ISDIR(home.mode))
		return walk_defer(walk, "directory", "is no directory");
	if (!(home.may & X_OK))
		return walk_unread(walk, "directory", EACCES);
	if (home.mode & S_IWOTH)
		return walk_defer(walk, "directory", "is writable by everybody");
	if (home.mode & S_ISVTX)
		return walk_defer(walk, "directory",
				  "has the sticky bit, qmail's sign for 'being "
				  "changed'");
	return true;
}

/* Takes qmail-local this error for "there is none", and goes on? */
static bool is_absent(int rc)
{
	return rc == ENOENT || rc == ENOTDIR || rc == ELOOP ||
	       rc == ENAMETOOLONG || rc == ENXIO;
}

/* One name of a .qmail file. ENOENT: the next one. */
static int try_file(struct walk *walk, const struct route_user *user,
		    const char *name, struct sight *file, char *text,
		    size_t *len)
{
	int rc = ENOENT;

	(void)snprintf(walk->path, sizeof walk->path, "%.*s/%s",
		       PATH_MAX - ROUTE_QMAIL_MAX - 2, user->field[ROUTE_HOME],
		       name);
	if (name[0])
		rc = walk_see(walk, file, text, len);
	if (rc == 0 && !(file->may & R_OK))
		rc = EACCES;
	else if (rc == 0 && !S_ISREG(file->mode))
		rc = ENOENT;
	if (is_absent(rc) && name[0])
		walk_step(walk, true, "file", "%s is not there", name);
	return is_absent(rc) ? ENOENT : rc;
}

/* The .qmail file that qmail-local takes; its text. */
static bool walk_qmail(struct walk *walk, const struct route_user *user,
		       struct sight *file, char *text, size_t *len)
{
	char name[ROUTE_QMAIL_MAX], ext[ROUTE_FIELD_MAX + sizeof user->rest];
	int rc = ENOENT;

	(void)snprintf(ext, sizeof ext, "%s%s", user->field[ROUTE_EXT],
		       user->rest);
	for (unsigned n = 0;
	     rc == ENOENT &&
	     route_qmail_name(user->field[ROUTE_DASH], ext, n, name);
	     n++)
		rc = try_file(walk, user, name, file, text, len);
	if (walk->hidden)
		return walk_hidden(walk, "file");
	if (rc == ENOENT && !user->field[ROUTE_DASH][0]) {
		*len = 0; /* a user himself needs no file */
		*file = (struct sight){0};
		(void)snprintf(walk->path, sizeof walk->path, "%s",
			       user->field[ROUTE_HOME]);
		return true;
	}
	if (rc == ENOENT) {
		walk_step(walk, false, "file",
			  "no .qmail file fits, not even a catch-all");
		walk->verdict = EXPLAIN_BOUNCED;
		return false;
	}
	if (rc != 0)
		return walk_unread(walk, "file", rc);
	if (file->mode & S_IWOTH)
		return walk_defer(walk, "file", "is writable by everybody");
	(void)snprintf(walk->file, sizeof walk->file, "%s", walk->path);
	walk_step(walk, true, "file", "%s", walk->path);
	return true;
}

/* No file, or an empty one: qmail-start's argument says what becomes of it. */
static void walk_default(struct walk *walk, struct delivery *delivery,
			 char *text)
{
	size_t len;

	delivery->forwards_only = false;
	if (defaultdelivery(&walk->site->config, text, MAILROOT_QMAIL_MAX)) {
		len = strlen(text);
		walk_step(walk, !walk->file[0], "default",
			  "%s: the mail goes where qmail-start says: '%.*s'",
			  walk->file[0] ? "the file is empty" : "no file",
			  (int)strcspn(text, "\n"), text);
		walk_lines(walk, delivery, text, len);
		return;
	}
	walk_step(walk, false, "delivers",
		  "%s is empty: the mail goes where qmail-start says, not "
		  "into a box",
		  walk->path);
	walk_target(walk, "default");
	walk->kept = true;
}

void walk_deliver(struct walk *walk, const struct route_user *user)
{
	char *text = malloc(MAILROOT_QMAIL_MAX + 1);
	struct delivery delivery = {.user = user};
	struct sight file = {.mode = 0};
	size_t len = 0;

	if (!text) {
		walk->unsure = ENOMEM;
	} else if (walk_home(walk, user, text) &&
		   walk_qmail(walk, user, &file, text, &len)) {
		delivery.forwards_only = file.mode & S_IXUSR;
		if (len == 0)
			walk_default(walk, &delivery, text);
		else
			walk_lines(walk, &delivery, text, len);
		if (len && file.size > (int64_t)len) {
			walk_step(walk, false, "file",
				  "%s is longer than the %d bytes that popbox "
				  "looks at",
				  walk->file, MAILROOT_QMAIL_MAX);
			walk->kept = true;
		}
	}
	/* What another user keeps is no box's. */
	if (walk->verdict == EXPLAIN_DELIVERED && walk->kept &&
	    !is_popusr(walk))
		walk->verdict = EXPLAIN_LOCAL;
	free(text);
}
