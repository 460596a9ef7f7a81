/* SPDX-License-Identifier: MIT */
/* explain_control.c: qmail's files as its programs open them, each as its own user:
 * what keeps a program from its start, and what it reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/resource_error.h"
#include "explain_private.h"

/* What each reads before it looks at a message. Without control/me one that needs
 * a name of its own and has no other goes no further. */
static const struct {
	const char *user, *name, *instead, *file[12];
} program[] = {
	[WALK_SMTPD] = {"qmaild",
			"qmail-smtpd",
			"control/smtpgreeting",
			{"control/localiphost", "control/timeoutsmtpd",
			 "control/badmailfrom", "control/databytes"}},
	[WALK_SEND] = {"qmails",
		       "qmail-send",
		       NULL,
		       {"control/queuelifetime", "control/concurrencylocal",
			"control/concurrencyremote", "control/bouncefrom",
			"control/bouncehost", "control/doublebouncehost",
			"control/doublebounceto", "control/locals",
			"control/percenthack", "control/virtualdomains"}},
	[WALK_REMOTE] = {"qmailr",
			 "qmail-remote",
			 "control/helohost",
			 {"control/timeoutremote", "control/timeoutconnect"}},
};

/* Of a link, the file that it leads to; qmail follows those. A pipe that nobody
 * writes to, and /dev/null, have nothing in them. */
static int read_path(const char *path, struct replace_text *ret_text)
{
	char real[PATH_MAX];
	struct stat st;
	int rc = realpath(path, real) ? replace_read(AT_FDCWD, real, ret_text)
				      : errno;

	if (rc != EINVAL || stat(real, &st) != 0 ||
	    !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		return rc;
	*ret_text = (struct replace_text){.bytes = calloc(1, 1),
					  .mode = st.st_mode,
					  .uid = st.st_uid,
					  .gid = st.st_gid};
	return ret_text->bytes ? 0 : ENOMEM;
}

int walk_read(struct walk *walk, const char *name,
	      struct replace_text *ret_text)
{
	int rc;

	(void)snprintf(walk->path, sizeof walk->path, "%s/%s",
		       walk->site->config.qmail, name);
	rc = read_path(walk->path, ret_text);
	if (rc == ENOENT)
		*ret_text = (struct replace_text){0};
	return rc == ENOENT ? 0 : rc;
}

/* May the program's user not read it? Where there is none of its name, every
 * group but root's may be his. */
static bool is_closed(const struct replace_text *text, const char *user)
{
	const struct passwd *pw = getpwnam(user);

	if (pw && pw->pw_uid == text->uid)
		return !(text->mode & S_IRUSR);
	if (pw && pw->pw_gid == text->gid)
		return !(text->mode & S_IRGRP);
	return !(text->mode & S_IROTH) &&
	       (pw || (text->uid == 0 &&
		       !((text->mode & S_IRGRP) && text->gid != 0)));
}

static bool defer_closed(struct walk *walk)
{
	char why[100];

	(void)snprintf(why, sizeof why,
		       "cannot be read by %s, the user of %s (chmod a+r)",
		       program[walk->program].user,
		       program[walk->program].name);
	return walk_defer(walk, "file", why);
}

bool walk_load(struct walk *walk, const char *name,
	       struct replace_text *ret_text)
{
	int rc = walk_read(walk, name, ret_text);

	if (rc == 0 && ret_text->bytes && geteuid() == 0 &&
	    is_closed(ret_text, program[walk->program].user)) {
		replace_free(ret_text);
		return defer_closed(walk);
	}
	return rc == 0 || walk_unread(walk, "file", rc);
}

bool walk_closed(struct walk *walk, const char *name)
{
	struct stat st;

	(void)snprintf(walk->path, sizeof walk->path, "%s/%s",
		       walk->site->config.qmail, name);
	if (geteuid() != 0 || stat(walk->path, &st) != 0 ||
	    !is_closed(&(struct replace_text){.mode = st.st_mode,
					      .uid = st.st_uid,
					      .gid = st.st_gid},
		       program[walk->program].user))
		return false;
	return !defer_closed(walk);
}

void walk_concurrency(struct walk *walk, const char *name)
{
	struct replace_text text = {0};
	size_t digits, zeros;

	if (!walk_load(walk, name, &text) || !text.bytes) {
		replace_free(&text);
		return;
	}
	digits = strspn(text.bytes, "0123456789");
	zeros = strspn(text.bytes, "0");
	replace_free(&text);
	if (digits && zeros == digits)
		(void)walk_defer(walk, "waits",
				 "is 0: qmail-send starts no delivery (remove "
				 "it, then restart qmail-send)");
}

/* Can it be read? ret_is: is it there? */
static bool look(struct walk *walk, const char *name, bool *ret_is)
{
	struct replace_text text = {0};
	const bool good = walk_load(walk, name, &text);

	*ret_is = text.bytes != NULL;
	replace_free(&text);
	return good;
}

bool walk_starts(struct walk *walk, enum walk_program which)
{
	const char *instead = program[which].instead;
	bool is, named;

	walk->program = which;
	if (!look(walk, "control/me", &named) ||
	    (instead && !look(walk, instead, &is)))
		return false;
	if (instead && !named && !is) {
		walk_step(walk, false, "control",
			  "control/me and %s are missing: %s goes no further "
			  "(put the name of this host into control/me)",
			  instead, program[which].name);
		walk->verdict = EXPLAIN_DEFERRED;
		return false;
	}
	for (size_t i = 0; program[which].file[i]; i++) {
		if (!look(walk, program[which].file[i], &is))
			return false;
	}
	return true;
}
