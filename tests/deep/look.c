/* SPDX-License-Identifier: MIT */
/* look.c: looks into other processes in all seven ways, as fast as it can:
 *
 *	look UID GID
 *
 * As that user; reads numbers of processes from standard input, a line each,
 * and after each one tries until the process is gone or a zombie or a second
 * has passed; then prints a line: how many tries of each way, and how many got
 * through, as NAME:TRIES:THROUGH.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool opens(pid_t pid, const char *name)
{
	char path[64], byte;
	int fd;
	bool got;

	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* That of memory can only be read where something is mapped; maps of a
	 * process that may not be looked at are empty. */
	got = strcmp(name, "mem") == 0 || strcmp(name, "fd") == 0 ||
	      read(fd, &byte, 1) > 0;
	(void)close(fd);
	return got;
}

static bool by_ptrace(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0)
		return false;
	/* It is let go when this process ends; until then it runs on. */
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 &&
	    waitpid(pid, NULL, __WALL) == pid)
		(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return true;
}

static bool by_mem(pid_t pid) { return opens(pid, "mem"); }
static bool by_maps(pid_t pid) { return opens(pid, "maps"); }
static bool by_fd(pid_t pid) { return opens(pid, "fd"); }
static bool by_environ(pid_t pid) { return opens(pid, "environ"); }

static bool by_getfd(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), fd;

	if (pidfd < 0)
		return false;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
	(void)close(pidfd);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool by_vm(pid_t pid)
{
	char byte;
	struct iovec local = {&byte, 1}, remote = {&byte, 1};

	/* The same address need not be mapped there: EFAULT is a success. */
	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1 ||
	       errno == EFAULT;
}

static const struct {
	const char *name;
	bool (*look)(pid_t);
} ways[] = {
	{"ptrace", by_ptrace}, {"mem", by_mem},		{"maps", by_maps},
	{"fd", by_fd},	       {"environ", by_environ}, {"pidfd_getfd", by_getfd},
	{"process_vm_readv", by_vm},
};

enum { WAYS = sizeof ways / sizeof *ways };

static bool lives(pid_t pid)
{
	char path[64], text[256];
	const char *end;
	ssize_t got;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (got <= 0)
		return false;
	text[got] = 0;
	end = strrchr(text, ')');
	return end && end[1] && end[2] != 'Z' && end[2] != 'X';
}

static void look(pid_t pid)
{
	unsigned long tries[WAYS] = {0}, through[WAYS] = {0};
	struct timespec start, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (size_t i = 0; i < WAYS; i++) {
			bool got = ways[i].look(pid);

			tries[i]++;
			through[i] += got;
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (lives(pid) && (now.tv_sec - start.tv_sec) * 1000 +
				       (now.tv_nsec - start.tv_nsec) / 1000000 <
				       1000);
	for (size_t i = 0; i < WAYS; i++)
		printf("%s:%lu:%lu%c", ways[i].name, tries[i], through[i],
		       i + 1 < WAYS ? ' ' : '\n');
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[32];
	gid_t gid;
	uid_t uid;

	if (argc != 3)
		return 2;
	uid = (uid_t)atoi(argv[1]);
	gid = (gid_t)atoi(argv[2]);
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return 1;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (fgets(line, sizeof line, stdin))
		look((pid_t)atoi(line));
	return 0;
}
