/* SPDX-License-Identifier: MIT */
#include "mailroot_move.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailroot_private.h"
#include "store/path.h"

/* A directory below one part of a handle's. */
struct place {
	const struct name_handle *handle;
	const char *name;
	char path[PATH_MAX];
};

struct moving {
	const char *home;
	enum mailroot_part part;
	struct place from, to;
};

/* The directory that a place is in, ending its path there. */
static void end_at_parent(char path[PATH_MAX])
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = 0;
}

static int open_parent(const struct place *place, int *ret_fd)
{
	char path[PATH_MAX];

	memcpy(path, place->path, sizeof path);
	end_at_parent(path);
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? errno : 0;
}

/* On which file system it would be made: that of the nearest directory above
 * it which is there. */
static int device_of(const struct place *place, dev_t *ret_device)
{
	char path[PATH_MAX];
	struct stat st;

	memcpy(path, place->path, sizeof path);
	do {
		end_at_parent(path);
		if (stat(path, &st) == 0) {
			*ret_device = st.st_dev;
			return 0;
		}
	} while (errno == ENOENT && strchr(path + 1, '/'));
	return errno;
}

/* 0: a directory. */
static int look_at(int fd, const char *name, dev_t *ret_device)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	*ret_device = st.st_dev;
	return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

/* Could what is on this device go there? */
static int judge(const struct moving *m, dev_t device, char ret_path[PATH_MAX])
{
	struct stat st;
	dev_t there = 0;
	int rc;

	memcpy(ret_path, m->to.path, PATH_MAX);
	if (lstat(m->to.path, &st) == 0)
		return EEXIST;
	if (errno != ENOENT)
		return errno;
	rc = device_of(&m->to, &there);
	return rc == 0 && there != device ? EXDEV : rc;
}

static int sync_both(int from, int to)
{
	return fsync(to) == 0 && fsync(from) == 0 ? 0 : errno;
}

static int rename_it(const struct moving *m, int from, bool there,
		     enum mailroot_move how, char ret_path[PATH_MAX])
{
	int to, rc;

	memcpy(ret_path, m->to.path, PATH_MAX);
	rc = mailroot_part(m->home, m->to.handle, m->part, &to);
	if (rc != 0)
		return rc;
	if (there && renameat(from, m->from.name, to, m->to.name) != 0)
		rc = errno == ENOTEMPTY || errno == ENOTDIR ? EEXIST : errno;
	if (how == MAILROOT_MOVE_SYNC) {
		int synced = sync_both(from, to);

		rc = rc == 0 ? synced : rc;
	}
	(void)close(to); /* a directory, read only */
	return rc;
}

static int move(const struct moving *m, enum mailroot_move how,
		char ret_path[PATH_MAX])
{
	const bool look = how == MAILROOT_MOVE_LOOK;
	dev_t device = 0;
	int from, rc = open_parent(&m->from, &from);

	memcpy(ret_path, m->from.path, PATH_MAX);
	if (rc != 0)
		return rc == ENOENT && !look ? 0 : rc;
	rc = look_at(from, m->from.name, &device);
	if (rc == 0 && look)
		rc = judge(m, device, ret_path);
	else if (rc == 0 || (rc == ENOENT && !look))
		rc = rename_it(m, from, rc == 0, how, ret_path);
	(void)close(from); /* a directory, read only */
	return rc;
}

int mailroot_move_box(const char *home, const struct name_box *from,
		      const struct name_box *to, enum mailroot_move how,
		      char ret_path[PATH_MAX])
{
	char name[2][NAME_BOX_TEXT];
	struct moving m = {.home = home,
			   .part = MAILROOT_POP,
			   .from = {.handle = &from->handle, .name = name[0]},
			   .to = {.handle = &to->handle, .name = name[1]}};

	name_box_text(from, name[0]);
	name_box_text(to, name[1]);
	path_box(home, from, m.from.path);
	path_box(home, to, m.to.path);
	return move(&m, how, ret_path);
}

int mailroot_move_domain(const char *home, const struct name_handle *from,
			 const struct name_handle *to,
			 const struct name_domain *domain,
			 enum mailroot_move how, char ret_path[PATH_MAX])
{
	struct moving m = {.home = home,
			   .part = MAILROOT_DOMAINS,
			   .from = {.handle = from, .name = domain->s},
			   .to = {.handle = to, .name = domain->s}};

	path_domain(home, from, domain, m.from.path);
	path_domain(home, to, domain, m.to.path);
	return move(&m, how, ret_path);
}
