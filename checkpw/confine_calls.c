/* SPDX-License-Identifier: MIT */
/* confine_calls.c: the system calls that a POP server never needs, refused
 * with EPERM. A list of what is forbidden and not of what is allowed: a library
 * that calls something new must not lock all users out, and Landlock stands
 * beside it.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"

#if defined(__x86_64__)
enum { X32 = 0x40000000 };
#define KNOWN_ARCH 1
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
enum { X32 = 0 };
#define KNOWN_ARCH 1
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
enum { X32 = 0 };
#define KNOWN_ARCH 0
#define THIS_ARCH 0
#endif

/* Younger than Debian 12's headers; the same on every architecture. */
enum {
	NR_FCHMODAT2 = 452,
	NR_SETXATTRAT = 463,
	NR_REMOVEXATTRAT = 466,
	NR_OPEN_TREE_ATTR = 467,
	NR_FILE_SETATTR = 469,
};

static const unsigned forbidden[] = {
	/* files of others: what Landlock does not know, or not everywhere */
	SYS_truncate, SYS_ftruncate, SYS_fchmod, SYS_fchmodat, NR_FCHMODAT2,
	SYS_fchown, SYS_fchownat, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr,
	NR_SETXATTRAT, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
	NR_REMOVEXATTRAT, NR_FILE_SETATTR, SYS_utimensat, SYS_mknodat, SYS_inotify_init1,
	SYS_inotify_add_watch, SYS_fanotify_init, SYS_name_to_handle_at,
	SYS_open_by_handle_at,
#if defined(__x86_64__)
	SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
	SYS_mknod, SYS_inotify_init,
#endif
	/* processes of others */
	SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_ptrace,
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_process_madvise,
	SYS_pidfd_open, SYS_pidfd_getfd, SYS_pidfd_send_signal, SYS_kcmp,
	SYS_setpriority, SYS_sched_setaffinity, SYS_sched_setscheduler,
	SYS_sched_setparam, SYS_sched_setattr, SYS_ioprio_set,
	SYS_migrate_pages, SYS_move_pages, SYS_process_mrelease,
	/* what outlives a process and is shared by all of one user */
	SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget, SYS_semop,
	SYS_semtimedop, SYS_semctl, SYS_msgget, SYS_msgsnd, SYS_msgrcv,
	SYS_msgctl, SYS_mq_open, SYS_mq_unlink,
	/* the network: descriptors 0 and 1 are all it has */
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen,
	/* the kernel's wide doors */
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_bpf,
	SYS_perf_event_open, SYS_userfaultfd, SYS_unshare, SYS_setns, SYS_mount,
	SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree,
	NR_OPEN_TREE_ATTR, SYS_move_mount, SYS_fsopen, SYS_fsconfig,
	SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_add_key,
	SYS_request_key, SYS_keyctl, SYS_personality, SYS_syslog,
};

/* Of fcntl and ioctl only what a POP server uses: others send signals to any
 * process of popusr (F_SETOWN, FIOSETOWN, SIOCSPGRP), type into a terminal
 * (TIOCSTI), or stop others from opening a file (F_SETLEASE). */
static const unsigned fcntls[] = {
	F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK,
	F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_DUPFD_CLOEXEC,
	F_GETPIPE_SZ,
};
static const unsigned ioctls[] = {
	TCGETS, TCGETS2, TIOCGPGRP, TIOCGWINSZ, TIOCOUTQ, FIONREAD, FIONBIO,
	FIONCLEX, FIOCLEX,
};

/* The system call is allowed with these values of one argument only. */
struct only {
	unsigned nr;
	unsigned argument;
	const unsigned *values;
	size_t count;
};

/* The system call is refused with any of these bits in one argument; where
 * `is` is not 0, only if the second argument has that value. */
struct never {
	unsigned nr;
	unsigned argument;
	unsigned bits;
	unsigned is;
};

enum {
	COUNT_FORBIDDEN = sizeof forbidden / sizeof *forbidden,
	COUNT_FCNTLS = sizeof fcntls / sizeof *fcntls,
	COUNT_IOCTLS = sizeof ioctls / sizeof *ioctls,
	/* CLONE_PARENT makes a child of the caller's caller. */
	CLONES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
		 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_PARENT,
};

/* At a terminal O_ASYNC makes its foreground group the receiver of signals. */
static const struct never nevers[] = {
	{SYS_clone, 0, CLONES, 0},
	{SYS_fcntl, 2, O_ASYNC, F_SETFL},
};

