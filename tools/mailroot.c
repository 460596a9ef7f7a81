#include "mailroot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailroot_private.h"
#include "replace.h"

static bool fits(int len, size_t room)
{
	return len >= 0 && (size_t)len < room;
}

bool mailroot_box_path(const char *home, const struct name_box *box,
		       char ret_path[PATH_MAX])
{
	char text[NAME_BOX_TEXT];

	name_box_text(box, text);
	return fits(snprintf(ret_path, PATH_MAX, "%s/%c/%s/POP/%s", home,
			     box->handle.s[0], box->handle.s, text),
		    PATH_MAX);
}

bool mailroot_domain_path(const char *home, const struct name_handle *handle,
			  const struct name_domain *domain,
			  char ret_path[PATH_MAX])
{
	return fits(snprintf(ret_path, PATH_MAX, "%s/%c/%s/DOMAINS/%s", home,
			     handle->s[0], handle->s, domain->s),
		    PATH_MAX);
}

bool mailroot_dialup_path(const char *serialmail,
			  const struct name_domain *domain,
			  char ret_path[PATH_MAX])
{
	return fits(snprintf(ret_path, PATH_MAX, "%s/%s", serialmail,
			     domain->s),
		    PATH_MAX);
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

/* Opens the directory name below *fd, which it takes the place of, making it
 * where it is missing. Intermediate directories may be symbolic links of the
 * administrator's, to another disk; the last one may not. Its name is on the
 * disk afterwards, also where a run made it that was killed before this. */
static int step(int *fd, const char *name, mode_t mode, bool last)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		    (last ? O_NOFOLLOW : 0);
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
	rc = step(&fd, letter, 0755, false);
	if (rc == 0)
		rc = step(&fd, handle->s, 0755, false);
	if (rc == 0)
		rc = step(&fd, known[part].name, known[part].mode, false);
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

	if (!fits(snprintf(path, sizeof path, "%s/%c/%s/%s", home,
			   handle->s[0], handle->s, known[part].name),
		  sizeof path))
		return ENAMETOOLONG;
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
	rc = step(&fd, last, known[part].mode, true);
	if (rc == 0)
		*ret_fd = fd;
	else
		(void)close(fd); /* a directory, read only */
	return rc;
}

/* cur, new and tmp below a directory. */
static int make_maildir(int fd)
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

	if (!mailroot_box_path(home, box, ret_path))
		return ENAMETOOLONG;
	name_box_text(box, text);
	rc = make_last(home, &box->handle, MAILROOT_POP, text, &fd);
	if (rc != 0)
		return rc;
	rc = make_maildir(fd);
	(void)close(fd); /* a directory, read only */
	return rc;
}

int mailroot_domain(const char *home, const struct name_handle *handle,
		    const struct name_domain *domain, char ret_path[PATH_MAX])
{
	int fd, rc;

	if (!mailroot_domain_path(home, handle, domain, ret_path))
		return ENAMETOOLONG;
	rc = make_last(home, handle, MAILROOT_DOMAINS, domain->s, &fd);
	if (rc == 0)
		(void)close(fd); /* a directory, read only */
	return rc;
}

int mailroot_open_domain(const char *home, const struct name_handle *handle,
		       const struct name_address *address, int *ret_fd,
		       char name[MAILROOT_QMAIL_NAME], char ret_path[PATH_MAX])
{
	char dir[PATH_MAX];
	int fd;

	mailroot_qmail_name(&address->local, name);
	if (!mailroot_domain_path(home, handle, &address->domain, dir) ||
	    !fits(snprintf(ret_path, PATH_MAX, "%s/%s", dir, name), PATH_MAX))
		return ENAMETOOLONG;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno;
	*ret_fd = fd;
	return 0;
}

void mailroot_temporary(const char *name, char ret_name[MAILROOT_TEMPORARY])
{
	(void)snprintf(ret_name, MAILROOT_TEMPORARY, "%s%.*s",
		       MAILROOT_TEMPORARY_PREFIX, MAILROOT_QMAIL_NAME, name);
}

