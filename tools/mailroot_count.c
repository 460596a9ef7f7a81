#include "mailroot_count.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listing.h"
#include "mailroot.h"

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

int mailroot_highest(const char *home, const struct name_handle *handle,
		     int64_t *ret_number, char ret_path[PATH_MAX])
{
	const struct name_box any = {*handle, 0};
	const struct dirent *entry;
	int64_t highest = -1;
	DIR *list;
	int rc;

	mailroot_box_path(home, &any, ret_path);
	*strrchr(ret_path, '/') = 0; /* it has several */
	list = open_list(ret_path);
	if (!list)
		return errno;
	while ((entry = listing_next(list, &rc)) != NULL) {
		struct name_box box;

		if (!name_box_read(entry->d_name, strlen(entry->d_name),
				   &box) &&
		    strcmp(box.handle.s, handle->s) == 0 &&
		    (int64_t)box.number > highest)
			highest = box.number;
	}
	(void)closedir(list); /* read only */
	*ret_number = highest;
	return rc == 0 && highest < 0 ? ENOENT : rc;
}

static int add_files(const char *path, int64_t *bytes)
{
	const struct dirent *entry;
	DIR *list = open_list(path);
	struct stat st;
	int rc;

	if (!list)
		return errno;
	while ((entry = listing_next(list, &rc)) != NULL) {
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

	mailroot_box_path(home, box, path);
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		int len = snprintf(ret_path, PATH_MAX, "%s/%s", path, parts[i]);

		rc = len < 0 || len >= PATH_MAX ? ENAMETOOLONG
						: add_files(ret_path, &bytes);
	}
	if (rc == 0)
		*ret_bytes = bytes;
	return rc;
}
