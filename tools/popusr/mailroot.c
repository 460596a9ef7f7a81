/* SPDX-License-Identifier: MIT */
#include "mailroot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/replace.h"
#include "mailroot_private.h"
#include "store/path.h"

void mailroot_add_name(char path[PATH_MAX], const char *name)
{
	size_t len = strlen(path);

	(void)snprintf(path + len, PATH_MAX - len, "/%s", name);
}

void mailroot_qmail_name(const struct name_local *local,
			 char ret_name[MAILROOT_QMAIL_NAME])
{
	bool all = strcmp(local->s, "*") == 0;

	(void)snprintf(ret_name, MAILROOT_QMAIL_NAME, ".qmail-%.64s",
		       all ? "default" : local->s);
	/* qmail-local reads a dot as a colon. */
	for (char *c = ret_name + 1; *c; c++) {
		if (*c == '.')
			*c = ':';
	}
}

int mailroot_step(int *fd, const char *name, mode_t mode, bool last)
{
	int flags =
		O_RDONLY | O_DIRECTORY | O_CLOEXEC | (last ? O_NOFOLLOW : 0);
	int below;

	if (mkdirat(*fd, name, mode) != 0 && errno != EEXIST)
		return errno;
	if (fsync(*fd) != 0)
		return errno;
	below = openat(*fd, name, flags);
	if (below < 0)
		return errno;
	(void)close(*fd); /* a directory, read only */
	*fd = below;
	return 0;
}

static const struct {
	const char *name;
	mode_t mode; /* of it, and of what is below it */
} known[] = {
	[MAILROOT_POP] = {"POP", 0700},
	[MAILROOT_DOMAINS] = {"DOMAINS", 0755},
};

/* HOME/e/ex1, then one of POP and DOMAINS, making what is missing. */
static int descend(const char *home, const struct name_handle *handle,
		   enum mailroot_part part, int *ret_fd)
{
	const char letter[2] = {handle->s[0], 0};
	int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return errno;
	rc = mailroot_step(&fd, letter, 0755, false);
	if (rc == 0)
		rc = mailroot_step(&fd, handle->s, 0755, false);
	if (rc == 0)
		rc = mailroot_step(&fd, known[part].name, known[part].mode,
				   false);
	if (rc == 0)
		*ret_fd = fd;
	else
		(void)close(fd); /* a directory, read only */
	return rc;
}

int mailroot_part(const char *home, const struct name_handle *handle,
		  enum mailroot_part part, int *ret_fd)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%c/%s/%s", home, handle->s[0],
		       handle->s, known[part].name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Where nothing is below it, a run may have been killed on the way. File
	 * systems that do not count directories say 1 and go the long way. */
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink > 2) {
		*ret_fd = fd;
		return 0;
	}
	if (fd >= 0)
		(void)close(fd); /* a directory, read only */
	return descend(home, handle, part, ret_fd);
}

/* The last directory of a path, below one of the handle's parts. */
static int make_last(const char *home, const struct name_handle *handle,
		     enum mailroot_part part, const char *last, int *ret_fd)
{
	int fd, rc = mailroot_part(home, handle, part, &fd);

	if (rc != 0)
		return rc;
	rc = mailroot_step(&fd, last, known[part].mode, true);
	if (rc == 0)
		*ret_fd = fd;
	else
		(void)close(fd); /* a directory, read only */
	return rc;
}

int mailroot_maildir(int fd)
{
	static const char *const parts[] = {"tmp", "new", "cur"};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 3; i++) {
		if (mkdirat(fd, parts[i], 0700) != 0 && errno != EEXIST)
			rc = errno;
	}
	if (rc == 0 && fsync(fd) != 0)
		rc = errno;
	return rc;
}

int mailroot_box(const char *home, const struct name_box *box,
		 char ret_path[PATH_MAX])
{
	char text[NAME_BOX_TEXT];
	int fd, rc;

	path_box(home, box, ret_path);
	name_box_text(box, text);
	rc = make_last(home, &box->handle, MAILROOT_POP, text, &fd);
	if (rc != 0)
		return rc;
	rc = mailroot_maildir(fd);
	(void)close(fd); /* a directory, read only */
	return rc;
}

int mailroot_domain(const char *home, const struct name_handle *handle,
		    const struct name_domain *domain, char ret_path[PATH_MAX])
{
	int fd, rc;

	path_domain(home, handle, domain, ret_path);
	rc = make_last(home, handle, MAILROOT_DOMAINS, domain->s, &fd);
	if (rc == 0)
		(void)close(fd); /* a directory, read only */
	return rc;
}

int mailroot_open_domain(const char *home, const struct name_handle *handle,
			 const struct name_address *address, int *ret_fd,
			 char name[MAILROOT_QMAIL_NAME],
			 char ret_path[PATH_MAX])
{
	int fd, rc;

	mailroot_qmail_name(&address->local, name);
	path_domain(home, handle, &address->domain, ret_path);
	fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	rc = fd < 0 ? errno : 0;
	mailroot_add_name(ret_path, name);
	if (rc == 0)
		*ret_fd = fd;
	return rc;
}

static char sign[MAILROOT_SIGN]; /* "": one host writes here */

void mailroot_sign(const char *host)
{
	struct utsname name;
	uint32_t hash = 2166136261; /* FNV-1a */

	if (!host[0] && uname(&name) == 0)
		host = name.nodename;
	for (; *host; host++)
		hash = (hash ^ (unsigned char)*host) * 16777619u;
	(void)snprintf(sign, sizeof sign, ".%08x", hash); /* fits exactly */
}

void mailroot_temporary(const char *name, char ret_name[MAILROOT_TEMPORARY])
{
	(void)snprintf(ret_name, MAILROOT_TEMPORARY, "%s%s%.*s",
		       MAILROOT_TEMPORARY_PREFIX, sign, MAILROOT_QMAIL_NAME,
		       name);
}

