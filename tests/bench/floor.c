/* SPDX-License-Identifier: MIT */
/* floor HOME HANDLE DOMAIN PREFIX COUNT UID GID: the calls that publishing so
 * many boxes with an address each cannot do without, and no other: four
 * directories a box, then a .qmail file each, written and renamed, and one
 * syncfs at the end. Names and contents are popbox's.
 */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void need(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void make_box(const char *home, const char *handle, unsigned long i)
{
	static const char *const parts[] = {"", "/tmp", "/new", "/cur"};
	char path[PATH_MAX];

	for (size_t k = 0; k < 4; k++) {
		(void)snprintf(path, sizeof path, "%s/%c/%s/POP/%s-%04lu%s",
			       home, handle[0], handle, handle, i, parts[k]);
		need(mkdir(path, 0700) == 0, path);
	}
}

static void make_file(char **argv, unsigned long i)
{
	char dir[PATH_MAX - 100], path[PATH_MAX], temporary[PATH_MAX],
		text[200];
	int fd, len;

	(void)snprintf(dir, sizeof dir, "%s/%c/%s/DOMAINS/%s", argv[1],
		       argv[2][0], argv[2], argv[3]);
	(void)snprintf(path, sizeof path, "%s/.qmail-%s%lu", dir, argv[4], i);
	(void)snprintf(temporary, sizeof temporary, "%s/.floor-tmp", dir);
	len = snprintf(text, sizeof text, "%.100s/%c/%.20s/POP/%.20s-%04lu/\n",
		       argv[1], argv[2][0], argv[2], argv[2], i + 1);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	need(fd >= 0, temporary);
	need(write(fd, text, (size_t)len) == len, temporary);
	need(close(fd) == 0, temporary);
	need(rename(temporary, path) == 0, path);
}

int main(int argc, char **argv)
{
	unsigned long count;
	int fd;

	if (argc != 8) {
		fprintf(stderr, "usage: floor HOME HANDLE DOMAIN PREFIX COUNT "
				"UID GID\n");
		return 2;
	}
	count = strtoul(argv[5], NULL, 10);
	need(setgroups(0, NULL) == 0 && setgid((gid_t)atol(argv[7])) == 0 &&
		     setuid((uid_t)atol(argv[6])) == 0,
	     "popusr");
	(void)umask(0);
	fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(fd >= 0, argv[1]);
	for (unsigned long i = 0; i < count; i++)
		make_box(argv[1], argv[2], i + 1);
	for (unsigned long i = 0; i < count; i++)
		make_file(argv, i);
	need(syncfs(fd) == 0, "syncfs");
	return 0;
}
