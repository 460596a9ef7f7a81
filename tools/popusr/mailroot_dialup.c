/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/replace.h"
#include "mailroot_private.h"
#include "store/path.h"

/* A small file of a dial-up directory; absent or longer: "". */
static int peek(int dir, const char *name, char *ret_text, size_t room)
{
	struct replace_text now;
	int rc = replace_read_up_to(dir, name, room - 1, &now);

	memset(ret_text, 0, room);
	if (rc == ENOENT || rc == EFBIG)
		return 0;
	if (rc != 0)
		return rc;
	memcpy(ret_text, now.bytes, now.len);
	replace_free(&now);
	return 0;
}

static int put_small(int dir, const char *name, const char *text)
{
	const struct replace_text like = {
		.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
	char temporary[MAILROOT_TEMPORARY];

	mailroot_temporary("", temporary);
	if (mailroot_is_same(dir, name, text, strlen(text), 0644))
		return fsync(dir) == 0 ? 0 : errno;
	return replace_file(dir, name, temporary, &like, text, strlen(text));
}

int mailroot_dialup(const char *serialmail, const struct name_domain *domain,
		    const struct mailroot_dialup *files,
		    char ret_path[PATH_MAX])
{
	int fd, maildir = -1, rc;

	path_dialup(serialmail, domain, ret_path);
	fd = open(serialmail, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	rc = mailroot_step(&fd, domain->s, 0755, true);
	if (rc == 0) {
		maildir = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		rc = maildir < 0
			     ? errno
			     : mailroot_step(&maildir, "Maildir", 0700, true);
	}
	if (rc == 0)
		rc = mailroot_maildir(maildir);
	if (rc == 0)
		rc = put_small(fd, "RELAYHOST", files->relayhost);
	if (rc == 0) /* last: with it mail comes in */
		rc = put_small(fd, ".qmail-default", files->qmail);
	if (maildir >= 0)
		(void)close(maildir); /* a directory, read only */
	(void)close(fd);	      /* the same */
	return rc;
}

int mailroot_dialup_peek(const char *serialmail,
			 const struct name_domain *domain,
			 struct mailroot_dialup *ret_files,
			 char ret_path[PATH_MAX])
{
	int fd, rc;

	path_dialup(serialmail, domain, ret_path);
	fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno;
	rc = peek(fd, "RELAYHOST", ret_files->relayhost,
		  sizeof ret_files->relayhost);
	if (rc == 0)
		rc = peek(fd, ".qmail-default", ret_files->qmail,
			  sizeof ret_files->qmail);
	(void)close(fd); /* a directory, read only */
	return rc;
}

/* 0 if there is no file in this directory, as in one that is not there;
 * ENOTEMPTY; or why nobody can tell. */
static int has_none(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	int rc = list || errno == ENOENT || errno == ENOTDIR ? 0 : errno;

	while (list && rc == 0 && (entry = dir_next(list, &rc)) != NULL) {
		if (entry->d_name[0] != '.')
			rc = ENOTEMPTY;
	}
	if (list)
		(void)closedir(list); /* read only */
	else if (fd >= 0)
		(void)close(fd); /* read only */
	return rc;
}

int mailroot_remove_dialup(const char *serialmail,
			   const struct name_domain *domain,
			   char ret_path[PATH_MAX])
{
	int fd, rc;

	path_dialup(serialmail, domain, ret_path);
	fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? mailroot_sync_parent(ret_path) : errno;
	(void)unlinkat(fd, ".qmail-default", 0); /* remove_tree tells */
	rc = has_none(fd, "Maildir/new");
	if (rc == 0)
		rc = has_none(fd, "Maildir/cur");
	(void)close(fd); /* a directory, read only */
	if (rc == 0)
		rc = mailroot_remove_tree(AT_FDCWD, ret_path);
	return rc == 0 ? mailroot_sync_parent(ret_path) : rc;
}
