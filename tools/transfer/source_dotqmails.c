/* SPDX-License-Identifier: MIT */
#include "source_dotqmails.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/safe_open.h"
#include "base/say.h"
#include "fmt_dotqmail.h"
#include "popusr/mailroot.h"

/* One file, as it is read. */
struct reading {
	const struct source_dotqmails *files;
	const char *path;
	struct import_account *account;
	char own[NAME_ADDRESS_TEXT]; /* the address it is for */
	size_t lines;		     /* neither blank nor comments */
	bool box;		     /* into the user's own box */
	bool agent;		     /* the same, by the delivery program */
	bool programs;		     /* something that popbox does not do */
	enum fmt_vpopmail_where where;
	char target[PATH_MAX]; /* of the delivery program */
};

bool source_dotqmails_read(const char *top, const char *path,
			   char text[MAILROOT_QMAIL_MAX], size_t *ret_len)
{
	int fd = safe_open_below(top, path, 0);
	struct stat st;
	ssize_t got = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size < MAILROOT_QMAIL_MAX)
		got = read(fd, text, MAILROOT_QMAIL_MAX);
	else
		errno = EFBIG;
	(void)close(fd); /* read only */
	*ret_len = got > 0 ? (size_t)got : 0;
	return got >= 0;
}

/* A recipient without a domain, or with an empty one, is on this host. */
static const char *take_forward(struct reading *r, const char *text)
{
	const struct oldroutes *old = r->files->how->old;
	const char *at = strrchr(text, '@');
	const char *host = at ? old->me : old->nohost;
	char whole[NAME_ADDRESS_TEXT];
	int made;

	if (at && at[1])
		return import_account_forward(r->account, text);
	if (!host[0])
		return "a forward has no domain, and qmail's files do not say "
		       "this host's name";
	made = snprintf(whole, sizeof whole, "%s%s%s", text, at ? "" : "@",
			host);
	if (made < 0 || (size_t)made >= sizeof whole)
		return "a forward is too long for an address";
	return import_account_forward(r->account, whole);
}

/* A path is relative to the directory that the file is in. */
static bool make_whole(const struct reading *r, const char *path,
		       char ret_path[PATH_MAX])
{
	const char *slash = strrchr(r->path, '/');
	int len;

	if (path[0] == '/') {
		len = snprintf(ret_path, PATH_MAX, "%s", path);
		return len < PATH_MAX;
	}
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	len = snprintf(ret_path, PATH_MAX, "%.*s/%s",
		       slash ? (int)(slash - r->path) : 0, r->path, path);
	return len > 0 && len < PATH_MAX;
}

/* A Maildir is its user's box, who is reached by his address. */
static const char *take_maildir(struct reading *r, const char *path)
{
	char address[NAME_ADDRESS_TEXT], whole[PATH_MAX];

	if (!make_whole(r, path, whole) ||
	    !r->files->site->owner(r->files->site->arg, whole, address)) {
		r->programs = true;
		import_account_note(r->account,
				    "%s delivers into '%s', which is no "
				    "user's",
				    r->path, path);
		return NULL;
	}
	if (strcasecmp(address, r->own) != 0)
		return import_account_forward(r->account, address);
	r->box = true;
	return NULL;
}

static const char *take_line(void *arg, enum fmt_dotqmail_kind kind,
			     const char *line)
{
	struct reading *r = arg;
	enum fmt_vpopmail_where where;

	r->lines++;
	switch (kind) {
	case FMT_DOTQMAIL_FORWARD:
		return take_forward(r, line);
	case FMT_DOTQMAIL_MAILDIR:
		return take_maildir(r, line);
	case FMT_DOTQMAIL_MBOX:
		r->programs = true;
		import_account_note(r->account,
				    "%s delivers into the mbox '%s'", r->path,
				    line);
		return NULL;
	case FMT_DOTQMAIL_PROGRAM:
		break;
	}
	where = r->files->site->agent(r->files->site->arg, line, r->target);
	if (where != FMT_VPOPMAIL_NONE) {
		r->agent = true;
		r->where = where;
		return NULL;
	}
	r->programs = true;
	import_account_note(r->account, "%s runs a program: %s", r->path, line);
	return NULL;
}