/* A program under construction; at most 255 statements lie between a jump and
 * its target. */
struct code {
	struct sock_filter *at;
	unsigned len;
};

static void put(struct code *code, unsigned short what, unsigned char yes,
		unsigned char no, unsigned value)
{
	code->at[code->len++] = (struct sock_filter){what, yes, no, value};
}

static void load(struct code *code, size_t offset)
{
	put(code, BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset);
}

/* The low half of an argument is at its address on both architectures. The
 * kernel looks at no more of these. */
static void load_argument(struct code *code, unsigned argument)
{
	load(code, offsetof(struct seccomp_data, args) +
			   argument * sizeof(uint64_t));
}

/* How many statements are passed over where the value is another. */
static void unless_equal(struct code *code, unsigned value, size_t statements)
{
	put(code, BPF_JMP | BPF_JEQ | BPF_K, 0, (unsigned char)statements,
	    value);
}

static void end(struct code *code, unsigned answer)
{
	put(code, BPF_RET | BPF_K, 0, 0, answer);
}

static void put_only(struct code *code, const struct only *only)
{
	unless_equal(code, only->nr, only->count + 3);
	load_argument(code, only->argument);
	for (size_t i = 0; i < only->count; i++)
		put(code, BPF_JMP | BPF_JEQ | BPF_K,
		    (unsigned char)(only->count - i), 0, only->values[i]);
	end(code, SECCOMP_RET_ERRNO | EPERM);
	end(code, SECCOMP_RET_ALLOW);
}

static void put_never(struct code *code, const struct never *never)
{
	unless_equal(code, never->nr, never->is ? 6 : 4);
	if (never->is) {
		load_argument(code, 1);
		unless_equal(code, never->is, 3);
	}
	load_argument(code, never->argument);
	put(code, BPF_JMP | BPF_JSET | BPF_K, 0, 1, never->bits);
	end(code, SECCOMP_RET_ERRNO | EPERM);
	load(code, offsetof(struct seccomp_data, nr));
}

/* Numbers of system calls of another architecture mean other calls; of x32 the
 * same ones under other numbers. clone3 hides its flags in memory: as if it
 * were not there, libraries use clone. */
static void put_head(struct code *code)
{
	load(code, offsetof(struct seccomp_data, arch));
	put(code, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, THIS_ARCH);
	end(code, SECCOMP_RET_KILL_PROCESS);
	load(code, offsetof(struct seccomp_data, nr));
	put(code, BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32 ? X32 : ~0U);
	end(code, SECCOMP_RET_ERRNO | ENOSYS);
	unless_equal(code, SYS_clone3, 1);
	end(code, SECCOMP_RET_ERRNO | ENOSYS);
	for (size_t i = 0; i < COUNT_FORBIDDEN; i++) {
		unless_equal(code, forbidden[i], 1);
		end(code, SECCOMP_RET_ERRNO | EPERM);
	}
}

struct sock_fprog confine_program(unsigned pid)
{
	static struct sock_filter filter[CONFINE_PROGRAM_MAX];
	/* Signals and limits for itself alone. */
	const unsigned self[] = {pid, 0};
	const struct only onlys[] = {
		{SYS_kill, 0, self, 1},
		{SYS_tgkill, 0, self, 1},
		{SYS_prlimit64, 0, self, 2},
		{SYS_fcntl, 1, fcntls, COUNT_FCNTLS},
		{SYS_ioctl, 1, ioctls, COUNT_IOCTLS},
	};
	struct code code = {filter, 0};

	put_head(&code);
	for (size_t i = 0; i < sizeof nevers / sizeof *nevers; i++)
		put_never(&code, &nevers[i]);
	for (size_t i = 0; i < sizeof onlys / sizeof *onlys; i++)
		put_only(&code, &onlys[i]);
	end(&code, SECCOMP_RET_ALLOW);
	return (struct sock_fprog){(unsigned short)code.len, filter};
}

const char *confine_calls(const struct config *config)
{
	struct sock_fprog program;

	if (config->confine != CONFIG_CONFINE_STRICT)
		return NULL;
	errno = 0;
#if !KNOWN_ARCH
	return "confine = strict is not known on this processor";
#endif
	program = confine_program((unsigned)getpid());
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		return "cannot confine (seccomp)";
	return NULL;
}
