/* SPDX-License-Identifier: MIT */
/* source_qmail.c: a site that was laid out by hand as popbox lays one out: the
 * boxes below POP, the .qmail files below DOMAINS, for each line of users/assign
 * that leads there. Everything below the mail root is looked at by popusr.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replace.h"
#include "base/say.h"
#include "fmt_dotqmail.h"
#include "qmail/route.h"
#include "source.h"
#include "store/path.h"

struct site_read {
	const struct source_how *how;
	source_sink *sink;
	void *arg;
	struct import_account account;
	struct name_handle handle; /* of the domain that is being read */
	struct name_domain domain;
	struct name_handle *seen; /* handles whose boxes were read */
	size_t count, room;
	bool enough;
	int code;
};

static const char *home(const struct site_read *r)
{
	return r->how->site->config.home;
}

static void give(struct site_read *r, const char *file, unsigned long line,
		 const char *why, const char *left)
{
	const struct source_row row = {.file = file,
				       .line = line,
				       .why = why,
				       .left = left,
				       .account = &r->account};

	r->account.line = line;
	if (!r->sink(r->arg, &row))
		r->enough = true;
}

static void fail(struct site_read *r, const char *path, int rc)
{
	r->code = say_error(CODE_LATER,
			    "cannot access '%s': %s%s", path, strerror(rc),
			    rc == EACCES ? " (it shall belong to popusr: "
					   "'chown -R -h' it first)"
					 : "");
}

/* Calls each with every name in a directory, as popusr sees it. */
static void walk(struct site_read *r, const char *path,
		 void (*each)(struct site_read *r, const char *path,
			      const char *name))
{
	char text[MAILROOT_QMAIL_MAX];
	size_t skip = 0, len = 1;

	while (len && !r->enough && r->code == CODE_DONE) {
		int rc = asuser_names(r->how->site->asuser, path, skip, text,
				      &len);

		if (rc == ENOENT)
			return;
		if (rc != 0) {
			fail(r, path, rc);
			return;
		}
		for (size_t at = 0; at < len && !r->enough; skip++) {
			each(r, path, text + at);
			at += strnlen(text + at, len - at) + 1;
		}
	}
}

/* What has no cur is none. */
static bool is_maildir(const struct site_read *r, const char *path)
{
	char cur[PATH_MAX], text[MAILROOT_QMAIL_MAX];
	struct mailroot_look look;
	int made = snprintf(cur, sizeof cur, "%s/cur", path);
	size_t len;

	return made > 0 && made < PATH_MAX &&
	       asuser_look(r->how->site->asuser, cur, &look, text, &len) == 0 &&
	       S_ISDIR(look.mode);
}

static void give_box(struct site_read *r, const char *path, const char *name)
{
	char file[PATH_MAX];
	const char *left = NULL;

	if (name[0] == '.')
		return;
	import_account_wipe(&r->account);
	(void)snprintf(file, sizeof file, "%s/%s", path, name); /* for people */
	if (import_account_box(&r->account, name) ||
	    strcmp(r->account.box.handle.s, r->handle.s) != 0)
		left = "its name is none of a box of this handle";
	if (!left && !is_maildir(r, file))
		left = "it is no Maildir";
	r->account.has_handle = true;
	r->account.handle = r->handle;
	r->account.secret = IMPORT_ACCOUNT_KEEP;
	give(r, file, 0, NULL, left);
}

/* HOME/e/ex1/POP/ex1-0001/ */
static bool is_box(const struct site_read *r, const char *path,
		   struct name_box *ret_box)
{
	char wanted[PATH_MAX];
	size_t len = strlen(path) - 1; /* less its slash */
	const char *name = path + len;

	while (name > path && name[-1] != '/')
		name--;
	if (name_box_read(name, (size_t)(path + len - name), ret_box))
		return false;
	path_box(home(r), ret_box, wanted);
	return strlen(wanted) == len && memcmp(wanted, path, len) == 0;
}

static const char *judge_targets(struct site_read *r,
				 const struct fmt_dotqmail *row)
{
	if (row->foreign)
		return "unmanaged, and kept as it is";
	if (row->held)
		return "on hold by a blank line, and kept as it is";
	if (row->boxes > 1)
		return "it leads to several boxes, and is kept as it is (give "
		       "each an address, and forward to those)";
	if (row->boxes && !is_box(r, row->box[0], &r->account.box))
		return "it leads to a Maildir that is no box here, and is kept "
		       "as it is";
	r->account.has_box = row->boxes > 0;
	return r->account.has_box || r->account.has_forwards
		       ? NULL
		       : "it leads nowhere";
}

