/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <asm/sockios.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "checkpw/confine.h"

/* What `confine = strict` does with each system call: its program is run here,
 * by a machine as small as what it uses. The tables are written anew, so that
 * a call that is dropped from one of them is seen. */

enum { PID = 4711, X32_BIT = 0x40000000, SOME_CALLS = 600 };

static unsigned load(const struct seccomp_data *data, unsigned offset)
{
	unsigned value;

	assert_true(offset + sizeof value <= sizeof *data);
	memcpy(&value, (const char *)data + offset, sizeof value);
	return value;
}

/* The answer of the program to one call. */
static unsigned answer(const struct seccomp_data *data)
{
	const struct sock_fprog program = confine_program(PID);
	unsigned value = 0, at = 0;

	assert_true(program.len <= CONFINE_PROGRAM_MAX);
	for (;;) {
		const struct sock_filter *s = &program.filter[at++];
		bool yes = false;

		assert_true(at <= program.len);
		switch (s->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			value = load(data, s->k);
			continue;
		case BPF_RET | BPF_K:
			return s->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = value == s->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = value >= s->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			yes = value & s->k;
			break;
		default:
			fail_msg("statement %u is %x", at - 1, s->code);
		}
		at += yes ? s->jt : s->jf;
	}
}

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define OTHER_ARCH AUDIT_ARCH_I386
#else
#define ARCH AUDIT_ARCH_AARCH64
#define OTHER_ARCH AUDIT_ARCH_ARM
#endif

static unsigned call(unsigned nr, uint64_t a, uint64_t b, uint64_t c)
{
	const struct seccomp_data data = {
		.nr = (int)nr, .arch = ARCH, .args = {a, b, c}};

	return answer(&data);
}

#define ALLOWED SECCOMP_RET_ALLOW
#define REFUSED (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)

/* Refused whatever its arguments are. */
static const unsigned refused[] = {
	/* files */
	SYS_truncate, SYS_ftruncate, SYS_fchmod, SYS_fchmodat,
	452 /* fchmodat2 */, SYS_fchown, SYS_fchownat, SYS_setxattr,
	SYS_lsetxattr, SYS_fsetxattr, 463 /* setxattrat */, SYS_removexattr,
	SYS_lremovexattr, SYS_fremovexattr, 466 /* removexattrat */,
	469 /* file_setattr */, SYS_utimensat, SYS_mknodat, SYS_inotify_init1,
	SYS_inotify_add_watch, SYS_fanotify_init, SYS_name_to_handle_at,
	SYS_open_by_handle_at,
#if defined(__x86_64__)
	SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
	SYS_mknod, SYS_inotify_init,
#endif
	/* processes */
	SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_ptrace,
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_process_madvise,
	SYS_process_mrelease, SYS_pidfd_open, SYS_pidfd_getfd,
	SYS_pidfd_send_signal, SYS_kcmp, SYS_setpriority,
	SYS_sched_setaffinity, SYS_sched_setscheduler, SYS_sched_setparam,
	SYS_sched_setattr, SYS_ioprio_set, SYS_migrate_pages, SYS_move_pages,
	/* shared by all processes of a user */
	SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget, SYS_semop,
	SYS_semtimedop, SYS_semctl, SYS_msgget, SYS_msgsnd, SYS_msgrcv,
	SYS_msgctl, SYS_mq_open, SYS_mq_unlink,
	/* network */
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen,
	/* the kernel */
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_bpf,
	SYS_perf_event_open, SYS_userfaultfd, SYS_unshare, SYS_setns,
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree,
	467 /* open_tree_attr */, SYS_move_mount, SYS_fsopen, SYS_fsconfig,
	SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_add_key,
	SYS_request_key, SYS_keyctl, SYS_personality, SYS_syslog,
};

/* These depend on an argument; see below. */
static const unsigned depend[] = {SYS_kill,	 SYS_tgkill, SYS_prlimit64,
				  SYS_fcntl,	 SYS_ioctl,  SYS_clone,
				  SYS_clone3};

static bool is_in(const unsigned *list, size_t count, unsigned nr)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i] == nr)
			return true;
	}
	return false;
}

static void every_call(void **state)
{
	(void)state;
	for (unsigned nr = 0; nr < SOME_CALLS; nr++) {
		const bool no = is_in(refused, COUNT(refused), nr);

		if (is_in(depend, COUNT(depend), nr))
			continue;
		if (call(nr, 0, 0, 0) != (no ? REFUSED : ALLOWED))
			fail_msg("call %u: %x", nr, call(nr, 0, 0, 0));
		if (call(nr, ~0ull, ~0ull, ~0ull) !=
		    (no ? REFUSED : ALLOWED))
			fail_msg("call %u with other arguments", nr);
	}
}

