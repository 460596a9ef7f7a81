/* SPDX-License-Identifier: MIT */
/* explain_lines.c: what becomes of a message by the lines of a .qmail file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explain_private.h"
#include "qmail/dotqmail.h"
#include "qmail/dotqmail_lines.h"
#include "store/path.h"

static bool is_relative(const char *line)
{
	return line[0] != '/';
}

/* walk->path: the line's path, from the home that qmail-local works in. */
static bool set_path(struct walk *walk, const struct route_user *user,
		     const char *line, const char *below)
{
	const char *home = is_relative(line) ? user->field[ROUTE_HOME] : "";
	int len;

	if (strncmp(line, "./", 2) == 0)
		line += 2;
	len = snprintf(walk->path, sizeof walk->path, "%s%s%s%s", home,
		       home[0] ? "/" : "", line, below);
	if (len >= 0 && (size_t)len < sizeof walk->path)
		return true;
	return walk_defer(walk, "delivers", "is too long");
}

/* A look at walk->path. False: it cannot be looked at; said. */
static bool look(struct walk *walk, struct sight *ret_sight, int *ret_rc)
{
	char *text = malloc(MAILROOT_QMAIL_MAX);
	size_t len;

	*ret_rc = text ? walk_see(walk, ret_sight, text, &len) : ENOMEM;
	free(text);
	if (walk->hidden) {
		walk_step(walk, true, "delivers",
			  "to %s, which is not for popusr's eyes", walk->path);
		walk_target(walk, walk->path);
		walk->kept = walk->unseen = true;
		return false;
	}
	return !walk_unsure(walk, *ret_rc);
}

/* Of a box, check knows who owns what, and what repairs it. */
static bool defer_part(struct walk *walk, const char *what)
{
	char why[96];

	(void)snprintf(why, sizeof why, "%s by its user%s", what,
		       walk->ours ? " ('popbox check' says how to repair it)"
				  : "");
	return walk_defer(walk, "delivers", why);
}

/* A directory in which the user may make a file. */
static bool see_part(struct walk *walk, const struct route_user *user,
		     const char *line, const char *part, dev_t *device)
{
	const int wanted = part[0] ? W_OK | X_OK : X_OK;
	struct sight at;
	int rc;

	if (!set_path(walk, user, line, part) || !look(walk, &at, &rc))
		return false;
	if (rc != 0)
		return walk_unread(walk, "delivers", rc);
	if (!S_ISDIR(at.mode))
		return walk_defer(walk, "delivers", "is no directory");
	if ((at.may & wanted) != wanted)
		return defer_part(walk, part[0] ? "cannot be written"
						: "cannot be entered");
	*device = at.device;
	return true;
}

bool walk_maildir(struct walk *walk, const struct route_user *user,
		  const char *line)
{
	dev_t device, tmp = 0, new = 0;

	if (!see_part(walk, user, line, "", &device))
		return walk->hidden;
	if (!see_part(walk, user, line, "tmp", &tmp))
		return walk->hidden;
	if (!see_part(walk, user, line, "new", &new))
		return walk->hidden;
	if (tmp != new)
		return walk_defer(walk, "delivers",
				  "is on another file system than tmp");
	if (!set_path(walk, user, line, ""))
		return false;
	walk_step(walk, true, "delivers", "%s", walk->path);
	walk_target(walk, walk->path);
	walk->kept = true;
	return true;
}

/* A file that is there and can be written, or can be made. */
static bool see_mbox(struct walk *walk, const struct route_user *user,
		     const char *line)
{
	struct sight at;
	char *slash;
	int rc;

	if (!set_path(walk, user, line, "") || !look(walk, &at, &rc))
		return false;
	if (rc == 0 && S_ISDIR(at.mode))
		return walk_defer(walk, "delivers",
				  "is a directory (a Maildir's line ends in a "
				  "slash)");
	if (rc == 0 && !(at.may & W_OK))
		rc = EACCES;
	if (rc == 0)
		return true;
	if (rc != ENOENT)
		return walk_unread(walk, "delivers", rc);
	slash = strrchr(walk->path, '/');
	if (slash != walk->path)
		*slash = 0;
	if (!look(walk, &at, &rc))
		return false;
	if (rc == 0 && !S_ISDIR(at.mode))
		rc = ENOTDIR;
	if (rc == 0 && (at.may & (W_OK | X_OK)) != (W_OK | X_OK))
		rc = EACCES;
	return rc == 0 || walk_unread(walk, "delivers", rc);
}

