/* confine_calls.c: the system calls that a POP server never needs, refused
 * with EPERM. A list of what is forbidden and not of what is allowed: a library
 * that calls something new must not lock all users out, and Landlock stands
 * beside it.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
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
enum { NR_FCHMODAT2 = 452, NR_SETXATTRAT = 463, NR_REMOVEXATTRAT = 466 };

static const unsigned forbidden[] = {
	/* files of others: what Landlock does not know, or not everywhere */
	SYS_truncate, SYS_ftruncate, SYS_fchmod, SYS_fchmodat, NR_FCHMODAT2,
	SYS_fchown, SYS_fchownat, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr,
	NR_SETXATTRAT, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
	NR_REMOVEXATTRAT, SYS_utimensat, SYS_mknodat, SYS_inotify_init1,
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
	SYS_migrate_pages, SYS_move_pages,
	/* the network: descriptors 0 and 1 are all it has */
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen,
	/* the kernel's wide doors */
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_bpf,
	SYS_perf_event_open, SYS_userfaultfd, SYS_unshare, SYS_setns, SYS_mount,
	SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, SYS_move_mount,
	SYS_fsopen, SYS_fspick, SYS_mount_setattr, SYS_add_key, SYS_request_key,
	SYS_keyctl, SYS_personality,
};

enum {
	FORBIDDEN = sizeof forbidden / sizeof *forbidden,
	NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
		     CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET,
};

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,                        \
			     offsetof(struct seccomp_data, field))
#define EQUALS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value,     \
					yes, no)

/* Numbers of system calls of another architecture mean other calls; of x32 the
 * same ones under other numbers. */
static const struct sock_filter head[] = {
	LOAD(arch),
	EQUALS(THIS_ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32 ? X32 : ~0U, 0, 1),
	REFUSE(ENOSYS),
};

enum { HEAD = sizeof head / sizeof *head, TAIL = 15 };

/* Signals and limits for itself alone; children, but no namespaces. clone3
 * hides its flags in memory: as if it were not there, libraries use clone. The
 * low half of an argument is at its address on both architectures. */
static void put_tail(struct sock_filter *at, unsigned pid)
{
	const struct sock_filter tail[TAIL] = {
		EQUALS(SYS_clone3, 0, 1),
		REFUSE(ENOSYS),
		EQUALS(SYS_clone, 0, 3),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 9, 0),
		ALLOW,
		EQUALS(SYS_kill, 4, 0),
		EQUALS(SYS_tgkill, 3, 0),
		EQUALS(SYS_prlimit64, 0, 4),
		LOAD(args[0]),
		EQUALS(0, 2, 1),
		LOAD(args[0]),
		EQUALS(pid, 0, 1),
		ALLOW,
		REFUSE(EPERM),
	};

	for (size_t i = 0; i < TAIL; i++)
		at[i] = tail[i];
}

const char *confine_calls(const struct config *config)
{
	static struct sock_filter filter[HEAD + FORBIDDEN + TAIL];
	const struct sock_fprog program = {HEAD + FORBIDDEN + TAIL, filter};

	if (config->confine != CONFIG_CONFINE_STRICT)
		return NULL;
	_Static_assert(FORBIDDEN + TAIL <= 255, "a jump is one byte");
	errno = 0;
#if !KNOWN_ARCH
	return "confine = strict is not known on this processor";
#endif
	for (size_t i = 0; i < HEAD; i++)
		filter[i] = head[i];
	/* All refusals share the last statement. */
	for (size_t i = 0; i < FORBIDDEN; i++)
		filter[HEAD + i] = (struct sock_filter)EQUALS(
			forbidden[i], (unsigned char)(FORBIDDEN - i + TAIL - 2),
			0);
	put_tail(filter + HEAD + FORBIDDEN, (unsigned)getpid());
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		return "cannot confine (seccomp)";
	return NULL;
}
