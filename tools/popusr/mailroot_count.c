/* SPDX-License-Identifier: MIT */
#include "mailroot_count.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "mailroot.h"
#include "store/path.h"

/* NULL: errno. */
static DIR *open_list(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	int rc = errno;

	if (!list && fd >= 0)
		(void)close(fd); /* a directory, read only */
	errno = rc;
	return list;
}

/* The directory of a handle's boxes: its last part, too, may be a link of the
 * administrator's. ENOENT: none has a directory. */
static int open_boxes(const char *home, const struct name_handle *handle,
		      int *ret_fd, char ret_path[PATH_MAX])
{
	const struct name_box any = {*handle, 0};

	path_box(home, &any, ret_path);
	*strrchr(ret_path, '/') = 0; /* it has several */
	*ret_fd = open(ret_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? errno : 0;
}

/* 0, ENOENT, or why it is not known. Whatever has the name has the number. */
static int look_number(int fd, const struct name_box *box)
{
	char text[NAME_BOX_TEXT];
	struct stat st;

	name_box_text(box, text);
	return fstatat(fd, text, &st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

int mailroot_free(const char *home, const struct name_box *from, size_t most,
		  uint32_t *ret_number, size_t *ret_count,
		  char ret_path[PATH_MAX])
{
	struct name_box box = *from;
	size_t count = 0;
	int fd, rc = open_boxes(home, &box.handle, &fd, ret_path);

	if (rc == ENOENT) {
		*ret_number = box.number;
		*ret_count = most;
		return 0;
	}
	while (rc == 0 && count < most && box.number < UINT32_MAX) {
		rc = look_number(fd, &box);
		if (rc == 0 && count > 0)
			break; /* the run ends here */
		count += rc == ENOENT;
		rc = rc == ENOENT ? 0 : rc;
		box.number++;
	}
	if (fd >= 0)
		(void)close(fd); /* a path */
	if (rc == 0 && count == 0)
		rc = ERANGE;
	if (rc == 0) {
		*ret_number = box.number - (uint32_t)count;
		*ret_count = count;
	}
	return rc;
}

static int add_files(const char *path, int64_t *bytes)
{
	const struct dirent *entry;
	DIR *list = open_list(path);
	struct stat st;
	int rc;

	if (!list)
		return errno;
	while ((entry = dir_next(list, &rc)) != NULL) {
		/* One that is fetched meanwhile is gone, that is all. */
		if (fstatat(dirfd(list), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			*bytes += st.st_size;
	}
	(void)closedir(list); /* read only */
	return rc;
}

int mailroot_bytes(const char *home, const struct name_box *box,
		   int64_t *ret_bytes, char ret_path[PATH_MAX])
{
	static const char *const parts[] = {"new", "cur"};
	char path[PATH_MAX];
	int64_t bytes = 0;
	int rc = 0;

	path_box(home, box, path);
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		int len = snprintf(ret_path, PATH_MAX, "%s/%s", path, parts[i]);

		rc = len < 0 || len >= PATH_MAX ? ENAMETOOLONG
						: add_files(ret_path, &bytes);
	}
	if (rc == 0)
		*ret_bytes = bytes;
	return rc;
}
