#include "mailroot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replace.h"

/* Begins like no file that qmail-local looks for. */
#define TEMPORARY ".popbox-tmp"

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
 * administrator's, to another disk; the last one may not. */
static int step(int *fd, const char *name, mode_t mode, bool last)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		    (last ? O_NOFOLLOW : 0);
	bool made = mkdirat(*fd, name, mode) == 0;
	int below;

	if (!made && errno != EEXIST)
		return errno;
	if (made && fsync(*fd) != 0)
		return errno;
	below = openat(*fd, name, flags);
	if (below < 0)
		return errno;
	(void)close(*fd); /* a directory, read only */
	*fd = below;
	return 0;
}

/* HOME/e/ex1, then one of POP and DOMAINS, then the last name. */
static int descend(const char *home, const struct name_handle *handle,
		   const char *part, const char *last, mode_t mode,
		   int *ret_fd)
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
		rc = step(&fd, part, mode, false);
	if (rc == 0)
		rc = step(&fd, last, mode, true);
	if (rc == 0)
		*ret_fd = fd;
	else
		(void)close(fd); /* a directory, read only */
	return rc;
}

int mailroot_box(const char *home, const struct name_box *box,
		 char ret_path[PATH_MAX])
{
	static const char *const parts[] = {"tmp", "new", "cur"};
	char text[NAME_BOX_TEXT];
	int fd, rc;

	if (!mailroot_box_path(home, box, ret_path))
		return ENAMETOOLONG;
	name_box_text(box, text);
	rc = descend(home, &box->handle, "POP", text, 0700, &fd);
	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < 3; i++) {
		if (mkdirat(fd, parts[i], 0700) != 0 && errno != EEXIST)
			rc = errno;
	}
	if (rc == 0 && fsync(fd) != 0)
		rc = errno;
	(void)close(fd); /* a directory, read only */
	return rc;
}

int mailroot_domain(const char *home, const struct name_handle *handle,
		    const struct name_domain *domain, char ret_path[PATH_MAX])
{
	int fd, rc;

	if (!mailroot_domain_path(home, handle, domain, ret_path))
		return ENAMETOOLONG;
	rc = descend(home, handle, "DOMAINS", domain->s, 0755, &fd);
	if (rc == 0)
		(void)close(fd); /* a directory, read only */
	return rc;
}

/* Opens the directory of an address; *ret_path becomes that of its file. */
static int open_domain(const char *home, const struct name_handle *handle,
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

/* Does the file say this already? Then nothing is written. */
static bool is_same(int dir, const char *name, const char *text, size_t len,
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
	char name[MAILROOT_QMAIL_NAME];
	struct replace_text file = {.mode = mode, .uid = (uid_t)-1,
				  .gid = (gid_t)-1};
	int dir, rc;

	rc = open_domain(home, handle, address, &dir, name, ret_path);
	if (rc != 0)
		return rc;
	if (!is_same(dir, name, text, len, mode))
		rc = replace_file(dir, name, TEMPORARY, &file, text, len);
	(void)close(dir); /* a directory, read only */
	return rc;
}

int mailroot_peek(const char *home, const struct name_handle *handle,
		  const struct name_address *address,
		  char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len,
		  char ret_path[PATH_MAX])
{
	char name[MAILROOT_QMAIL_NAME];
	struct replace_text now;
	int dir, rc;

	rc = open_domain(home, handle, address, &dir, name, ret_path);
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