static void give_address(struct site_read *r, const char *path,
			 const char *name)
{
	char file[PATH_MAX], text[MAILROOT_QMAIL_MAX];
	const char *why = NULL, *left = NULL;
	struct mailroot_look look;
	struct fmt_dotqmail row;
	size_t len = 0;
	int rc;

	if (strncmp(name, ".qmail", 6) != 0)
		return;
	import_account_wipe(&r->account);
	if (snprintf(file, sizeof file, "%s/%s", path, name) >= PATH_MAX ||
	    !fmt_dotqmail_name(name, &r->account.address.local)) {
		give(r, file, 0, NULL, fmt_dotqmail_no_name(name));
		return;
	}
	r->account.address.domain = r->domain;
	r->account.has_address = r->account.has_handle = true;
	r->account.handle = r->handle;
	rc = asuser_look(r->how->site->asuser, file, &look, text, &len);
	if (rc == 0)
		rc = look.unread;
	if (rc != 0)
		why = strerror(rc);
	else if (!S_ISREG(look.mode))
		left = "it is no regular file";
	else if (look.size > (int64_t)len)
		why = "it is too long";
	else
		why = fmt_dotqmail(text, len, &r->account, &row);
	if (!why && !left)
		left = judge_targets(r, &row);
	if (r->account.has_box)
		r->account.secret = IMPORT_ACCOUNT_KEEP;
	give(r, file, 0, why, left);
}

/* Once for each handle. False: no memory. */
static bool is_new(struct site_read *r)
{
	for (size_t i = 0; i < r->count; i++) {
		if (strcmp(r->seen[i].s, r->handle.s) == 0)
			return false;
	}
	if (r->count == r->room) {
		size_t room = r->room ? r->room * 2 : 64;
		struct name_handle *more =
			reallocarray(r->seen, room, sizeof *more);

		if (!more) {
			r->code = say_error(CODE_LATER, "no memory");
			return false;
		}
		r->seen = more;
		r->room = room;
	}
	r->seen[r->count++] = r->handle;
	return true;
}

static void read_boxes(struct site_read *r)
{
	struct name_box box = {r->handle, 0};
	char path[PATH_MAX];

	if (!is_new(r))
		return;
	path_box(home(r), &box, path);
	*strrchr(path, '/') = 0;
	walk(r, path, give_box);
}

/* HOME/e/ex1/DOMAINS/example.com, for +example.com- alone. */
static const char *judge_home(struct site_read *r, const char *key,
			      const struct route_user *user)
{
	const char *dir = user->field[ROUTE_HOME], *name;
	char wanted[PATH_MAX];
	size_t len = strlen(key);
	const size_t skip = strlen(home(r));

	if (key[0] != '+' || len < 3 || key[len - 1] != '-' ||
	    name_domain_read(key + 1, len - 2, &r->domain))
		return "it is not about a domain, and is kept as it is";
	if (strncmp(dir, home(r), skip) != 0 || dir[skip] != '/' ||
	    strlen(dir) < skip + 4)
		return "it leads to a place outside of the mail root, and is "
		       "kept as it is";
	name = dir + skip + 3;
	wanted[0] = 0;
	if (!name_handle_read(name, strcspn(name, "/"), &r->handle))
		path_domain(home(r), &r->handle, &r->domain, wanted);
	return strcmp(wanted, dir) == 0
		       ? NULL
		       : "its directory is not where popbox would have it, and "
			 "it is kept as it is";
}

static void read_line(struct site_read *r, const char *file,
		      unsigned long number, const char *line, size_t len)
{
	static struct route_user user; /* 24 KiB */
	const char *colon = memchr(line, ':', len), *left;
	char key[NAME_DOMAIN_MAX + 8], path[PATH_MAX];
	size_t key_len = colon ? (size_t)(colon - line) : len;

	import_account_wipe(&r->account);
	if (!colon || key_len >= sizeof key ||
	    !route_fields(colon + 1, len - key_len - 1, ':', &user)) {
		give(r, file, number, NULL, "it is no assignment");
		return;
	}
	memcpy(key, line, key_len);
	key[key_len] = 0;
	left = judge_home(r, key, &user);
	if (left) {
		give(r, file, number, NULL, left);
		return;
	}
	read_boxes(r);
	path_domain(home(r), &r->handle, &r->domain, path);
	walk(r, path, give_address);
}

static void read_assign(struct site_read *r, const char *file,
			const struct replace_text *text)
{
	const char *at = text->bytes, *end = at + text->len;
	unsigned long number = 0;

	while (at < end && *at != '.' && !r->enough && r->code == CODE_DONE) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		read_line(r, file, ++number, at, (size_t)(stop - at));
		at = newline ? newline + 1 : end;
	}
}

int source_qmail(const struct source_how *how, source_sink *sink, void *arg)
{
	struct site_read *r = calloc(1, sizeof *r);
	struct replace_text text = {0};
	char file[PATH_MAX];
	int dir, rc, code;

	if (!r)
		return say_error(CODE_LATER, "no memory");
	*r = (struct site_read){.how = how, .sink = sink, .arg = arg};
	(void)snprintf(file, sizeof file, "%s/users/assign", how->path);
	dir = open(how->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dir < 0 ? errno : replace_read(dir, "users/assign", &text);
	if (dir >= 0)
		(void)close(dir); /* a directory, read only */
	if (rc != 0)
		code = say_error(CODE_REFUSED,
				 "cannot read '%s': %s (the format qmail takes "
				 "qmail's own directory, /var/qmail)",
				 file, strerror(rc));
	else {
		read_assign(r, file, &text);
		code = r->code;
	}
	replace_free(&text);
	free(r->seen);
	free(r);
	return code;
}
