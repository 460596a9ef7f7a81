/* SPDX-License-Identifier: MIT */
#include "mailroot_audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/replace.h"
#include "base/resource_error.h"
#include "mailroot_private.h"
#include "maildir/usage.h"
#include "maildir/vacation_file.h"
#include "store/path.h"

__attribute__((format(printf, 4, 5))) static void
found(struct mailroot_report *report, const char *check, const char *mends,
      const char *format, ...)
{
	static const char more[] = "more\0\0there are more findings here";
	char what[PATH_MAX + 256];
	const char *words[] = {check, mends, what};
	size_t need = 0;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof what, format, args); /* cut is enough */
	va_end(args);
	for (size_t i = 0; i < 3; i++)
		need += strlen(words[i]) + 1;
	if (report->full)
		return;
	if (report->len + need + sizeof more > sizeof report->text) {
		memcpy(report->text + report->len, more, sizeof more);
		report->len += sizeof more;
		report->full = true;
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(words[i]) + 1;

		memcpy(report->text + report->len, words[i], len);
		report->len += len;
	}
}

/* Mode bits that there must not be; taken away with fix. */
static void judge_mode(int dir, const char *name, const char *path,
		       const struct stat *st, mode_t forbidden,
		       const char *check, const char *what,
		       struct mailroot_audit how,
		       struct mailroot_report *report)
{
	if (!(st->st_mode & forbidden))
		return;
	found(report, check, "fix", "%s%s%s has mode %04o: %s", path,
	      name[0] ? "/" : "", name, st->st_mode & 07777, what);
	if (!how.fix)
		return;
	if ((name[0] ? fchmodat(dir, name, st->st_mode & 07777 & ~forbidden, 0)
		     : fchmod(dir, st->st_mode & 07777 & ~forbidden)) != 0)
		found(report, check, "", "%s%s%s keeps its mode: %s", path,
		      name[0] ? "/" : "", name, strerror(errno));
}

/* Mode bits that popusr needs of what is his; given with fix. path is a whole
 * one, dir and name say where it is. */
static void judge_rights(int dir, const char *name, const char *path,
			 struct stat *st, mode_t needed,
			 struct mailroot_audit how,
			 struct mailroot_report *report)
{
	const mode_t mode = st->st_mode & 07777;

	if (st->st_uid != how.uid || (mode & needed) == needed)
		return;
	found(report, "rights", "fix",
	      "%s has mode %04o: popusr cannot use it, and mail waits", path,
	      mode);
	if (!how.fix)
		return;
	if (fchmodat(dir, name, mode | needed, 0) == 0)
		st->st_mode |= needed;
	else
		found(report, "rights", "", "%s keeps its mode: %s", path,
		      strerror(errno));
}

static void judge_owner(const char *path, const char *name,
			const struct stat *st, struct mailroot_audit how,
			struct mailroot_report *report)
{
	const char *slash = name[0] ? "/" : "";

	if (st->st_uid != how.uid)
		found(report, "owner", "",
		      "%s%s%s belongs to uid %u, not to popusr ('chown -h "
		      "%u:%u %s%s%s')",
		      path, slash, name, st->st_uid, how.uid, getegid(), path,
		      slash, name);
}

/* Why a directory cannot be opened. */
static void judge_closed(const char *path, const char *check,
			 const struct stat *st, struct mailroot_audit how,
			 struct mailroot_report *report)
{
	if (errno == ENOENT)
		found(report, check, "sync", "%s is missing", path);
	else if (resource_error(errno))
		report->unsure = errno;
	else if (errno != EACCES || st->st_uid != how.uid) /* else it is said */
		found(report, check, "", "%s cannot be used: %s", path,
		      errno == ENOTDIR || errno == ELOOP
			      ? "it is no directory"
			      : strerror(errno));
}

/* Opens a directory, or says what is wrong with it. */
static int open_dir(const char *path, const char *check,
		    struct mailroot_audit how, struct mailroot_report *report)
{
	struct stat st = {.st_uid = (uid_t)-1};
	int fd;

	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
		judge_rights(AT_FDCWD, path, path, &st, 0700, how, report);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		judge_closed(path, check, &st, how, report);
	} else if (fstat(fd, &st) == 0) {
		judge_owner(path, "", &st, how, report);
		judge_mode(fd, "", path, &st, S_IWGRP | S_IWOTH, "writable",
			   "others may write to it", how, report);
		judge_mode(fd, "", path, &st, S_ISVTX, "sticky",
			   "qmail-local takes the sticky bit for 'being "
			   "changed' and defers",
			   how, report);
	}
	return fd;
}

