/* SPDX-License-Identifier: MIT */
/* watched.c: preloaded into a program that was built with -finstrument-functions,
 * says which function ends while the bytes of a secret lie in its own frame, and
 * which memory is given back with them in it. WATCHED_OF: secrets, with commas, in
 * hexadecimal, each byte xor 0x5a, so that the variable itself does not have them.
 * WATCHED_IN: the file that gets what is found, one line each: "frame ADDRESS",
 * "heap ADDRESS" or "map ADDRESS", of the function or the caller, counted from the
 * program's start. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOOK __attribute__((no_instrument_function))

enum { MASK = 0x5a, SECRETS = 8, SECRET_MAX = 64, LINES = 4096, LINE = 32, DEPTH = 32 };

static unsigned char masked[SECRETS][SECRET_MAX];
static size_t len[SECRETS], secrets;
static uintptr_t base;
/* Shared, since a login is shut in and cannot write later. */
static struct found {
	unsigned long used;
	char line[LINES][LINE];
} *found;

HOOK static int program(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	base = info->dlpi_addr; /* the first is the program */
	return 1;
}

HOOK static void read_secrets(const char *of)
{
	unsigned byte;

	for (; *of && secrets < SECRETS; of += *of == ',') {
		for (; of[0] && of[0] != ','; of += 2) {
			if (len[secrets] == SECRET_MAX ||
			    sscanf(of, "%2x", &byte) != 1)
				abort();
			masked[secrets][len[secrets]++] = (unsigned char)byte;
		}
		secrets++;
	}
}

HOOK __attribute__((constructor)) static void begin(void)
{
	const char *of = getenv("WATCHED_OF"), *in = getenv("WATCHED_IN");
	int fd = in ? open(in, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
	struct found *map;

	if (!of || fd < 0 || ftruncate(fd, sizeof *found) != 0)
		abort();
	read_secrets(of);
	dl_iterate_phdr(program, NULL);
	map = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	close(fd);
	if (map == MAP_FAILED)
		abort();
	found = map;
	unsetenv("LD_PRELOAD"); /* for this program alone */
}

HOOK static int matches(const unsigned char *at, size_t n)
{
	size_t i = 0;

	while (i < len[n] && (at[i] ^ MASK) == masked[n][i])
		i++;
	return i == len[n];
}

HOOK static int has(const unsigned char *from, const unsigned char *to)
{
	for (size_t n = 0; n < secrets; n++) {
		const unsigned char *at = from;

		while (at + len[n] <= to) {
			at = memchr(at, masked[n][0] ^ MASK,
				    (size_t)(to - at) - len[n] + 1);
			if (!at)
				break;
			if (matches(at, n))
				return 1;
			at++;
		}
	}
	return 0;
}

HOOK static void report(const char *what, const void *where)
{
	unsigned long at = __atomic_fetch_add(&found->used, 1, __ATOMIC_SEQ_CST);

	if (at < LINES)
		(void)snprintf(found->line[at], LINE, "%s %lx\n", what,
			       (unsigned long)((uintptr_t)where - base));
}

HOOK void __cyg_profile_func_enter(void *function, void *caller)
{
	(void)function;
	(void)caller;
}

/* What lies between here and where the function that ends was called from is
 * its own. */
HOOK void __cyg_profile_func_exit(void *function, void *caller)
{
	const unsigned char *top = __builtin_frame_address(1);

	(void)caller;
	if (found && has((unsigned char *)__builtin_frame_address(0), top))
		report("frame", function);
}

extern void __libc_free(void *bytes);
extern void *__libc_malloc(size_t size);

/* Who called the library that gives it back. */
HOOK static void *in_program(void *caller)
{
	void *from[DEPTH];
	const int depth = backtrace(from, DEPTH);
	Dl_info info;

	for (int i = 0; i < depth; i++) {
		if (dladdr(from[i], &info) && (uintptr_t)info.dli_fbase == base)
			return from[i];
	}
	return caller;
}

/* What libraries hold of their own is beyond us: LMDB the pages that it wrote,
 * libsodium and libcrypt what they compute with. */
HOOK static void given_back(void *bytes, void *caller)
{
	static const char *const own[] = {"liblmdb", "libsodium", "libcrypt"};
	Dl_info info;

	if (!found || !bytes ||
	    !has(bytes, (unsigned char *)bytes + malloc_usable_size(bytes)))
		return;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		if (dladdr(caller, &info) && strstr(info.dli_fname, own[i]))
			return;
	}
	report("heap", in_program(caller));
}

/* Empty, or who gets it is blamed for whoever had it. */
HOOK void *malloc(size_t size)
{
	void *got = __libc_malloc(size);

	if (got)
		memset(got, 0, malloc_usable_size(got));
	return got;
}


/* What was written there is gone for the kernel only when it gives it away. */
HOOK int munmap(void *bytes, size_t size)
{
	Dl_info info;

	if (found && dladdr(__builtin_return_address(0), &info) &&
	    (uintptr_t)info.dli_fbase == base &&
	    has(bytes, (unsigned char *)bytes + size))
		report("map", __builtin_return_address(0));
	return (int)syscall(SYS_munmap, bytes, size);
}

HOOK void free(void *bytes)
{
	given_back(bytes, __builtin_return_address(0));
	__libc_free(bytes);
}

/* Always elsewhere, so that what it would leave behind is seen. */
HOOK void *realloc(void *bytes, size_t size)
{
	const size_t had = bytes ? malloc_usable_size(bytes) : 0;
	void *got = malloc(size);

	if (got && bytes) {
		memcpy(got, bytes, had < size ? had : size);
		given_back(bytes, __builtin_return_address(0));
		__libc_free(bytes);
	}
	return got;
}