bool walk_mbox(struct walk *walk, const struct route_user *user,
	       const char *line)
{
	const size_t len = strlen(line);

	if (!see_mbox(walk, user, line))
		return walk->hidden;
	walk_step(walk, false, "delivers", "to the mbox %s%s: no POP box sees it",
		  line,
		  line[len - 1] == '\r'
			  ? " (a carriage return ends the line)"
			  : "");
	walk_target(walk, line);
	walk->kept = true;
	return true;
}

/* Of a domain with an extension: mail for joe+tag is handed to joe, and that is
 * all. Of other mail the lines behind it decide. */
static bool walk_extension(struct walk *walk, const struct route_user *user)
{
	char ext[ROUTE_FIELD_MAX + sizeof user->rest];
	char address[WALK_ADDRESS];
	size_t len;

	(void)snprintf(ext, sizeof ext, "%s%s", user->field[ROUTE_EXT],
		       user->rest);
	len = dotqmail_base(ext, strlen(ext));
	if (!len)
		return true;
	(void)snprintf(address, sizeof address, "%.*s@%s", (int)len, ext,
		       walk->domain);
	walk_step(walk, true, "extension",
		  "%.*s is an extension of %.*s: handed to %s",
		  walk_width(strlen(ext)), ext, walk_width(len), ext, address);
	walk_forward(walk, address);
	return false;
}

static bool walk_bounce(struct walk *walk, const char *line)
{
	walk_step(walk, false, "delivers", "%s: %s",
		  strstr(line, "#5.1.1") ? "there is no such address"
					 : "delivery is off",
		  line + 1);
	walk->verdict = EXPLAIN_BOUNCED;
	return false;
}

/* The box that the line is about, if it is one of this site. */
static bool quota_box(const struct walk *walk, const char *line,
		      struct name_box *ret_box)
{
	char path[PATH_MAX], text[NAME_BOX_TEXT];
	const char *end = strrchr(line, ' '), *slash;

	slash = memrchr(line, '/', (size_t)(end - line));
	if (!slash || (size_t)(end - slash) > sizeof text)
		return false;
	memcpy(text, slash + 1, (size_t)(end - slash - 1));
	text[end - slash - 1] = 0;
	if (name_box_read(text, strlen(text), ret_box))
		return false;
	path_box(walk->site->config.home, ret_box, path);
	return (size_t)(end - line) > strlen(path) &&
	       memcmp(end - strlen(path), path, strlen(path)) == 0 &&
	       end[-(ptrdiff_t)strlen(path) - 1] == ' ';
}

/* Can popusr run its program? Else all such mail waits. */
static bool see_program(struct walk *walk, const char *line)
{
	struct sight at;
	int rc;

	(void)snprintf(walk->path, sizeof walk->path, "%.*s",
		       (int)strcspn(line + 1, " "), line + 1);
	if (!look(walk, &at, &rc))
		return walk->hidden;
	if (rc != 0)
		return walk_unread(walk, "quota", rc);
	return (S_ISREG(at.mode) && at.may & X_OK) ||
	       walk_defer(walk, "quota", "cannot be run by its user");
}

/* It goes on while there is room for a message. */
static bool walk_quota(struct walk *walk, const char *line)
{
	const struct maildirsize none = {0, 1};
	struct maildirsize limit, used;
	char text[MAILDIRSIZE_LINE], path[PATH_MAX];
	struct name_box box;
	bool full;
	int rc;

	if (!see_program(walk, line))
		return false;
	if (!dotqmail_is_quota(line, &limit) ||
	    !quota_box(walk, line, &box)) {
		walk_step(walk, true, "quota", "as %s says", line + 1);
		return true;
	}
	rc = asuser_usage(walk->site->asuser, &box, true, &used, path);
	if (rc != 0) /* the Maildir's line tells why */
		return true;
	full = maildirsize_is_over(&limit, &used, &none);
	maildirsize_limit_text(&limit, text);
	walk_step(walk, !full, "quota",
		  "the box has %llu bytes in %llu messages, %u%% of %s%s",
		  (unsigned long long)used.bytes,
		  (unsigned long long)used.messages,
		  maildirsize_percent(&limit, &used), text,
		  full ? ": it is full" : "");
	if (full)
		walk->verdict = EXPLAIN_BOUNCED;
	return !full;
}