/* Is something in it? One that cannot be read may be empty. */
static bool is_filled(int dir, const char *part)
{
	int fd = openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
					   O_CLOEXEC | O_NONBLOCK);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	int rc = 0;
	bool filled = listing && !dir_is_empty(listing, &rc) && rc == 0;

	if (listing)
		(void)closedir(listing); /* read only */
	else if (fd >= 0)
		(void)close(fd); /* read only */
	return filled;
}

/* Another user's directory in popusr's: one that is empty can be replaced. */
static void judge_part_owner(int fd, const char *path, const char *part,
			     const struct stat *st, struct mailroot_audit how,
			     struct mailroot_report *report)
{
	if (st->st_uid == how.uid)
		return;
	if (is_filled(fd, part)) {
		found(report, "owner", "",
		      "%s/%s belongs to uid %u, not to popusr: mail cannot be "
		      "written to it ('chown -Rh %u:%u %s/%s')",
		      path, part, st->st_uid, how.uid, getegid(), path, part);
		return;
	}
	found(report, "owner", "fix",
	      "%s/%s belongs to uid %u, not to popusr; only an empty one can be "
	      "replaced ('chown -Rh %u:%u %s/%s')",
	      path, part, st->st_uid, how.uid, getegid(), path, part);
	if (how.fix && unlinkat(fd, part, AT_REMOVEDIR) == 0 &&
	    mkdirat(fd, part, 0700) != 0)
		found(report, "owner", "", "%s/%s cannot be made: %s", path,
		      part, strerror(errno));
}

static void judge_part(int fd, const char *path, const char *part,
		       struct mailroot_audit how,
		       struct mailroot_report *report)
{
	char whole[PATH_MAX + 8];
	struct stat st;

	(void)snprintf(whole, sizeof whole, "%s/%s", path, part);
	if (fstatat(fd, part, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		found(report, "maildir", errno == ENOENT ? "sync" : "",
		      "%s %s", whole,
		      errno == ENOENT ? "is missing" : strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		found(report, "maildir", "", "%s is no directory", whole);
		judge_owner(path, part, &st, how, report);
		return;
	}
	judge_part_owner(fd, path, part, &st, how, report);
	judge_rights(fd, part, whole, &st, 0700, how, report);
	judge_mode(fd, part, path, &st, 077, "private",
		   "others may look at the mail", how, report);
}

static void judge_maildir(int fd, const char *path, struct mailroot_audit how,
			  struct mailroot_report *report)
{
	static const char *const parts[] = {"cur", "new", "tmp"};

	for (size_t i = 0; i < 3; i++)
		judge_part(fd, path, parts[i], how, report);
}

/* The file maildirsize, which others may have damaged; publishing writes it anew.
 * One that is too long waits for the next delivery. */
static void judge_quota(int dir, const char *path, const char *limit,
			struct mailroot_report *report)
{
	char text[MAILDIRSIZE_LINE];
	struct usage usage;
	int rc = usage_open(dir, &usage);

	if (rc != 0) {
		report->unsure = rc;
		return;
	}
	usage_close(&usage);
	maildirsize_limit_text(&usage.limit, text);
	if (strcmp(text, limit) != 0)
		found(report, "quota", "sync",
		      text[0] ? "%s/%s has the limit %s, not %s"
			      : "%s/%s is missing or damaged%.0s: the limit is "
				"%s",
		      path, USAGE_FILE, text, limit);
}

/* The file of a vacation reply likewise. */
static void judge_reply(int dir, const char *path, const char *text, size_t len,
			struct mailroot_report *report)
{
	struct replace_text now;
	const int rc = replace_read_up_to(dir, VACATION_FILE, VACATION_FILE_MAX,
					  &now);

	if (resource_error(rc)) {
		report->unsure = rc;
		return;
	}
	if (rc != 0 || now.len != len || memcmp(now.bytes, text, len) != 0)
		found(report, "vacation", "sync", "%s/%s %s", path,
		      VACATION_FILE,
		      rc == 0 || rc == EFBIG
			      ? "says something else than the store"
			      : rc == ENOENT ? "is missing"
					     : "cannot be read");
	if (rc == 0)
		replace_free(&now);
}

void mailroot_audit_box(const char *home, const struct name_box *box,
			const char *limit, const char *text, size_t len,
			struct mailroot_audit how,
			struct mailroot_report *report)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	path_box(home, box, path);
	fd = open_dir(path, "maildir", how, report);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		judge_mode(fd, "", path, &st, 077, "private",
			   "others may look at the mail", how, report);
	judge_maildir(fd, path, how, report);
	if (limit[0])
		judge_quota(fd, path, limit, report);
	if (len)
		judge_reply(fd, path, text, len, report);
	(void)close(fd); /* a directory, read only */
}

static bool is_temporary(const char *name)
{
	return strncmp(name, MAILROOT_TEMPORARY_PREFIX,
		       strlen(MAILROOT_TEMPORARY_PREFIX)) == 0;
}

/* Does qmail-local ever look for a file of this name? */
static bool is_read(const char *name)
{
	for (const char *c = name + 7; *c; c++) {
		if (*c == '.' || (*c >= 'A' && *c <= 'Z'))
			return false;
	}
	return strlen(name) <= 248;
}

static void judge_content(int fd, const char *path, const char *name,
			  struct mailroot_report *report)
{
	struct replace_text text;
	int rc = replace_read_up_to(fd, name, MAILROOT_QMAIL_MAX, &text);

