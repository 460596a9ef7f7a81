/* SPDX-License-Identifier: MIT */
/* spawn COUNT LOGIN PASSWORD PROGRAM [ARG ...]: so many logins one after the
 * other, each a process of its own that finds the record on descriptor 3.
 * Prints what one took in the median: nanoseconds of processor time, page
 * faults, and the exit code of the last, or -1 where they differ.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORD_FD = 3, COUNT_MAX = 100000 };

struct took {
	long ns, faults;
	int code;
};

static void need(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

/* The record lies in a pipe before the process starts: nobody waits. */
static struct took one(char **argv, const char *record, size_t len)
{
	extern char **environ;
	struct rusage use;
	int ends[2], status;
	pid_t pid;

	need(pipe2(ends, O_CLOEXEC) == 0, "pipe");
	need(write(ends[1], record, len) == (ssize_t)len, "write");
	need(close(ends[1]) == 0, "close");
	need(ends[0] == RECORD_FD && fcntl(RECORD_FD, F_SETFD, 0) == 0, "fcntl");
	need(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) == 0,
	     argv[0]);
	need(close(RECORD_FD) == 0, "close");
	need(wait4(pid, &status, 0, &use) == pid, "wait4");
	return (struct took){
		.ns = (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000 +
		      (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000,
		.faults = use.ru_minflt,
		.code = WIFEXITED(status) ? WEXITSTATUS(status) : 255,
	};
}

static int by_ns(const void *a, const void *b)
{
	const struct took *one = a, *other = b;

	return (one->ns > other->ns) - (one->ns < other->ns);
}

static int by_faults(const void *a, const void *b)
{
	const struct took *one = a, *other = b;

	return (one->faults > other->faults) - (one->faults < other->faults);
}

int main(int argc, char **argv)
{
	static struct took took[COUNT_MAX];
	char record[512];
	size_t count;
	int len, code;
	long ns;

	if (argc < 5 || (count = strtoul(argv[1], NULL, 10)) == 0 ||
	    count > COUNT_MAX) {
		fprintf(stderr,
			"usage: spawn COUNT LOGIN PASSWORD PROGRAM [ARG ...]\n");
		return 2;
	}
	(void)close(RECORD_FD); /* whatever it was */
	len = snprintf(record, sizeof record, "%s%c%s%c<1.2@host>%c", argv[2],
		       0, argv[3], 0, 0);
	need(len > 0 && (size_t)len < sizeof record, "record");
	for (size_t i = 0; i < count; i++)
		took[i] = one(argv + 4, record, (size_t)len);
	code = took[0].code;
	for (size_t i = 1; i < count; i++)
		code = took[i].code == code ? code : -1;
	qsort(took, count, sizeof *took, by_ns);
	ns = took[count / 2].ns;
	qsort(took, count, sizeof *took, by_faults);
	printf("%ld %ld %d\n", ns, took[count / 2].faults, code);
	return 0;
}
