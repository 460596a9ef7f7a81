/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/replace.h"
#include "mailroot_private.h"
#include "store/path.h"

static int open_list(const char *home, const struct name_handle *handle,
		     const struct name_domain *domain, char ret_path[PATH_MAX],
		     DIR **ret_list)
{
	path_domain(home, handle, domain, ret_path);
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
	       (entry = dir_next(list, &rc)) != NULL) {
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
		       unsigned app, int64_t *ret_time, char ret_ip[MAILROOT_IP_MAX + 1],
		       char ret_path[PATH_MAX])
{
	char name[PATH_LASTAPP_TEXT] = PATH_LASTLOGIN;
	struct stat st;
	int fd, rc;

	if (app)
		path_lastapp(app, name);
	path_box(home, box, ret_path);
	mailroot_add_name(ret_path, name);
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

/* Asked of the system, which knows of more than modes: access lists, disks that
 * are mounted for reading only. */
static int rights(const char *path)
{
	static const int each[] = {R_OK, W_OK, X_OK};
	int may = 0;

	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		if (access(path, each[i]) == 0)
			may |= each[i];
	}
	return may;
}

int mailroot_look(const char *path, struct mailroot_look *ret_look,
		  char ret_text[MAILROOT_QMAIL_MAX], size_t *ret_len)
{
	struct stat st;

	*ret_len = 0;
	if (stat(path, &st) != 0)
		return errno;
	*ret_look = (struct mailroot_look){.mode = st.st_mode,
					   .uid = st.st_uid,
					   .gid = st.st_gid,
					   .device = st.st_dev,
					   .size = st.st_size,
					   .may = rights(path)};
	if (S_ISREG(st.st_mode))
		ret_look->unread = look_text(path, ret_text, ret_len);
	return 0;
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
	rc = replace_read_up_to(dir, name, MAILROOT_QMAIL_MAX, &now);
	(void)close(dir); /* a directory, read only */
	if (rc != 0)
		return rc;
	memcpy(ret_text, now.bytes, now.len);
	*ret_len = now.len;
	replace_free(&now);
	return 0;
}
