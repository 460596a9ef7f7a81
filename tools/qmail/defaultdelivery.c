/* SPDX-License-Identifier: MIT */
#include "defaultdelivery.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Is the program of this process the file at path, or was it before an update
 * replaced that file? */
static bool runs(const char *pid, const char *path)
{
	const size_t len = strlen(path);
	char link[64], exe[PATH_MAX];
	ssize_t got;

	(void)snprintf(link, sizeof link, "/proc/%.20s/exe", pid);
	got = readlink(link, exe, sizeof exe - 1);
	if (got <= 0)
		return false;
	exe[got] = 0;
	return strncmp(exe, path, len) == 0 &&
	       (exe[len] == 0 || strcmp(exe + len, " (deleted)") == 0);
}

/* The second word of its command line. */
static bool take_argument(const char *pid, char *ret_text, size_t room)
{
	char path[64], line[4096];
	ssize_t got;
	size_t first, len;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%.20s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, line, sizeof line);
	(void)close(fd); /* read only */
	if (got <= 0)
		return false;
	first = strnlen(line, (size_t)got) + 1;
	if (first >= (size_t)got)
		return false;
	len = strnlen(line + first, (size_t)got - first);
	if (first + len >= (size_t)got || len >= room)
		return false; /* it has no end here */
	memcpy(ret_text, line + first, len + 1);
	return true;
}

bool defaultdelivery(const struct config *config, char *ret_text, size_t room)
{
	char path[PATH_MAX], real[PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	DIR *proc;

	(void)snprintf(path, sizeof path, "%s/bin/qmail-lspawn",
		       config->qmail);
	if (!realpath(path, real))
		return false;
	proc = opendir("/proc");
	while (proc && !found && (entry = readdir(proc)) != NULL)
		found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			runs(entry->d_name, real) &&
			take_argument(entry->d_name, ret_text, room);
	if (proc)
		(void)closedir(proc); /* read only */
	return found;
}
