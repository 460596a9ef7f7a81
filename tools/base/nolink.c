#include "nolink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int nolink_open(const char *top, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (unsigned)(flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK |
				    O_NOCTTY),
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	const size_t len = strlen(top);
	int dir = AT_FDCWD, fd, saved;

	if (len && strncmp(path, top, len) != 0) {
		errno = EINVAL;
		return -1;
	}
	if (len) {
		dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return -1;
		path += len;
		path += strspn(path, "/");
	}
	fd = (int)syscall(SYS_openat2, dir, *path ? path : ".", &how,
			  sizeof how);
	saved = errno;
	if (len)
		(void)close(dir); /* a directory, read only */
	errno = saved;
	return fd;
}