const char *source_dotqmails_merge(const struct source_dotqmails *files,
				   const char *path, const char *text,
				   size_t len, struct import_account *account,
				   bool *ret_on)
{
	struct reading r = {.files = files, .path = path, .account = account};
	const bool had_forwards = account->has_forwards;
	const char *why;
	bool held;

	name_address_text(&account->address, r.own);
	why = fmt_dotqmail_lines(text, len, take_line, &r, &held);
	*ret_on = r.agent;
	if (why)
		return why;
	if (held) {
		account->has_delivery = true;
		account->delivery = STORE_HOLD;
	} else if (!r.lines) {
		import_account_note(
			account,
			len ? "%s throws all mail away (it is a file of "
			      "comments); here the box takes it"
			    : "%s is empty; here the box takes the mail",
			path);
	} else if (!r.box && !r.agent && account->has_forwards &&
		   !had_forwards) {
		import_account_no_mail(
			account); /* forwards alone, without a copy */
	}
	return NULL;
}

static bool join(const char *dir, const char *name, char ret_path[PATH_MAX])
{
	int len = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);

	return len > 0 && len < PATH_MAX;
}

const char *source_dotqmails_merge_own(struct source_dotqmails *files,
				       struct import_account *account,
				       bool *ret_on)
{
	char name[MAILROOT_QMAIL_NAME], path[PATH_MAX];
	char text[MAILROOT_QMAIL_MAX];
	size_t number, len;

	mailroot_qmail_name(&account->address.local, name);
	*ret_on = !strtab_find(&files->files, name, &number);
	if (*ret_on)
		return NULL;
	files->taken[number] = true;
	if (!join(files->dir, name, path) ||
	    !source_dotqmails_read(files->top, path, text, &len))
		return strerror(errno);
	return source_dotqmails_merge(files, path, text, len, account, ret_on);
}

static int unreadable(const char *path)
{
	return say_error(CODE_LATER, "cannot read '%s': %s", path,
			 strerror(errno));
}

int source_dotqmails_list(struct source_dotqmails *files)
{
	int fd = safe_open_below(files->top, files->dir, O_DIRECTORY), rc = 0;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t number;

	if (!list) {
		if (fd >= 0)
			(void)close(fd); /* a directory, read only */
		return unreadable(files->dir);
	}
	while (!rc && (entry = dir_next(list, &rc)) != NULL) {
		if (strncmp(entry->d_name, ".qmail-", 7) == 0 &&
		    !strtab_add(&files->files, entry->d_name, &number))
			rc = ENOMEM;
	}
	(void)closedir(list); /* read only */
	errno = rc;
	if (rc)
		return unreadable(files->dir);
	files->taken = calloc(files->files.count + 1, sizeof *files->taken);
	return files->taken ? CODE_DONE : say_error(CODE_LATER, "no memory");
}

void source_dotqmails_free(struct source_dotqmails *files)
{
	strtab_free(&files->files);
	free(files->taken);
	free(files->raw.bytes); /* addresses alone */
	import_account_wipe(&files->account);
}

/* Mail for nobody in particular, as the delivery program has it. */
static const char *take_where(struct reading *r, const char **ret_left)
{
	char path[PATH_MAX];

	switch (r->where) {
	case FMT_VPOPMAIL_NONE:
	case FMT_VPOPMAIL_BOUNCE:
		*ret_left = "mail for unknown users is sent back";
		return NULL;
	case FMT_VPOPMAIL_DELETE:
		*ret_left = "mail for unknown users was thrown away (delete): "
			    "here it is sent back";
		return NULL;
	case FMT_VPOPMAIL_DIR:
		break;
	case FMT_VPOPMAIL_FORWARD:
		return take_forward(r, r->target + (r->target[0] == '&'));
	}
	if (!join(r->target, "Maildir/", path))
		return "the path is too long";
	return take_maildir(r, path);
}