bool mailroot_is_same(int dir, const char *name, const char *text, size_t len,
		    mode_t mode)
{
	struct replace_text now;
	bool same;

	if (replace_read(dir, name, &now) != 0)
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
	struct replace_text file = {.mode = mode, .uid = (uid_t)-1,
				  .gid = (gid_t)-1};
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

int mailroot_adopt(const char *home, const struct name_handle *handle,
		   const struct name_address *address, char ret_path[PATH_MAX])
{
	char name[MAILROOT_QMAIL_NAME], kept[MAILROOT_QMAIL_NAME + 16];
	int dir = -1, rc;

	rc = mailroot_open_domain(home, handle, address, &dir, name, ret_path);
	if (rc != 0)
		return rc;
	(void)snprintf(kept, sizeof kept, "%s.by-hand", name);
	if (unlinkat(dir, kept, 0) != 0 && errno != ENOENT)
		rc = errno;
	if (rc == 0 && linkat(dir, name, dir, kept, 0) != 0 && errno != ENOENT)
		rc = errno;
	if (rc == 0 && fsync(dir) != 0)
		rc = errno;
	(void)close(dir); /* a directory, read only */
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

/* Nothing is owed of what was removed, so it must not come back after a power
 * cut; nor what a run removed that was killed before this. */
static int sync_parent(const char *path)
{
	int rc = replace_sync_parent(path);

	return rc == ENOENT ? 0 : rc;
}

int mailroot_remove_domain(const char *home, const struct name_handle *handle,
			   const struct name_domain *domain,
			   char ret_path[PATH_MAX])
{
	if (!mailroot_domain_path(home, handle, domain, ret_path))
		return ENAMETOOLONG;
	if (rmdir(ret_path) == 0 || errno == ENOENT)
		return sync_parent(ret_path);
	return errno == EEXIST ? ENOTEMPTY : errno;
}

/* Removes what name is below dir: a file, a link itself, or a directory with
 * what is in it. Maildirs are not deep; what is deeper is none. */
static int remove_tree(int dir, const char *name, unsigned depth)
{
	const struct dirent *entry;
	int fd, rc = 0;
	DIR *list;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return errno;
	if (depth == 0)
		return ELOOP;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno;
	list = fdopendir(fd);
	if (!list) {
		rc = errno;
		(void)close(fd); /* a directory, read only */
		return rc;
	}
	while (rc == 0 && (errno = 0, entry = readdir(list)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			rc = remove_tree(fd, entry->d_name, depth - 1);
	}
	if (rc == 0)
		rc = errno;
	(void)closedir(list); /* read only */
	if (rc == 0 && unlinkat(dir, name, AT_REMOVEDIR) != 0)
		rc = errno;
	return rc;
}

int mailroot_remove_box(const char *home, const struct name_box *box,
			char ret_path[PATH_MAX])
{
	enum { DEPTH = 16 };
	int rc;

	if (!mailroot_box_path(home, box, ret_path))
		return ENAMETOOLONG;
	rc = remove_tree(AT_FDCWD, ret_path, DEPTH);
	return rc == 0 ? sync_parent(ret_path) : rc;
}

/* A small file of a dial-up directory; absent or longer: "". */
static int peek(int dir, const char *name, char *ret_text, size_t room)
{
	struct replace_text now;
	int rc = replace_read(dir, name, &now);

	memset(ret_text, 0, room);
	if (rc == ENOENT)
		return 0;
	if (rc != 0)
		return rc;
	if (now.len < room)
		memcpy(ret_text, now.bytes, now.len);
	replace_free(&now);
	return 0;
}

static int put_small(int dir, const char *name, const char *text)
{
	const struct replace_text like = {.mode = 0644, .uid = (uid_t)-1,
					  .gid = (gid_t)-1};

	if (mailroot_is_same(dir, name, text, strlen(text), 0644))
		return fsync(dir) == 0 ? 0 : errno;
	return replace_file(dir, name, MAILROOT_TEMPORARY_PREFIX, &like, text,
			    strlen(text));
}

int mailroot_dialup(const char *serialmail, const struct name_domain *domain,
		    const struct mailroot_dialup *files,
		    char ret_path[PATH_MAX])
{
	int fd, maildir = -1, rc;

	if (!mailroot_dialup_path(serialmail, domain, ret_path))
		return ENAMETOOLONG;
	fd = open(serialmail, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	rc = step(&fd, domain->s, 0755, true);
	if (rc == 0) {
		maildir = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		rc = maildir < 0 ? errno : step(&maildir, "Maildir", 0700, true);
	}
	if (rc == 0)
		rc = make_maildir(maildir);
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

	if (!mailroot_dialup_path(serialmail, domain, ret_path))
		return ENAMETOOLONG;
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

/* Is there a file in this directory? One that is not there is empty. */
static bool has_files(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	bool found = false;

	while (list && !found && (entry = readdir(list)) != NULL)
		found = entry->d_name[0] != '.';
	if (list)
		(void)closedir(list); /* read only */
	else if (fd >= 0)
		(void)close(fd); /* read only */
	return found;
}

int mailroot_remove_dialup(const char *serialmail,
			   const struct name_domain *domain,
			   char ret_path[PATH_MAX])
{
	enum { DEPTH = 8 };
	bool waiting;
	int fd, rc;

	if (!mailroot_dialup_path(serialmail, domain, ret_path))
		return ENAMETOOLONG;
	fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? sync_parent(ret_path) : errno;
	(void)unlinkat(fd, ".qmail-default", 0); /* remove_tree tells */
	waiting = has_files(fd, "Maildir/new") || has_files(fd, "Maildir/cur");
	(void)close(fd); /* a directory, read only */
	rc = waiting ? ENOTEMPTY : remove_tree(AT_FDCWD, ret_path, DEPTH);
	return rc == 0 ? sync_parent(ret_path) : rc;
}

static int open_list(const char *home, const struct name_handle *handle,
		     const struct name_domain *domain,
		     char ret_path[PATH_MAX], DIR **ret_list)
{
	if (!mailroot_domain_path(home, handle, domain, ret_path))
		return ENAMETOOLONG;
	*ret_list = opendir(ret_path);
	return *ret_list ? 0 : errno;
}

int mailroot_list(const char *home, const struct name_handle *handle,
		  const struct name_domain *domain, bool start,
		  char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len,
		  char ret_path[PATH_MAX])
{
	static DIR *list; /* from one call to the next */
	const struct dirent *entry;
	size_t len = 0;
	int rc = 0;

	if (start && list) {
		(void)closedir(list); /* read only */
		list = NULL;
	}
	if (start)
		rc = open_list(home, handle, domain, ret_path, &list);
	while (rc == 0 && list && len + NAME_MAX + 1 <= MAILROOT_QMAIL_MAX &&
	       (entry = readdir(list)) != NULL) {
		size_t size = strlen(entry->d_name) + 1;

		if (strncmp(entry->d_name, ".qmail-", 7) != 0)
			continue;
		memcpy(ret_text + len, entry->d_name, size);
		len += size;
	}
	*ret_len = len;
	return rc;
}

/* Whoever is logged into the box could have made it anything. */
static int read_ip(int fd, char ret_ip[MAILROOT_IP_MAX + 1])
{
	ssize_t got = read(fd, ret_ip, MAILROOT_IP_MAX);

	if (got < 0)
		return errno;
	ret_ip[got] = 0;
	ret_ip[strspn(ret_ip, "0123456789abcdef.:")] = 0;
	return 0;
}

int mailroot_lastlogin(const char *home, const struct name_box *box,
		       int64_t *ret_time, char ret_ip[MAILROOT_IP_MAX + 1],
		       char ret_path[PATH_MAX])
{
	char path[PATH_MAX];
	struct stat st;
	int fd, rc;

	if (!mailroot_box_path(home, box, path) ||
	    !fits(snprintf(ret_path, PATH_MAX, "%s/.lastlogin", path),
		  PATH_MAX))
		return ENAMETOOLONG;
	fd = open(ret_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno;
	rc = fstat(fd, &st) == 0 ? 0 : errno;
	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = EINVAL;
	if (rc == 0)
		rc = read_ip(fd, ret_ip);
	if (rc == 0)
		*ret_time = st.st_mtime;
	(void)close(fd); /* read only */
	return rc;
}

/* Never waits for a pipe, never reads a device. */
static int look_text(const char *path, char ret_text[MAILROOT_QMAIL_MAX],
		     size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t got;
	size_t len = 0;
	int rc = 0;

	if (fd < 0)
		return errno;
	do {
		got = read(fd, ret_text + len, MAILROOT_QMAIL_MAX - len);
		if (got > 0)
			len += (size_t)got;
	} while ((got > 0 && len < MAILROOT_QMAIL_MAX) ||
		 (got < 0 && errno == EINTR));
	if (got < 0)
		rc = errno;
	(void)close(fd); /* read only */
	*ret_len = len;
	return rc;
}

int mailroot_look(const char *path, struct mailroot_look *ret_look,
		  char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len)
{
	struct stat st;

	*ret_len = 0;
	if (stat(path, &st) != 0)
		return errno;
	*ret_look = (struct mailroot_look){st.st_mode, st.st_uid, st.st_gid,
					   st.st_size};
	return S_ISREG(st.st_mode) ? look_text(path, ret_text, ret_len) : 0;
}

int mailroot_peek(const char *home, const struct name_handle *handle,
		  const struct name_address *address,
		  char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len,
		  char ret_path[PATH_MAX])
{
	char name[MAILROOT_QMAIL_NAME];
	struct replace_text now;
	int dir = -1, rc;

	rc = mailroot_open_domain(home, handle, address, &dir, name, ret_path);
	if (rc != 0)
		return rc;
	rc = replace_read(dir, name, &now);
	(void)close(dir); /* a directory, read only */
	if (rc != 0)
		return rc;
	if (now.len > MAILROOT_QMAIL_MAX) {
		rc = EFBIG;
	} else {
		memcpy(ret_text, now.bytes, now.len);
		*ret_len = now.len;
	}
	replace_free(&now);
	return rc;
}
