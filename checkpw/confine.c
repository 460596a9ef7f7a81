/* SPDX-License-Identifier: MIT */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of linux/landlock.h, whose version in Debian 12 knows less than a kernel
 * may. */
enum {
	VERSION = 1,   /* flag: only ask which */
	PATH_RULE = 1, /* type of a rule */
};

enum right {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_DIR = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_DIR = 1 << 7,
	MAKE_REG = 1 << 8,
	UP_TO_SYMLINK = (1 << 13) - 1, /* all of version 1 */
	REFER = 1 << 13,	       /* version 2: rename across directories */
	TRUNCATE = 1 << 14,	       /* version 3 */
	IOCTL_DEV = 1 << 15,	       /* version 5 */
};

enum { NET_TCP = 1 << 0 | 1 << 1 };	   /* version 4: bind, connect */
enum { SCOPE_OUTSIDE = 1 << 0 | 1 << 1 }; /* version 6: abstract sockets,
					    * signals */

struct ruleset {
	uint64_t files;
	uint64_t net;
	uint64_t scope;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static struct ruleset handled(long version)
{
	struct ruleset rules = {.files = UP_TO_SYMLINK | REFER};

	if (version >= 3)
		rules.files |= TRUNCATE;
	if (version >= 4)
		rules.net = NET_TCP;
	if (version >= 5)
		rules.files |= IOCTL_DEV;
	if (version >= 6)
		rules.scope = SCOPE_OUTSIDE;
	return rules;
}

static long allow_fd(int ruleset, int fd, uint64_t rights)
{
	const struct path_rule rule = {rights, fd};

	return syscall(SYS_landlock_add_rule, ruleset, PATH_RULE, &rule, 0);
}

/* What is not there needs no rule. What is no directory takes fewer rights. */
static bool allow(int ruleset, const char *path, uint64_t rights)
{
	int fd = open(path, O_PATH | O_CLOEXEC), saved;
	long rc;

	if (fd < 0)
		return errno == ENOENT || errno == EACCES;
	rc = allow_fd(ruleset, fd, rights);
	if (rc != 0 && errno == EINVAL)
		rc = allow_fd(ruleset, fd, rights & ~(uint64_t)READ_DIR);
	saved = errno;
	(void)close(fd); /* a path only */
	errno = saved;
	return rc == 0;
}

/* Each path of a list with one blank between them (config.c). */
static bool allow_list(int ruleset, const char *list, uint64_t rights)
{
	char path[CONFIG_TEXT_MAX + 1];

	while (*list) {
		size_t len = strcspn(list, " ");

		memcpy(path, list, len);
		path[len] = 0;
		if (!allow(ruleset, path, rights))
			return false;
		list += len + (list[len] != 0);
	}
	return true;
}

static bool fill(int ruleset, const struct config *config, const char *program,
		 uint64_t handled_files)
{
	const uint64_t read = EXECUTE | READ_FILE | READ_DIR;
	/* Nothing in a Maildir is ever run, linked to, or a device. */
	const uint64_t maildir =
		(READ_FILE | READ_DIR | WRITE_FILE | REMOVE_FILE | REMOVE_DIR |
		 MAKE_DIR | MAKE_REG | REFER | TRUNCATE) &
		handled_files;
	char bin[CONFIG_TEXT_MAX + 8];

	(void)snprintf(bin, sizeof bin, "%s/bin", config->qmail);
	return allow(ruleset, ".", maildir) &&
	       allow_list(ruleset, config->confine_read, read) &&
	       (!config_has_qmail(config) || allow(ruleset, bin, read)) &&
	       allow(ruleset, program, EXECUTE | READ_FILE) &&
	       allow(ruleset, "/dev/null", READ_FILE | WRITE_FILE);
}

/* A list that covers the mail root would open every box. */
static bool covers(const char *list, const char *home)
{
	while (*list) {
		size_t len = strcspn(list, " ");

		if (strncmp(list, home, len) == 0 &&
		    (home[len] == '/' || home[len] == 0))
			return true;
		list += len + (list[len] != 0);
	}
	return false;
}

static const char *restrict_files(const struct config *config,
				  const char *program, long version)
{
	const struct ruleset rules = handled(version);
	const char *why = NULL;
	long fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
	int saved;

	if (fd < 0)
		return "cannot confine (landlock_create_ruleset)";
	if (!fill((int)fd, config, program, rules.files))
		why = "cannot confine (landlock_add_rule)";
	else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		why = "cannot confine (no_new_privs)";
	else if (syscall(SYS_landlock_restrict_self, (int)fd, 0) != 0)
		why = "cannot confine (landlock_restrict_self)";
	saved = errno;
	(void)close((int)fd); /* the rules are ours now */
	errno = saved;
	return why;
}

const char *confine_files(const struct config *config, const char *program)
{
	const enum config_confine how = (enum config_confine)config->confine;
	long version;

	if (how == CONFIG_CONFINE_OFF)
		return NULL;
	errno = 0;
	if (covers(config->confine_read, config->home))
		return "the setting confine_read covers home";
	/* Asked here because of what is refused after the log line. */
	if (how == CONFIG_CONFINE_STRICT &&
	    prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		return "confine = strict, but the kernel has no seccomp";
	version = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION);
	if (version < 0 && errno != ENOSYS && errno != EOPNOTSUPP)
		return "cannot confine (landlock)";
	/* Version 1 forbids every rename from new to cur. */
	if (version >= 2)
		return restrict_files(config, program, version);
	errno = 0;
	return how == CONFIG_CONFINE_AUTO
		       ? NULL
		       : "confine wants Landlock of Linux 5.19 or later";
}