/* The file of an address that is no user's. */
static const char *read_file(struct reading *r, const char *text, size_t len,
			     const char **ret_left)
{
	struct import_account *account = r->account;
	const bool all = strcmp(account->address.local.s, "*") == 0;
	bool held;
	const char *why = fmt_dotqmail_lines(text, len, take_line, r, &held);

	if (!why && r->agent)
		why = all ? take_where(r, ret_left) : NULL;
	if (why || account->has_forwards)
		*ret_left = NULL;
	if (why)
		return why;
	if (r->agent && r->lines > 1 && account->has_forwards)
		import_account_note(account,
				    "%s also leads to users, whose mail took "
				    "this way too",
				    r->path);
	if (held)
		*ret_left = "its mail is held (a blank first line)";
	else if (account->has_forwards || *ret_left)
		return NULL;
	else if (r->programs)
		*ret_left =
			"unmanaged: it runs a program, or delivers where "
			"popbox does not (copy the file into the new "
			"domain's directory if it is wanted)";
	else if (r->agent)
		*ret_left = "it leads to a user who is not there";
	else if (len)
		*ret_left = "its mail was thrown away (it is a file of "
			    "comments): here it is no address";
	else
		*ret_left = "it is empty: its mail went where qmail-start says";
	return NULL;
}

/* All lines, blanks between, for a row that somebody corrects. */
static bool rewrite(struct source_dotqmails *files, struct source_row *row,
		    const struct name_local *local, char *text, size_t len)
{
	const char *cell[SOURCE_CELLS] = {NULL};
	char address[NAME_ADDRESS_TEXT];

	(void)snprintf(address, sizeof address, "%s@%s", local->s,
		       files->domain);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' || text[i] == '&' || !text[i])
			text[i] = ' ';
	}
	text[len < MAILROOT_QMAIL_MAX ? len : MAILROOT_QMAIL_MAX - 1] = 0;
	cell[SOURCE_ADDRESS] = address;
	cell[SOURCE_FORWARD] = text;
	return source_rewrite(row, &files->raw, cell);
}

static bool give(struct source_dotqmails *files, const char *name,
		 source_sink *sink, void *arg)
{
	char path[PATH_MAX], text[MAILROOT_QMAIL_MAX];
	struct source_row row = {.file = path, .account = &files->account};
	struct reading r = {
		.files = files, .path = path, .account = &files->account};
	struct name_local local;
	size_t len = 0;

	import_account_wipe(&files->account);
	if (!join(files->dir, name, path))
		return sink(arg, &(struct source_row){.file = files->dir,
						      .why = "a path is too "
							     "long",
						      .account = row.account});
	if (!fmt_dotqmail_name(name, &local)) {
		row.left = fmt_dotqmail_no_name(name);
		return sink(arg, &row);
	}
	row.why = import_account_local(&files->account, local.s, files->domain);
	if (!row.why && !source_dotqmails_read(files->top, path, text, &len))
		row.why = strerror(errno);
	if (!row.why)
		row.why = read_file(&r, text, len, &row.left);
	if (files->how->copies && !rewrite(files, &row, &local, text, len))
		row.why = "no memory";
	return sink(arg, &row);
}

int source_dotqmails_rest(struct source_dotqmails *files, source_sink *sink,
			  void *arg, bool *ret_enough)
{
	bool enough = false;

	for (size_t i = 0; !enough && i < files->files.count; i++) {
		if (!files->taken[i])
			enough = !give(files, files->files.name[i], sink, arg);
	}
	*ret_enough = enough;
	return CODE_DONE;
}
