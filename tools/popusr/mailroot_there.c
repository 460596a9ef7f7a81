/* SPDX-License-Identifier: MIT */
/* mailroot_there.c: what another host makes on a shared mail root: is it there? */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailroot_private.h"

/* Takes *fd along. */
static int step(int *fd, const char *name, int more)
{
	int below =
		openat(*fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | more);

	if (below < 0)
		return errno == ENOTDIR ? EINVAL : errno;
	(void)close(*fd); /* a directory, read only */
	*fd = below;
	return 0;
}

/* What is new on the server is seen where the directory above it was opened, and
 * not only looked up. */
static int walk(const char *home, const struct name_handle *handle,
		const char *part, const char *name, int *ret_fd)
{
	const char letter[2] = {handle->s[0], 0};
	const char *const way[] = {letter, handle->s, part};
	int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return errno == ENOENT ? ENXIO : errno;
	for (size_t i = 0; rc == 0 && i < sizeof way / sizeof *way; i++)
		rc = step(&fd, way[i], 0);
	if (rc == 0)
		rc = step(&fd, name, O_NOFOLLOW);
	if (rc == 0)
		*ret_fd = fd;
	else
		(void)close(fd); /* a directory, read only */
	return rc;
}

static int look_box(const char *home, const struct mailroot_job *job)
{
	static const char *const parts[] = {"tmp", "new", "cur"};
	const struct name_box box = {job->handle, job->number};
	char name[NAME_BOX_TEXT];
	struct stat st;
	int fd = -1, rc;

	name_box_text(&box, name);
	rc = walk(home, &job->handle, "POP", name, &fd);
	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < sizeof parts / sizeof *parts; i++) {
		if (fstatat(fd, parts[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			rc = errno;
		else if (!S_ISDIR(st.st_mode))
			rc = EINVAL;
	}
	(void)close(fd); /* a directory, read only */
	return rc;
}

static int look_domain(const char *home, const struct mailroot_job *job)
{
	char name[MAILROOT_QMAIL_NAME];
	struct stat st;
	int fd = -1;
	int rc = walk(home, &job->handle, "DOMAINS", job->address.domain.s,
		      &fd);

	if (rc != 0)
		return rc;
	if (job->step == MAILROOT_LOOK_FILE) {
		mailroot_qmail_name(&job->address.local, name);
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			rc = errno;
		else if (!S_ISREG(st.st_mode))
			rc = EINVAL;
	}
	(void)close(fd); /* a directory, read only */
	return rc;
}

int mailroot_is_there(const char *home, const struct mailroot_job *job)
{
	return job->step == MAILROOT_LOOK_BOX ? look_box(home, job)
					      : look_domain(home, job);
}
