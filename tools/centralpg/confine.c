/* SPDX-License-Identifier: MIT */
#include "confine.h"

#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of linux/landlock.h, version 1: all rights to files but those to read. */
enum {
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	ALL = (1 << 13) - 1,
};

bool confine_writes(void)
{
	const uint64_t handled = ALL & ~(uint64_t)(READ_FILE | READ_DIR);
	int fd;
	long rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	fd = (int)syscall(SYS_landlock_create_ruleset, &handled,
			  sizeof handled, 0);
	if (fd < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP;
	rc = syscall(SYS_landlock_restrict_self, fd, 0);
	(void)close(fd); /* nothing was written to it */
	return rc == 0;
}
