/* SPDX-License-Identifier: MIT */
/* nohash.c: preloaded, some hashes cannot be computed: for want of memory those
 * whose number is in NOHASH_FAIL ("2" or "1,3", counted from 1 over all threads),
 * and for ever those of libcrypt whose setting begins with NOHASH_SCHEME. Before
 * the first one the command NOHASH_FIRST is run. An fsync of a file whose name ends
 * in NOHASH_FSYNC fails. With
 * NOHASH_SLOW one that succeeds takes longer than one that fails, so that it is
 * reported after it. */
#include <crypt.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int count;

static int fails(int number)
{
	const char *at = getenv("NOHASH_FAIL");

	while (at && *at) {
		char *end;

		if (strtol(at, &end, 10) == number)
			return 1;
		at = *end ? end + 1 : end;
	}
	return 0;
}

int crypto_pwhash(unsigned char *out, unsigned long long outlen,
		  const char *passwd, unsigned long long passwdlen,
		  const unsigned char *salt, unsigned long long opslimit,
		  size_t memlimit, int alg)
{
	int (*real)(unsigned char *, unsigned long long, const char *,
		    unsigned long long, const unsigned char *,
		    unsigned long long, size_t, int) =
		dlsym(RTLD_NEXT, "crypto_pwhash");
	int number = atomic_fetch_add(&count, 1) + 1;

	if (number == 1 && getenv("NOHASH_FIRST")) {
		char *command = strdup(getenv("NOHASH_FIRST"));

		unsetenv("LD_PRELOAD");
		unsetenv("NOHASH_FIRST");
		if (system(command) != 0)
			abort();
		free(command);
	}
	if (fails(number)) {
		errno = ENOMEM;
		return -1;
	}
	if (getenv("NOHASH_SLOW"))
		usleep(100000);
	return real(out, outlen, passwd, passwdlen, salt, opslimit, memlimit,
		    alg);
}

char *crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
	char *(*real)(const char *, const char *, void *, int) =
		dlsym(RTLD_NEXT, "crypt_rn");
	const char *scheme = getenv("NOHASH_SCHEME");

	if (scheme && strncmp(setting, scheme, strlen(scheme)) == 0) {
		errno = EINVAL;
		return NULL;
	}
	return real(phrase, setting, data, size);
}

int fsync(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
	const char *suffix = getenv("NOHASH_FSYNC");
	char link[64], path[4096] = "";
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 1);
	if (suffix && len >= (ssize_t)strlen(suffix) &&
	    strcmp(path + len - strlen(suffix), suffix) == 0) {
		errno = EIO;
		return -1;
	}
	return real(fd);
}
