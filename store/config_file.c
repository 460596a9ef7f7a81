/* SPDX-License-Identifier: MIT */
/* config_file.c: the settings of a store, from its directory. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

/* Whoever may write to it decides who popusr is. */
static const char *judge_owner(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it belongs neither to root nor to the caller";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others may write to it (chmod go-w)";
	return NULL;
}

/* Opens, judges and reads; *ret_len is CONFIG_SIZE_MAX + 1 when longer. */
static enum err slurp(int dirfd, char *ret_text, size_t *ret_len,
		      const char **ret_why)
{
	int fd = openat(dirfd, "config", O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
						 O_NONBLOCK | O_NOCTTY);
	enum err err = ERR_SYSTEM;
	size_t len = 0;
	struct stat st;
	ssize_t got;

	if (fd < 0)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM;
	if (fstat(fd, &st) != 0)
		goto out;
	*ret_why = S_ISREG(st.st_mode) ? judge_owner(&st)
				       : "it is not a regular file";
	if (*ret_why) {
		err = ERR_INVALID;
		goto out;
	}
	do {
		got = read(fd, ret_text + len, CONFIG_SIZE_MAX + 1 - len);
		if (got > 0)
			len += (size_t)got;
	} while ((got > 0 && len < (size_t)st.st_size) ||
		 (got < 0 && errno == EINTR));
	if (got < 0)
		goto out;
	*ret_len = len;
	err = ERR_OK;
out:
	(void)close(fd); /* read only: nothing can be lost */
	return err;
}

enum err config_read(const char *dir, struct config *ret_config,
		     struct config_fault *ret_fault)
{
	static char text[CONFIG_SIZE_MAX + 1];
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *why = NULL;
	size_t len = 0;
	struct stat st;
	enum err err;

	if (dirfd < 0)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM;
	if (fstat(dirfd, &st) != 0) {
		(void)close(dirfd);
		return ERR_SYSTEM;
	}
	why = judge_owner(&st);
	err = why ? ERR_INVALID : slurp(dirfd, text, &len, &why);
	(void)close(dirfd);
	if (err == ERR_OK && len > CONFIG_SIZE_MAX) {
		err = ERR_INVALID;
		why = "it is longer than 65536 bytes";
	}
	if (err == ERR_INVALID)
		*ret_fault = (struct config_fault){0, why};
	if (err != ERR_OK)
		return err;
	return config_parse(text, len, ret_config, ret_fault);
}
