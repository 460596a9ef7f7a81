/* SPDX-License-Identifier: MIT */
/* nomalloc.c: preloaded, the FAIL_AT-th allocation of the program fails, and of
 * each of its children; with FAIL_CHILD of those alone that are root no more. Then
 * the file FAIL_MARK has an x. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static unsigned long count, fail_at;
static char *mark;
static bool spares_root;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_AT"), *path = getenv("FAIL_MARK");

	/* Mapped while it can be: a child closes what it has not opened. */
	if (path) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

		if (fd < 0 || ftruncate(fd, 1) != 0)
			abort();
		mark = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (mark == MAP_FAILED)
			abort();
		close(fd);
	}
	unsetenv("LD_PRELOAD");
	count = 0;
	spares_root = getenv("FAIL_CHILD") != NULL;
	fail_at = at ? strtoul(at, NULL, 10) : 0;
}

static bool fails(void)
{
	if (!fail_at || (spares_root && geteuid() == 0) || ++count != fail_at)
		return false;
	*mark = 'x';
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
