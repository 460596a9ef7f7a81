/* SPDX-License-Identifier: MIT */
/* swap.c: changes what names stand for, as fast as it can:
 *
 *	swap UID GID SECONDS [KIND A B] ...
 *
 * As that user; one process for each KIND A B, until SIGTERM or the time is
 * over. x: A and B change places (both are there). s: A is a symbolic link to
 * B, and gone again. h: the same with a hard link. f: a pipe. d: a directory.
 * m: A is renamed to B and back. Prints how many times that was done.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 32 };

static volatile sig_atomic_t over;

static void on_end(int number)
{
	(void)number;
	over = 1;
}

static unsigned long there_and_back(const char *a, const char *b)
{
	bool done = rename(a, b) == 0;

	/* Somebody may have made a new one meanwhile. */
	return done + (rename(b, a) == 0);
}

static unsigned long plant(char kind, const char *a, const char *b)
{
	bool done = false;

	if (kind == 's')
		done = symlink(b, a) == 0;
	else if (kind == 'h')
		done = link(b, a) == 0;
	else if (kind == 'f')
		done = mkfifo(a, 0666) == 0;
	else if (kind == 'd')
		done = mkdir(a, 0777) == 0;
	if (!done)
		return 0;
	return 1 + ((kind == 'd' ? rmdir(a) : unlink(a)) == 0);
}

static void attack(char kind, const char *a, const char *b,
		   unsigned long *count)
{
	while (!over) {
		if (kind == 'x')
			*count += renameat2(AT_FDCWD, a, AT_FDCWD, b,
					    RENAME_EXCHANGE) == 0;
		else if (kind == 'm')
			*count += there_and_back(a, b);
		else
			*count += plant(kind, a, b);
	}
}

int main(int argc, char **argv)
{
	const struct sigaction end = {.sa_handler = on_end};
	unsigned long *counts, sum = 0;
	int processes = (argc - 4) / 3;
	gid_t gid;
	uid_t uid;

	if (argc < 7 || processes > PROCESSES)
		return 2;
	uid = (uid_t)atoi(argv[1]);
	gid = (gid_t)atoi(argv[2]);
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return 1;
	/* A group of its own, which alone is told to end. */
	if (setpgid(0, 0) != 0)
		return 1;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)umask(0);
	counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		return 1;
	(void)sigaction(SIGTERM, &end, NULL);
	(void)sigaction(SIGALRM, &end, NULL);
	(void)alarm((unsigned)atoi(argv[3]));
	for (int i = 0; i < processes; i++) {
		char *const *how = argv + 4 + 3 * i;

		if (fork() != 0)
			continue;
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)alarm((unsigned)atoi(argv[3]));
		attack(how[0][0], how[1], how[2], &counts[i]);
		_exit(0);
	}
	puts("ready");
	(void)fflush(stdout);
	while (!over)
		(void)pause();
	(void)signal(SIGTERM, SIG_IGN);
	(void)kill(0, SIGTERM);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	for (int i = 0; i < processes; i++)
		sum += counts[i];
	printf("%lu\n", sum);
	return 0;
}