static void other_numbers(void **state)
{
	struct seccomp_data data = {.arch = ARCH};

	(void)state;
#if defined(__x86_64__)
	for (unsigned nr = 0; nr < SOME_CALLS; nr++)
		assert_int_equal(call(X32_BIT | nr, PID, 0, 0), ABSENT);
	assert_int_equal(call(~0u, 0, 0, 0), ABSENT);
	assert_int_equal(call(X32_BIT - 1, 0, 0, 0), ALLOWED);
#endif
	data.arch = OTHER_ARCH;
	for (data.nr = 0; data.nr < SOME_CALLS; data.nr++)
		assert_int_equal(answer(&data), SECCOMP_RET_KILL_PROCESS);
}

static void signals(void **state)
{
	static const int64_t others[] = {0, -1, 1, PID - 1, PID + 1, -PID};

	(void)state;
	assert_int_equal(call(SYS_kill, PID, 15, 0), ALLOWED);
	assert_int_equal(call(SYS_tgkill, PID, 4712, 15), ALLOWED);
	assert_int_equal(call(SYS_prlimit64, PID, 0, 0), ALLOWED);
	assert_int_equal(call(SYS_prlimit64, 0, 0, 0), ALLOWED);
	for (size_t i = 0; i < COUNT(others); i++) {
		const uint64_t pid = (uint64_t)others[i];

		assert_int_equal(call(SYS_kill, pid, 15, 0), REFUSED);
		assert_int_equal(call(SYS_tgkill, pid, PID, 15), REFUSED);
		assert_int_equal(call(SYS_prlimit64, pid, PID, 0),
				 pid ? REFUSED : ALLOWED);
	}
}

static void children(void **state)
{
	static const uint64_t bad[] = {
		CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
		CLONE_NEWUSER, CLONE_NEWPID,	CLONE_NEWNET, CLONE_PARENT};
	uint64_t all = 0;

	(void)state;
	assert_int_equal(call(SYS_clone3, 0, 0, 0), ABSENT);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(call(SYS_clone, bad[i] | 17, 0, 0), REFUSED);
		all |= bad[i];
	}
	assert_int_equal(call(SYS_clone, 0xffffffff & ~all, 0, 0), ALLOWED);
	assert_int_equal(call(SYS_clone, 17, all, all), ALLOWED);
}

static void commands(void **state)
{
	static const unsigned fcntls[] = {
		F_DUPFD,     F_GETFD,	   F_SETFD,	 F_GETFL,
		F_SETFL,     F_GETLK,	   F_SETLK,	 F_SETLKW,
		F_OFD_GETLK, F_OFD_SETLK,  F_OFD_SETLKW, F_DUPFD_CLOEXEC,
		F_GETPIPE_SZ};
	static const unsigned ioctls[] = {
		TCGETS,	  TCGETS2, TIOCGPGRP, TIOCGWINSZ, TIOCOUTQ,
		FIONREAD, FIONBIO, FIONCLEX,  FIOCLEX};

	(void)state;
	for (unsigned command = 0; command < 0x6000; command++) {
		assert_int_equal(call(SYS_fcntl, 0, command, 0),
				 is_in(fcntls, COUNT(fcntls), command)
					 ? ALLOWED
					 : REFUSED);
		assert_int_equal(call(SYS_ioctl, 0, command, 0),
				 is_in(ioctls, COUNT(ioctls), command)
					 ? ALLOWED
					 : REFUSED);
	}
	assert_int_equal(call(SYS_ioctl, 0, TCGETS2, 0), ALLOWED);
	assert_int_equal(call(SYS_ioctl, 0, FIOSETOWN, 0), REFUSED);
	assert_int_equal(call(SYS_ioctl, 0, SIOCSPGRP, 0),
			 REFUSED);
	assert_int_equal(call(SYS_ioctl, 0, TIOCSTI, 0), REFUSED);
	assert_int_equal(call(SYS_fcntl, 0, F_SETFL, O_NONBLOCK), ALLOWED);
	assert_int_equal(call(SYS_fcntl, 0, F_SETFL, O_NONBLOCK | O_ASYNC),
			 REFUSED);
	assert_int_equal(call(SYS_fcntl, 0, F_SETFD, O_ASYNC), ALLOWED);
	assert_int_equal(call(SYS_fcntl, F_SETFL, F_GETFD, O_ASYNC), ALLOWED);
	/* The kernel takes the low half of a command. */
	assert_int_equal(call(SYS_fcntl, 0, 1ull << 32 | F_SETOWN, 0),
			 REFUSED);
	assert_int_equal(call(SYS_ioctl, 0, 1ull << 32 | TIOCSTI, 0), REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAYS("strict refuses each system call of the list and no other",
		     every_call),
		SAYS("numbers of x32 are absent, those of another architecture "
		     "end the process",
		     other_numbers),
		SAYS("a process may signal and limit itself alone", signals),
		SAYS("no namespaces, and no children for others", children),
		SAYS("fcntl and ioctl take the commands of the list alone",
		     commands),
	};

	return RUN(tests);
}