	if (resource_error(rc)) {
		report->unsure = rc;
		return;
	}
	if (rc == EFBIG) {
		found(report, "large", "",
		      "%s/%s is larger than %d bytes, which is none of "
		      "popbox's", path, name, MAILROOT_QMAIL_MAX);
		return;
	}
	if (rc != 0) {
		found(report, "unreadable", "", "%s/%s cannot be read", path,
		      name);
		return;
	}
	if (text.len == 0)
		found(report, "empty", "sync",
		      "%s/%s is empty: its mail goes where qmail-start says",
		      path, name);
	else if (memchr(text.bytes, '\r', text.len))
		found(report, "crlf", "sync",
		      "%s/%s has carriage returns, which are part of the names "
		      "in it",
		      path, name);
	replace_free(&text);
}

static void judge_file(int fd, const char *path, const char *name,
		       struct mailroot_audit how,
		       struct mailroot_report *report)
{
	const size_t len = strlen(name);
	char whole[PATH_MAX + NAME_MAX + 2];
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return; /* gone meanwhile */
	if (is_temporary(name)) {
		found(report, "temporary", "fix", "%s/%s was left by a killed "
						  "run", path, name);
		if (how.fix)
			(void)unlinkat(fd, name, 0); /* found again if not */
		return;
	}
	if (len > 8 && strcmp(name + len - 8, ".by-hand") == 0)
		return; /* a copy that `--adopt` keeps */
	if (!is_read(name))
		found(report, "unread", "",
		      "%s/%s is never read by qmail-local (lower-case letters, "
		      "a colon for a dot)",
		      path, name);
	if (!S_ISREG(st.st_mode)) {
		found(report, "irregular", "", "%s/%s is no regular file", path,
		      name);
		return;
	}
	judge_owner(path, name, &st, how, report);
	(void)snprintf(whole, sizeof whole, "%s/%s", path, name);
	judge_rights(fd, name, whole, &st, S_IRUSR, how, report);
	judge_mode(fd, name, path, &st, S_IWGRP | S_IWOTH, "writable",
		   "others may write to it", how, report);
	if (st.st_uid != how.uid || (st.st_mode & S_IRUSR))
		judge_content(fd, path, name, report);
}

void mailroot_audit_domain(const char *home, const struct name_handle *handle,
			   const struct name_domain *domain,
			   struct mailroot_audit how,
			   struct mailroot_report *report)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *list;
	int fd, rc = 0;

