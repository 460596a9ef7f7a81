/* SPDX-License-Identifier: MIT */
/* qmaildir.h: a qmail's directory of a test's own, and what is said meanwhile. */
#ifndef POPBOX_QMAILDIR_H
#define POPBOX_QMAILDIR_H

#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char top[100], said[9000];
static int said_fd, before_fd[3];

static inline void place(const char *name, char ret_path[200])
{
	(void)snprintf(ret_path, 200, "%s/%s", top, name);
}

static inline void make_dir(const char *name)
{
	char path[200];

	place(name, path);
	assert_int_equal(mkdir(path, 0755), 0);
}

static inline void put(const char *name, const char *text, mode_t mode)
{
	char path[200];
	FILE *file;

	place(name, path);
	(void)unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fputs(text, file);
	assert_int_equal(fchmod(fileno(file), mode), 0);
	assert_int_equal(fclose(file), 0);
}

/* A script; its lines. */
static inline void program(const char *name, const char *lines)
{
	char text[600];

	(void)snprintf(text, sizeof text, "#!/bin/sh\n%s\n", lines);
	put(name, text, 0755);
}

/* "" where there is none. */
static inline const char *text_of(const char *name)
{
	static char text[4000];
	char path[200];
	ssize_t len;
	int fd;

	place(name, path);
	fd = open(path, O_RDONLY);
	len = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	text[len > 0 ? len : 0] = 0;
	if (fd >= 0)
		close(fd);
	return text;
}

static inline int qmaildir_start(void)
{
	static const char *const dirs[] = {"bin", "control", "users", "queue",
					   "queue/lock"};
	const char *const where = getenv("TMPDIR");

	(void)snprintf(top, sizeof top, "%s/popbox-unit.XXXXXX",
		       where && *where && strlen(where) < 60 ? where : "/tmp");
	if (!mkdtemp(top))
		return 1;
	for (size_t i = 0; i < COUNT(dirs); i++)
		make_dir(dirs[i]);
	return 0;
}

/* A directory with all that is in it. */
static inline int remove_all(char *path)
{
	FTS *tree = fts_open((char *[]){path, NULL}, FTS_PHYSICAL | FTS_NOCHDIR,
			     NULL);
	FTSENT *at;
	int rc = tree ? 0 : -1;

	while (rc == 0 && (at = fts_read(tree)) != NULL) {
		if (at->fts_info == FTS_DNR && chmod(at->fts_path, 0700) == 0)
			(void)fts_set(tree, at, FTS_AGAIN);
		else if (at->fts_info != FTS_D)
			rc = remove(at->fts_path);
	}
	return tree && fts_close(tree) == 0 ? rc : -1;
}

static inline int qmaildir_end(void)
{
	return remove_all(top);
}

/* What goes to stdout and stderr between the two is in said. */
static inline void said_start(void)
{
	char path[200];

	place("said", path);
	said_fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	(void)fflush(NULL);
	for (int fd = 1; fd <= 2; fd++) {
		before_fd[fd] = dup(fd);
		assert_int_equal(dup2(said_fd, fd), fd);
	}
}

static inline void said_end(void)
{
	ssize_t len;

	(void)fflush(NULL);
	for (int fd = 1; fd <= 2; fd++) {
		assert_int_equal(dup2(before_fd[fd], fd), fd);
		close(before_fd[fd]);
	}
	len = pread(said_fd, said, sizeof said - 1, 0);
	said[len > 0 ? len : 0] = 0;
	close(said_fd);
}

#endif
