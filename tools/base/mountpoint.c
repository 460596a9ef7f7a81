/* SPDX-License-Identifier: MIT */
#include "mountpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "dir.h"

bool mountpoint_is(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, 0, STATX_TYPE, &st) == 0 &&
	       (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) &&
	       S_ISDIR(st.stx_mode);
}

static bool is_one(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return strcmp(name, "lost+found") == 0;
}

int mountpoint_is_empty(const char *path, const char *const *but,
			bool *ret_empty)
{
	const struct dirent *entry;
	DIR *list = opendir(path);
	int rc = 0;

	if (!list)
		return errno;
	*ret_empty = true;
	while (*ret_empty && (entry = dir_next(list, &rc)) != NULL)
		*ret_empty = is_one(entry->d_name, but);
	(void)closedir(list); /* read only */
	return rc;
}
