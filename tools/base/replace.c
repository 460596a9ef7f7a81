/* SPDX-License-Identifier: MIT */
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All of fd into text->bytes. It may grow meanwhile. */
static int slurp(int fd, size_t guess, size_t most, struct replace_text *text)
{
	size_t room = guess + 2;
	char *bytes = malloc(room);

	text->len = 0;
	while (bytes) {
		ssize_t got = read(fd, bytes + text->len, room - text->len - 1);
		char *more;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		if (got == 0) {
			bytes[text->len] = 0;
			text->bytes = bytes;
			return 0;
		}
		text->len += (size_t)got;
		if (text->len > most) {
			errno = EFBIG;
			break;
		}
		if (room - text->len > 1)
			continue;
		room *= 2;
		more = realloc(bytes, room);
		if (!more)
			break;
		bytes = more;
	}
	room = (size_t)errno;
	free(bytes);
	return (int)room;
}

int replace_read_up_to(int dir, const char *name, size_t most,
		       struct replace_text *ret_text)
{
	/* NONBLOCK: a pipe in its place must not keep us waiting. */
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
					   O_NONBLOCK | O_NOCTTY);
	struct replace_text text = {0};
	struct stat st;
	int rc;

	if (fd < 0)
		return errno == ELOOP ? EINVAL : errno;
	rc = fstat(fd, &st) == 0 ? 0 : errno;
	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = EINVAL;
	if (rc == 0 && (uintmax_t)st.st_size > most)
		rc = EFBIG;
	if (rc == 0)
		rc = slurp(fd, (size_t)st.st_size, most, &text);
	(void)close(fd); /* read only */
	if (rc != 0)
		return rc;
	text.mode = st.st_mode;
	text.uid = st.st_uid;
	text.gid = st.st_gid;
	*ret_text = text;
	return 0;
}

int replace_read(int dir, const char *name, struct replace_text *ret_text)
{
	return replace_read_up_to(dir, name, SIZE_MAX, ret_text);
}

void replace_free(struct replace_text *text)
{
	free(text->bytes);
	*text = (struct replace_text){0};
}

int replace_write(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t put = write(fd, bytes, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno;
		bytes += put;
		len -= (size_t)put;
	}
	return 0;
}

static int create(int dir, const char *temporary)
{
	return openat(dir, temporary,
		      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      0600);
}

int replace_begin(int dir, const char *temporary, int *ret_fd)
{
	*ret_fd = create(dir, temporary);
	if (*ret_fd < 0 && errno == EEXIST && unlinkat(dir, temporary, 0) == 0)
		*ret_fd = create(dir, temporary);
	return *ret_fd < 0 ? errno : 0;
}

/* Owner and mode, and if it is to be on the disk; rc is what became of the
 * writing. */
static int settle(int dir, const char *temporary, int fd,
		  const struct replace_text *like, bool durable, int rc)
{
	if (rc == 0 && like->uid != (uid_t)-1 &&
	    fchown(fd, like->uid, like->gid) != 0)
		rc = errno;
	if (rc == 0 && fchmod(fd, like->mode & 07777) != 0)
		rc = errno;
	if (rc == 0 && durable && fsync(fd) != 0)
		rc = errno;
	if (close(fd) != 0 && rc == 0)
		rc = errno;
	/* The reason above is what matters; the next run removes a temporary
	 * that stays. */
	if (rc != 0)
		(void)unlinkat(dir, temporary, 0);
	return rc;
}

int replace_prepare(int dir, const char *temporary,
		    const struct replace_text *like, const char *bytes,
		    size_t len, bool durable)
{
	int fd, rc = replace_begin(dir, temporary, &fd);

	if (rc == 0)
		rc = settle(dir, temporary, fd, like, durable,
			    replace_write(fd, bytes, len));
	return rc;
}

int replace_finish(int dir, const char *name, const char *temporary)
{
	int rc = renameat(dir, temporary, dir, name) == 0 ? 0 : errno;

	if (rc != 0)
		(void)unlinkat(dir, temporary, 0); /* as above */
	return rc;
}

int replace_end(int dir, const char *name, const char *temporary, int fd,
		const struct replace_text *like, int rc)
{
	rc = settle(dir, temporary, fd, like, true, rc);
	if (rc == 0)
		rc = replace_finish(dir, name, temporary);
	if (rc == 0 && fsync(dir) != 0)
		rc = errno;
	return rc;
}

int replace_file(int dir, const char *name, const char *temporary,
		 const struct replace_text *like, const char *bytes, size_t len)
{
	int fd, rc = replace_begin(dir, temporary, &fd);

	if (rc == 0)
		rc = replace_end(dir, name, temporary, fd, like,
				 replace_write(fd, bytes, len));
	return rc;
}

int replace_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 && fsync(fd) == 0 ? 0 : errno;

	if (fd >= 0)
		(void)close(fd); /* a directory, read only */
	return rc;
}

int replace_sync_parent(const char *path)
{
	char parent[PATH_MAX];
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len && path[len - 1] != '/')
		len--;
	if (len >= sizeof parent)
		return ENAMETOOLONG;
	(void)snprintf(parent, sizeof parent, "%.*s", (int)len, path);
	return replace_sync(len ? parent : ".");
}
