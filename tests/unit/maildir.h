/* SPDX-License-Identifier: MIT */
/* maildir.h: a Maildir of a test, and what lies in it. */
#ifndef POPBOX_UNIT_MAILDIR_H
#define POPBOX_UNIT_MAILDIR_H

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char maildir_top[] = "/tmp/popbox-unit.XXXXXX";
static int maildir_fd = -1;

static int maildir_set_up(void **state)
{
	static const char *const parts[] = {"new", "cur", "tmp"};

	(void)state;
	(void)snprintf(maildir_top, sizeof maildir_top,
		       "/tmp/popbox-unit.XXXXXX");
	if (!mkdtemp(maildir_top) || chdir(maildir_top) != 0 ||
	    mkdir("box", 0700) != 0 || chdir("box") != 0)
		return 1;
	for (size_t i = 0; i < COUNT(parts); i++) {
		if (mkdir(parts[i], 0700) != 0)
			return 1;
	}
	maildir_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return maildir_fd < 0;
}

static int maildir_remove(const char *path, const struct stat *st, int what,
			  struct FTW *ftw)
{
	(void)st;
	(void)what;
	(void)ftw;
	return remove(path);
}

static int maildir_tear_down(void **state)
{
	(void)state;
	close(maildir_fd);
	return chdir("/") != 0 ||
	       nftw(maildir_top, maildir_remove, 8, FTW_DEPTH | FTW_PHYS) != 0;
}

/* A file of so many bytes, or with a text. */
static void maildir_put(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	if (text)
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	else
		assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

static const char *maildir_text(const char *path)
{
	static char text[8192];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[len < 0 ? 0 : len] = 0;
	return len < 0 ? "" : text;
}

/* Times of everything a usage depends on, so many seconds back. */
static inline void maildir_age(const char *path, long ago)
{
	const struct timespec when[2] = {{.tv_sec = time(NULL) - ago},
					 {.tv_sec = time(NULL) - ago}};

	assert_int_equal(utimensat(AT_FDCWD, path, when, AT_SYMLINK_NOFOLLOW),
			 0);
}

static inline size_t maildir_entries(const char *path)
{
	DIR *list = opendir(path);
	size_t count = 0;

	while (list && readdir(list))
		count++;
	if (list)
		closedir(list);
	return count - 2;
}

#define SAYS_IN_MAILDIR(sentence, function)                                   \
	{                                                                     \
		sentence, function, maildir_set_up, maildir_tear_down, NULL   \
	}

#endif