	path_domain(home, handle, domain, path);
	fd = open_dir(path, "directory", how, report);
	list = fd >= 0 ? fdopendir(fd) : NULL;
	if (fd >= 0 && !list)
		rc = errno;
	while (list && (entry = dir_next(list, &rc)) != NULL) {
		if (strncmp(entry->d_name, ".qmail-", 7) == 0 ||
		    is_temporary(entry->d_name))
			judge_file(fd, path, entry->d_name, how, report);
	}
	if (rc)
		report->unsure = rc;
	if (list)
		(void)closedir(list); /* read only */
	else if (fd >= 0)
		(void)close(fd); /* read only */
}

static void compare(int dir, const char *path, const char *name,
		    const char *text, size_t len, mode_t mode,
		    struct mailroot_report *report)
{
	struct replace_text now;
	int rc = replace_read_up_to(dir, name, MAILROOT_QMAIL_MAX, &now);

	if (rc == ENOENT) {
		found(report, "file", "sync", "%s/%s is missing", path, name);
		return;
	}
	if (rc == EINVAL)
		found(report, "file", "sync",
		      "%s/%s is no regular file, as that of the address should "
		      "be",
		      path, name);
	if (rc == EFBIG)
		found(report, "file", "sync",
		      "%s/%s says something else than the store", path, name);
	if (resource_error(rc))
		report->unsure = rc;
	if (rc != 0)
		return; /* said by judge_file */
	if (now.len != len || memcmp(now.bytes, text, len) != 0)
		found(report, "file", "sync",
		      "%s/%s says something else than the store", path, name);
	else if ((now.mode & 07777 & ~(mode_t)022) != mode)
		found(report, "mode", "sync", "%s/%s has mode %04o, not %04o",
		      path, name, now.mode & 07777, mode);
	replace_free(&now);
}

void mailroot_audit_qmail(const char *home, const struct name_handle *handle,
			  const struct name_address *address, const char *text,
			  size_t len, mode_t mode, struct mailroot_audit how,
			  struct mailroot_report *report)
{
	char path[PATH_MAX], name[MAILROOT_QMAIL_NAME];
	int fd;

	(void)how;
	mailroot_qmail_name(&address->local, name);
	path_domain(home, handle, &address->domain, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		if (resource_error(errno))
			report->unsure = errno;
		return; /* said by mailroot_audit_domain */
	}
	compare(fd, path, name, text, len, mode, report);
	(void)close(fd); /* a directory, read only */
}

void mailroot_audit_dialup(const char *serialmail,
			   const struct name_domain *domain,
			   const struct mailroot_dialup *files,
			   struct mailroot_audit how,
			   struct mailroot_report *report)
{
	char path[PATH_MAX], maildir[PATH_MAX];
	int fd, below;

	path_dialup(serialmail, domain, path);
	if (snprintf(maildir, sizeof maildir, "%s/Maildir", path) >=
	    (int)sizeof maildir)
		return;
	fd = open_dir(path, "directory", how, report);
	if (fd < 0)
		return;
	compare(fd, path, "RELAYHOST", files->relayhost,
		strlen(files->relayhost), 0644, report);
	compare(fd, path, ".qmail-default", files->qmail, strlen(files->qmail),
		0644, report);
	below = open_dir(maildir, "maildir", how, report);
	if (below >= 0) {
		judge_maildir(below, maildir, how, report);
		(void)close(below); /* a directory, read only */
	}
	(void)close(fd); /* the same */
}

void mailroot_audit_root(const char *path, struct mailroot_audit how,
			 struct mailroot_report *report)
{
	int fd = open_dir(path, "root", how, report);

	if (fd >= 0)
		(void)close(fd); /* a directory, read only */
}

int mailroot_names(const char *path, size_t skip,
		   char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len)
{
	const struct dirent *entry;
	DIR *list = opendir(path);
	size_t len = 0, number = 0;
	int rc = 0;

	*ret_len = 0;
	if (!list)
		return errno;
	while (len + NAME_MAX + 1 <= MAILROOT_QMAIL_MAX &&
	       (entry = dir_next(list, &rc)) != NULL) {
		size_t size = strlen(entry->d_name) + 1;

		if (number++ < skip)
			continue;
		memcpy(ret_text + len, entry->d_name, size);
		len += size;
	}
	(void)closedir(list); /* read only */
	*ret_len = len;
	return rc;
}
