#include "explain_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int look(struct walk *walk, struct mailroot_look *look, char *text,
		size_t *len)
{
	return asuser_look(walk->site->asuser, walk->path, look, text, len);
}

static bool defer(struct walk *walk, const char *name, const char *why)
{
	walk_step(walk, false, name, "%s %s: the mail waits", walk->path, why);
	walk->verdict = EXPLAIN_DEFERRED;
	return false;
}

static bool walk_home(struct walk *walk, const struct route_user *user,
		      char *text)
{
	struct mailroot_look home;
	size_t len;
	int rc;

	if (strtoul(user->field[ROUTE_UID], NULL, 10) !=
	    walk->site->config.uid) {
		walk_step(
			walk, false, "directory",
			"it is uid %s's, not popusr's: popbox looks no further",
			user->field[ROUTE_UID]);
		walk->verdict = EXPLAIN_LOCAL;
		return false;
	}
	(void)snprintf(walk->path, sizeof walk->path, "%s",
		       user->field[ROUTE_HOME]);
	rc = look(walk, &home, text, &len);
	if (rc != 0)
		return walk_unread(walk, "directory", rc);
	if (!S_ISDIR(home.mode))
		return defer(walk, "directory", "is no directory");
	if (home.mode & S_IWOTH)
		return defer(walk, "directory", "is writable by everybody");
	if (home.mode & S_ISVTX)
		return defer(walk, "directory",
			     "has the sticky bit, qmail's sign for 'being "
			     "changed'");
	return true;
}

/* The .qmail file that qmail-local takes; its text. */
static bool walk_qmail(struct walk *walk, const struct route_user *user,
		       struct mailroot_look *file, char *text, size_t *len)
{
	char name[ROUTE_QMAIL_MAX], ext[ROUTE_FIELD_MAX + 256];
	int rc = ENOENT;

	(void)snprintf(ext, sizeof ext, "%s%s", user->field[ROUTE_EXT],
		       user->rest);
	for (unsigned n = 0;
	     rc == ENOENT &&
	     route_qmail_name(user->field[ROUTE_DASH], ext, n, name);
	     n++) {
		(void)snprintf(walk->path, sizeof walk->path, "%.*s/%s",
			       PATH_MAX - ROUTE_QMAIL_MAX - 2,
			       user->field[ROUTE_HOME], name);
		rc = look(walk, file, text, len);
		if (rc == ENOENT)
			walk_step(walk, true, "file", "%s is not there", name);
	}
	if (rc == ENOENT && !user->field[ROUTE_DASH][0]) {
		*len = 0; /* a user himself needs no file */
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
		return defer(walk, "file", "is writable by everybody");
	walk_step(walk, true, "file", "%s", walk->path);
	return true;
}

/* dir with its slash, maybe relative to home. */
static bool walk_maildir(struct walk *walk, const struct route_user *user,
			 const char *line, char *scratch)
{
	static const char *const parts[] = {"tmp", "new"};
	const char *home = line[0] == '.' ? user->field[ROUTE_HOME] : "";
	char dir[PATH_MAX];
	struct mailroot_look at;
	size_t len;

	if (snprintf(dir, sizeof dir, "%s%s%s", home, home[0] ? "/" : "",
		     line[0] == '.' ? line + 2 : line) >= (int)sizeof dir - 8)
		return defer(walk, "delivers", "is too long");
	for (size_t i = 0; i < 2; i++) {
		int rc;

		(void)snprintf(walk->path, sizeof walk->path, "%.4000s%s", dir,
			       parts[i]);
		rc = look(walk, &at, scratch, &len);
		if (rc != 0)
			return walk_unread(walk, "delivers", rc);
		if (!S_ISDIR(at.mode))
			return defer(walk, "delivers", "is no directory");
	}
	walk_step(walk, true, "delivers", "%s", dir);
	walk_target(walk, dir);
	return true;
}

static bool walk_program(struct walk *walk, const char *line)
{
	char own[PATH_MAX];
	size_t len = (size_t)snprintf(own, sizeof own, "|%s/bin/bouncesaying ",
				      walk->site->config.qmail);

	if (strncmp(line, own, len) != 0) {
		walk_step(walk, true, "delivers", "to a program: %s", line);
		walk_target(walk, line);
		return true;
	}
	walk_step(walk, false, "delivers", "delivery is off: %s", line + 1);
	walk->verdict = EXPLAIN_BOUNCED;
	return false;
}

/* One line of a .qmail file. False: the mail goes no further. */
static bool walk_line(struct walk *walk, const struct route_user *user,
		      const struct mailroot_look *file, const char *line,
		      char *scratch)
{
	const size_t len = strlen(line);

	if (line[0] == '#' || len == 0 || line[0] == '+')
		return true;
	if (strchr("./|", line[0]) && (file->mode & S_IXUSR))
		return defer(walk, "delivers",
			     "has the x bit, with which it may only forward");
	if (line[0] == '|')
		return walk_program(walk, line);
	if ((line[0] == '.' || line[0] == '/') && line[len - 1] == '/')
		return walk_maildir(walk, user, line, scratch);
	if (line[0] == '.' || line[0] == '/') {
		walk_step(walk, false, "delivers",
			  "to the mbox %s%s: no POP box sees it", line,
			  line[len - 1] == '\r'
				  ? " (a carriage return ends the "
				    "line)"
				  : "");
		walk_target(walk, line);
		return true;
	}
	line += line[0] == '&';
	walk_step(walk, true, "forwards", "%s", line);
	walk_target(walk, line);
	return true;
}

static void walk_lines(struct walk *walk, const struct route_user *user,
		       const struct mailroot_look *file, char *text, size_t len)
{
	char *scratch = malloc(MAILROOT_QMAIL_MAX);
	bool more = scratch != NULL;

	if (!scratch)
		walk->unsure = ENOMEM;
	walk->verdict = EXPLAIN_DELIVERED;
	if (len == 0) {
		walk_step(walk, false, "delivers",
			  "%s is empty: the mail goes where qmail-start says, "
			  "not "
			  "into a box",
			  walk->path);
		walk_target(walk, "default");
	} else if (text[0] == '\n') {
		more = defer(walk, "delivers",
			     "begins with a blank line: delivery is on hold");
	}
	while (more && len) {
		char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		text[line] = 0; /* there is room for one more */
		for (size_t n = line; n && strchr(" \t", text[n - 1]); n--)
			text[n - 1] = 0;
		more = walk_line(walk, user, file, text, scratch);
		text += line + (end != NULL);
		len -= line + (end != NULL);
	}
	free(scratch);
}

void walk_deliver(struct walk *walk, const struct route_user *user)
{
	char *text = malloc(MAILROOT_QMAIL_MAX + 1);
	struct mailroot_look file;
	size_t len;

	if (!text)
		walk->unsure = ENOMEM;
	else if (walk_home(walk, user, text) &&
		 walk_qmail(walk, user, &file, text, &len))
		walk_lines(walk, user, &file, text, len);
	free(text);
}
