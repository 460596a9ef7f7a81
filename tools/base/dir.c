/* SPDX-License-Identifier: MIT */
#include "dir.h"

#include <errno.h>
#include <string.h>

const struct dirent *dir_next(DIR *list, int *ret_rc)
{
	const struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(list);
	} while (entry && (strcmp(entry->d_name, ".") == 0 ||
			   strcmp(entry->d_name, "..") == 0));
	*ret_rc = entry ? 0 : errno;
	return entry;
}

bool dir_is_empty(DIR *list, int *ret_rc)
{
	return !dir_next(list, ret_rc) && *ret_rc == 0;
}
