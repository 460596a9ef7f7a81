/* SPDX-License-Identifier: MIT */
#include "confined.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"

enum { NOBODY = 65534 };

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

/* Reading, writing, memory, and the end; the rest of them is asked by nobody but
 * tools that look for defects. */
static const unsigned allowed[] = {
	SYS_read, SYS_write, SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap,
	SYS_madvise, SYS_exit, SYS_exit_group, SYS_rt_sigreturn,
	SYS_rt_sigprocmask, SYS_getpid, SYS_gettid, SYS_clock_gettime, SYS_futex,
};

enum { ALLOWED = sizeof allowed / sizeof *allowed };

/* All but these are refused with EPERM. */
static bool build_walls(void)
{
#if defined(THIS_ARCH) && !defined(__SANITIZE_ADDRESS__)
	struct sock_filter code[ALLOWED + 6];
	struct sock_fprog program = {.filter = code};
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						 THIS_ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						 SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (int i = 0; i < ALLOWED; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, allowed[i],
			(unsigned char)(ALLOWED - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						 SECCOMP_RET_ERRNO | EPERM);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						 SECCOMP_RET_ALLOW);
	program.len = n;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
#else
	return true;
#endif
}

bool confined(void)
{
	const bool root = geteuid() == 0;

	return !child_drop(root ? NOBODY : geteuid(),
			   root ? NOBODY : getegid()) &&
	       build_walls();
}

ssize_t confined_read(int fd, void *bytes, size_t room)
{
	ssize_t got;

	do
		got = read(fd, bytes, room);
	while (got < 0 && errno == EINTR);
	return got;
}

bool confined_read_all(int fd, void *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t got = confined_read(fd, (char *)bytes + at, len - at);

		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

bool confined_write(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t put = write(fd, at, len);

		if (put < 0 && errno != EINTR)
			return false;
		if (put > 0) {
			at += put;
			len -= (size_t)put;
		}
	}
	return true;
}