static bool walk_program(struct walk *walk, const char *line)
{
	const bool cr = line[strlen(line) - 1] == '\r';

	walk_step(walk, !cr, "delivers", "to a program: %s%s", line,
		  cr ? " (a carriage return ends the line, and the shell gets "
		       "it)"
		     : "");
	walk_target(walk, line);
	walk->kept = true;
	return true;
}

static void forward(struct walk *walk, const char *address)
{
	const size_t len = strlen(address);
	const bool cr = len && address[len - 1] == '\r';

	walk_step(walk, !cr, "forwards", "%s%s", address,
		  cr ? " (a carriage return ends the line, and is part of the "
		       "address)"
		     : "");
	walk_forward(walk, address);
}

/* One line that does something. False: the mail goes no further. */
static bool walk_line(struct walk *walk, struct delivery *delivery,
		      const struct dotqmail_line *line)
{
	const enum dotqmail_does does =
		dotqmail_does(&walk->site->config, line);

	if (strcmp(line->at, "+list") == 0)
		delivery->forwards_only = true;
	if (does == DOTQMAIL_NOTHING || does == DOTQMAIL_FORWARD)
		return true; /* a forward is for later */
	if (delivery->forwards_only) {
		walk_step(walk, false, "delivers",
			  "%s: the file has the x bit or a line '+list', with "
			  "which it may only forward: the mail waits",
			  line->at);
		walk->verdict = EXPLAIN_DEFERRED;
		return false;
	}
	switch (does) {
	case DOTQMAIL_EXTENSION:
		return walk_extension(walk, delivery->user);
	case DOTQMAIL_HOLD:
		return walk_defer(walk, "delivers",
				  "has the line '|exit 111': delivery is on "
				  "hold");
	case DOTQMAIL_BOUNCE:
		return walk_bounce(walk, line->at);
	case DOTQMAIL_QUOTA:
		return walk_quota(walk, line->at);
	case DOTQMAIL_VACATION:
		walk_step(walk, true, "vacation",
			  "the sender may get an answer, by %s ('popbox box "
			  "show' says until when)",
			  line->at + 1);
		return true;
	case DOTQMAIL_PROGRAM:
		return walk_program(walk, line->at);
	case DOTQMAIL_MAILDIR:
		return walk_maildir(walk, delivery->user, line->at);
	case DOTQMAIL_MBOX:
		return walk_mbox(walk, delivery->user, line->at);
	case DOTQMAIL_NOTHING:
	case DOTQMAIL_FORWARD:
		break;
	}
	return true;
}

static void walk_all(struct walk *walk, struct delivery *delivery,
		     const struct dotqmail_line *line, size_t count)
{
	const size_t before = walk->hops;
	bool more = true;

	for (size_t n = 0; more && n < count; n++)
		more = walk_line(walk, delivery, &line[n]);
	/* Forwards come last, and only if all else was done. */
	for (size_t n = 0; more && n < count; n++) {
		if (dotqmail_does(&walk->site->config, &line[n]) ==
		    DOTQMAIL_FORWARD)
			forward(walk, line[n].at + (line[n].at[0] == '&'));
	}
	if (!more || walk->kept || walk->hops > before)
		return;
	walk_step(walk, false, "delivers",
		  "%s has no line that takes the mail: it is lost", walk->path);
	walk->kept = true;
}

void walk_lines(struct walk *walk, struct delivery *delivery, char *text,
		size_t len)
{
	size_t count = 0;
	struct dotqmail_line *line = dotqmail_split(text, len, &count);

	if (!line)
		walk->unsure = ENOMEM;
	else if (!text[0])
		(void)walk_defer(walk, "delivers",
				 "begins with a blank line: delivery is on "
				 "hold");
	else
		walk_all(walk, delivery, line, count);
	free(line);
}
