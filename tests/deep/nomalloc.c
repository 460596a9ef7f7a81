/* nomalloc.c: preloaded, the FAIL_AT-th allocation of the program fails; then
 * the file FAIL_MARK gets a byte. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static unsigned long count, fail_at;
static int mark = -1;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_AT"), *path = getenv("FAIL_MARK");

	/* Opened while it can be, out of the way of the program's own. */
	if (path) {
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

		mark = fcntl(fd, F_DUPFD_CLOEXEC, 100);
		close(fd);
	}
	unsetenv("LD_PRELOAD");
	count = 0;
	fail_at = at ? strtoul(at, NULL, 10) : 0;
}

static bool fails(void)
{
	if (!fail_at || ++count != fail_at)
		return false;
	if (write(mark, "x", 1) != 1)
		abort();
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