bool mailroot_is_same(int dir, const char *name, const char *text, size_t len,
		      mode_t mode)
{
	struct replace_text now;
	bool same;

	if (replace_read_up_to(dir, name, len, &now) != 0)
		return false;
	same = now.len == len && memcmp(now.bytes, text, len) == 0 &&
	       (now.mode & 07777) == mode;
	replace_free(&now);
	return same;
}

int mailroot_qmail(const char *home, const struct name_handle *handle,
		   const struct name_address *address, const char *text,
		   size_t len, mode_t mode, char ret_path[PATH_MAX])
{
	char name[MAILROOT_QMAIL_NAME], temporary[MAILROOT_TEMPORARY];
	struct replace_text file = {
		.mode = mode, .uid = (uid_t)-1, .gid = (gid_t)-1};
	int dir = -1, rc;

	rc = mailroot_open_domain(home, handle, address, &dir, name, ret_path);
	if (rc != 0)
		return rc;
	mailroot_temporary(name, temporary);
	if (!mailroot_is_same(dir, name, text, len, mode)) {
		rc = replace_file(dir, name, temporary, &file, text, len);
	} else { /* perhaps of a killed run */
		(void)unlinkat(dir, temporary, 0);
		rc = fsync(dir) == 0 ? 0 : errno;
	}
	(void)close(dir); /* a directory, read only */
	return rc;
}

enum {
	ADOPTED = MAILROOT_QMAIL_NAME + sizeof ".-2147483648.by-hand",
	ADOPTED_MAX = 99
};

/* Links a file to the first name for copies that is free, or that is it already.
 * No copy is ever replaced: it may be all that is left of somebody's list. */
static int keep_copy(int dir, const char *name, char ret_kept[ADOPTED])
{
	struct stat is, kept;

	if (fstatat(dir, name, &is, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	(void)snprintf(ret_kept, ADOPTED, "%s.by-hand", name);
	for (int i = 2; linkat(dir, name, dir, ret_kept, 0) != 0; i++) {
		if (errno != EEXIST)
			return errno;
		if (fstatat(dir, ret_kept, &kept, AT_SYMLINK_NOFOLLOW) == 0 &&
		    kept.st_ino == is.st_ino)
			return 0;
		if (i > ADOPTED_MAX)
			return EEXIST;
		if (snprintf(ret_kept, ADOPTED, "%s.%d.by-hand", name, i) >=
		    ADOPTED)
			return ENAMETOOLONG;
	}
	return 0;
}

int mailroot_adopt(const char *home, const struct name_handle *handle,
		   const struct name_address *address, char ret_path[PATH_MAX])
{
	char name[MAILROOT_QMAIL_NAME], kept[ADOPTED];
	int dir = -1, rc;

	rc = mailroot_open_domain(home, handle, address, &dir, name, ret_path);
	if (rc != 0)
		return rc;
	rc = keep_copy(dir, name, kept);
	if (rc == 0 && fsync(dir) != 0)
		rc = errno;
	(void)close(dir); /* a directory, read only */
	if (rc == 0) {
		path_domain(home, handle, &address->domain, ret_path);
		mailroot_add_name(ret_path, kept);
	}
	return rc;
}

int mailroot_remove_qmail(const char *home, const struct name_handle *handle,
			  const struct name_address *address,
			  char ret_path[PATH_MAX])
{
	char name[MAILROOT_QMAIL_NAME], temporary[MAILROOT_TEMPORARY];
	int dir = -1, rc;

	rc = mailroot_open_domain(home, handle, address, &dir, name, ret_path);
	if (rc != 0)
		return rc == ENOENT ? 0 : rc;
	mailroot_temporary(name, temporary);
	(void)unlinkat(dir, temporary, 0); /* of a killed run */
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		rc = fsync(dir) == 0 ? 0 : errno;
	else
		rc = errno;
	(void)close(dir); /* a directory, read only */
	return rc;
}

int mailroot_sync_parent(const char *path)
{
	int rc = replace_sync_parent(path);

	return rc == ENOENT ? 0 : rc;
}

int mailroot_remove_domain(const char *home, const struct name_handle *handle,
			   const struct name_domain *domain,
			   char ret_path[PATH_MAX])
{
	path_domain(home, handle, domain, ret_path);
	if (rmdir(ret_path) == 0 || errno == ENOENT)
		return mailroot_sync_parent(ret_path);
	return errno == EEXIST ? ENOTEMPTY : errno;
}

int mailroot_remove_box(const char *home, const struct name_box *box,
			char ret_path[PATH_MAX])
{
	int rc;

	path_box(home, box, ret_path);
	rc = mailroot_remove_tree(AT_FDCWD, ret_path);
	return rc == 0 ? mailroot_sync_parent(ret_path) : rc;
}

static void regain(const char *path)
{
	struct stat st;

	/* What cannot be done here the next call answers. */
	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 0700) != 0700)
		(void)!fchmodat(AT_FDCWD, path, (st.st_mode & 07777) | 0700,
				AT_SYMLINK_NOFOLLOW);
}

void mailroot_regain(const char *home, const struct name_handle *handle,
		     const struct name_box *box,
		     const struct name_domain *domain)
{
	const char *const name = box ? known[MAILROOT_POP].name
				     : known[MAILROOT_DOMAINS].name;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%c", home, handle->s[0]);
	regain(path);
	mailroot_add_name(path, handle->s);
	regain(path);
	mailroot_add_name(path, name);
	regain(path);
	if (box)
		path_box(home, box, path);
	else
		path_domain(home, handle, domain, path);
	regain(path);
}
