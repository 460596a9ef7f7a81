/* SPDX-License-Identifier: MIT */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Noreturn void common_die(int code, const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "%s: fatal: ", program_invocation_short_name);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	exit(code);
}

const char *common_home(void)
{
	static char home[PATH_MAX];
	ssize_t len;

	if (home[0])
		return home; /* as it was at the start, whatever moves later */
	len = readlink("/proc/self/exe", home, sizeof home - 1);
	if (len <= 0)
		common_die(111, "cannot find myself");
	home[len] = 0;
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(home, '/');

		if (!slash)
			common_die(111, "not installed in a bin directory");
		*slash = 0;
	}
	return home;
}

const char *common_path(const char *name)
{
	static char path[PATH_MAX];
	int len = snprintf(path, sizeof path, "%s/%s", common_home(), name);

	if (len < 0 || (size_t)len >= sizeof path)
		common_die(111, "path too long");
	return path;
}

char *common_read(const char *name, size_t *ret_len)
{
	int fd = open(common_path(name), O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t len = 0;
	char *bytes;

	if (fd < 0 && errno == ENOENT)
		return NULL;
	if (fd < 0 || fstat(fd, &st) != 0)
		common_die(111, "cannot read %s", name);
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		common_die(111, "out of memory");
	while (len < (size_t)st.st_size) {
		ssize_t got = read(fd, bytes + len, (size_t)st.st_size - len);

		if (got < 0)
			common_die(111, "cannot read %s", name);
		if (got == 0)
			break;
		len += (size_t)got;
	}
	close(fd);
	bytes[len] = 0;
	*ret_len = len;
	return bytes;
}

char *common_control_line(char **rest)
{
	while (*rest && **rest) {
		char *line = *rest;
		size_t len = strcspn(line, "\n");

		*rest = line + len + (line[len] != 0);
		line[len] = 0;
		while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
			line[--len] = 0;
		if (len && line[0] != '#')
			return line;
	}
	return NULL;
}

void common_lower(char *text)
{
	for (; *text; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text + 32);
	}
}
