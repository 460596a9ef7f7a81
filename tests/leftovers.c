/* SPDX-License-Identifier: MIT */
/* leftovers.c: preloaded, says how often the bytes in LEFTOVERS_OF (hexadecimal,
 * each xor 0x5a, so that the variable itself does not have them) lie in the memory
 * of the process: one line in the file LEFTOVERS_IN when the first hash is
 * computed ("hash N") and one at the end ("end N"). */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAPS = 1 << 20, MASK = 0x5a };

static unsigned char masked[256];
static size_t len;
static char path[4096], maps[MAPS];
static int seen;

__attribute__((constructor)) static void begin(void)
{
	const char *of = getenv("LEFTOVERS_OF"), *in = getenv("LEFTOVERS_IN");
	unsigned byte;

	if (!of || !in || strlen(in) >= sizeof path)
		abort();
	memcpy(path, in, strlen(in) + 1);
	for (; of[0] && of[1] && len < sizeof masked; of += 2) {
		sscanf(of, "%2x", &byte);
		masked[len++] = (unsigned char)byte;
	}
	unsetenv("LD_PRELOAD"); /* not the helper */
}

static int matches(const unsigned char *at)
{
	size_t i = 0;

	while (i < len && (at[i] ^ MASK) == masked[i])
		i++;
	return i == len;
}

static unsigned long count_in(const unsigned char *from, const unsigned char *to)
{
	unsigned long count = 0;

	for (; from + len <= to; from++) {
		from = memchr(from, masked[0] ^ MASK, (size_t)(to - from));
		if (!from || from + len > to)
			break;
		count += (unsigned long)matches(from);
	}
	return count;
}

static void report(const char *when)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	unsigned long count = 0;
	size_t got = 0;
	ssize_t n;
	char text[64];

	while (fd >= 0 && (n = read(fd, maps + got, MAPS - 1 - got)) > 0)
		got += (size_t)n;
	if (fd < 0 || got == 0 || got == MAPS - 1)
		abort();
	close(fd);
	maps[got] = 0;
	for (char *line = maps; *line; line = strchr(line, '\n') + 1) {
		unsigned long from, to;
		char rights[5];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 &&
		    strncmp(rights, "rw", 2) == 0 && rights[3] == 'p')
			count += count_in((unsigned char *)from,
					  (unsigned char *)to);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	n = snprintf(text, sizeof text, "%s %lu\n", when, count);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		abort();
	close(fd);
}

__attribute__((destructor)) static void end(void)
{
	report("end");
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

	if (!seen++)
		report("hash");
	return real(out, outlen, passwd, passwdlen, salt, opslimit, memlimit,
		    alg);
}
